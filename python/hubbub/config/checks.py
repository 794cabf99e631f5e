"""What must hold between the values of a configuration, and in those with a form (pure).

Whether files are there and ports are free is not known here (see `hubbub.cli.configuration`).
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import TypeAlias

from hubbub.config.app import AppSettings
from hubbub.config.bind import Bind, Tcp, Unix, parse_bind
from hubbub.config.document import Path, dotted
from hubbub.config.file import Configuration
from hubbub.config.tls import TlsSettings
from hubbub.config.values import shown

Problem: TypeAlias = tuple[Path, str]
"""Where, and what was expected and found."""

_ATTRIBUTE = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_IMPORT = re.compile(rf"(?:{_ATTRIBUTE}|[^:]+\.py)(?::{_ATTRIBUTE})?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
# RFC 3986 §3.3, without what would have to be encoded, and without parameters.
_MOUNT = re.compile(r"/|(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+")
# RFC 1123 §2.1; a name of another script is written in its ASCII form.
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
# unix(7): `sun_path` has 108 bytes, and ends with a zero.
_UNIX_PATH_BYTES = 107
_MODE = re.compile(r"0?[0-7]{3}")
_EVERYTHING = ipaddress.ip_address("::")
"""Serves both families."""


def problems(configuration: Configuration) -> Iterator[Problem]:
    """Everything that does not go together."""
    yield from _listeners(configuration)
    yield from _apps(configuration.apps)
    yield from _admin(configuration)


def is_public(bind: str) -> bool:
    """Whether others than this machine may reach an address."""
    match parse_bind(bind):
        case Tcp(host):
            address = _ip(host)
            return not (address.is_loopback if address is not None else host == "localhost")
        case Unix():
            return False
        case _:
            # Whoever opened it knows; we do not.
            return True


def _listeners(configuration: Configuration) -> Iterator[Problem]:
    if not configuration.listen:
        yield ("listen",), "expected at least one listener: found none"
    places: list[tuple[Path, str]] = [
        (("listen", index, "bind"), one.bind) for index, one in enumerate(configuration.listen)
    ]
    if configuration.admin.address:
        places.append((("admin", "bind"), configuration.admin.address))
    binds: list[tuple[Path, str, Bind]] = []
    for path, text in places:
        try:
            bind = _bind(text)
        except ValueError as error:
            yield path, str(error)
            continue
        for other_path, other_text, other in binds:
            if _collide(bind, other):
                what = "expected an address of its own"
                yield path, f"{what}: {dotted(other_path)} is {shown(other_text)}"
        binds.append((path, text, bind))
    for index, one in enumerate(configuration.listen):
        if one.mode and not one.bind.startswith("unix:"):
            yield ("listen", index, "mode"), "expected a Unix socket to set the mode of"
        elif one.mode and not _MODE.fullmatch(one.mode):
            yield (
                ("listen", index, "mode"),
                f'expected a mode such as "0660": found {shown(one.mode)}',
            )
        if one.proxy_protocol and not configuration.server.trusted_proxies:
            what = "expected server.trusted_proxies, too, which says whose headers count"
            yield ("listen", index, "proxy_protocol"), f"{what}: found none"
        if one.tls is not None:
            yield from _tls(one.tls, ("listen", index, "tls"))


def _tls(tls: TlsSettings, path: Path) -> Iterator[Problem]:
    if tls.dev and (tls.cert or tls.key):
        yield (*path, "dev"), "expected dev or cert and key, not both"
    elif not tls.dev and not tls.cert:
        yield (*path, "cert"), 'missing: expected a file such as "fullchain.pem", or dev = true'
    for index, one in enumerate(tls.more):
        for key, file in (("cert", one.cert), ("key", one.key)):
            if not file:
                yield (*path, "more", index, key), 'expected a file such as "net.pem": found ""'
    if tls.client_auth != "off" and not tls.client_ca:
        yield (
            (*path, "client_auth"),
            f"expected client_ca, too, which says whose certificates count: found "
            f"{shown(tls.client_auth)} alone",
        )
    if tls.client_auth == "off" and tls.client_ca:
        yield (
            (*path, "client_ca"),
            'expected client_auth "optional" or "required", too: found "off"',
        )


def _apps(apps: tuple[AppSettings, ...]) -> Iterator[Problem]:
    for index, app in enumerate(apps):
        path: Path = ("app", index)
        if not _IMPORT.fullmatch(app.import_):
            what = 'expected "package.module:app" or "FILE.py:app"'
            yield (*path, "import"), f"{what}: found {shown(app.import_)}"
            continue
        if not _NAME.fullmatch(app.label):
            key = "name" if app.name else "import"
            what = "expected a name of letters, digits, - and _"
            yield (*path, key), f"{what}: found {shown(app.label)}"
        if not _MOUNT.fullmatch(app.mount):
            what = 'expected a path such as "/chat", without "/" at its end'
            yield (*path, "mount"), f"{what}: found {shown(app.mount)}"
        for number, host in enumerate(app.hosts):
            if _ip(host.strip("[]")) is None and not _HOST.fullmatch(host):
                what = 'expected a name such as "example.org" or "*.example.org", without a port'
                yield (*path, "hosts", number), f"{what}: found {shown(host)}"
        yield from _rivals(index, apps)


def _rivals(index: int, apps: tuple[AppSettings, ...]) -> Iterator[Problem]:
    app = apps[index]
    for other_index, other in enumerate(apps[:index]):
        if other.label == app.label:
            key = "name" if app.name else "import"
            what = "expected a name of its own, set by name"
            yield (
                ("app", index, key),
                f"{what}: app.{other_index} is called {shown(app.label)}, too",
            )
        hosts, others = ({host.lower() for host in one.hosts} for one in (app, other))
        if other.mount == app.mount and (hosts & others or hosts == others):
            what = "expected a path, or hosts, of its own"
            yield (
                ("app", index, "mount"),
                f"{what}: app.{other_index} is mounted at {shown(app.mount)}, too",
            )


def _admin(configuration: Configuration) -> Iterator[Problem]:
    admin = configuration.admin
    if admin.token and admin.token_file:
        yield ("admin", "token_file"), "expected token or token_file, not both"
    try:
        bind = parse_bind(admin.address)
    except ValueError:
        return
    if not isinstance(bind, (Tcp, Unix)):
        what = 'expected "HOST:PORT", "unix:/PATH", "auto" or "off"'
        yield ("admin", "bind"), f"{what}: found {shown(admin.bind)}"
    elif is_public(admin.bind) and not (admin.token or admin.token_file):
        what = "expected token_file, too, since others than this machine can reach"
        yield ("admin", "bind"), f"{what} {shown(admin.bind)}"


def _bind(text: str) -> Bind:
    bind = parse_bind(text)
    match bind:
        case Tcp(host) if _ip(host) is None and (not _HOST.fullmatch(host) or "*" in host):
            raise ValueError(f"expected an address or a name before the port: found {shown(host)}")
        case Unix(path) if len(path.encode()) > _UNIX_PATH_BYTES:
            raise ValueError(
                f"expected a path of at most {_UNIX_PATH_BYTES} bytes: found {shown(path)}"
            )
        case _:
            return bind


def _collide(one: Bind, other: Bind) -> bool:
    """Whether the kernel would refuse to bind both."""
    if not isinstance(one, Tcp) or not isinstance(other, Tcp):
        return one == other
    if one.port != other.port or one.port == 0:
        return False
    first, second = _ip(one.host), _ip(other.host)
    if first is None or second is None:
        return one.host == other.host
    if _EVERYTHING in (first, second):
        return True
    is_wildcard = first.is_unspecified or second.is_unspecified
    return first == second or (first.version == second.version and is_wildcard)


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
