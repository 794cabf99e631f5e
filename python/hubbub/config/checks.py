"""What must hold between the values of a configuration, and in those with a form (pure).

Whether files are there and ports are free is not known here (see `hubbub.cli.configuration`).
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import TypeAlias

from hubbub.config.app import AppSettings
from hubbub.config.document import Path
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
_UNIX_PATH_BYTES = 107


def problems(configuration: Configuration) -> Iterator[Problem]:
    """Everything that does not go together."""
    yield from _listeners(configuration)
    yield from _apps(configuration.apps)
    yield from _admin(configuration)


def address_problem(bind: str) -> str | None:
    """What is wrong with the form of an address to listen on, if anything is."""
    if bind.startswith("unix:"):
        path = bind.removeprefix("unix:")
        if not path or len(path.encode()) > _UNIX_PATH_BYTES:
            return (
                f"expected a path of 1 to {_UNIX_PATH_BYTES} bytes after unix:: found {shown(bind)}"
            )
        return None
    if bind.startswith("fd:"):
        if bind.removeprefix("fd:").isascii() and bind.removeprefix("fd:").isdecimal():
            return None
        return f'expected the number of a descriptor such as "fd:3": found {shown(bind)}'
    if bind == "systemd" or (bind.startswith("systemd:") and bind != "systemd:"):
        return None
    host, colon, port = bind.rpartition(":")
    if not colon or not host:
        return f'expected HOST:PORT such as "127.0.0.1:8000", or "unix:/PATH": found {shown(bind)}'
    if not (port.isascii() and port.isdecimal() and int(port) <= 65_535):
        return f"expected a port from 0 to 65535: found {shown(port)}"
    if host.startswith("[") != host.endswith("]") or (":" in host and not host.startswith("[")):
        return f'expected an IPv6 address in brackets such as "[::1]:8000": found {shown(bind)}'
    if _ip(host) is None and (host.startswith("[") or not _HOST.fullmatch(host) or "*" in host):
        return f"expected an address or a name before the port: found {shown(host)}"
    return None


def is_public(bind: str) -> bool:
    """Whether others than this machine can reach an address."""
    if bind.startswith("unix:"):
        return False
    if bind.startswith(("fd:", "systemd")):
        return True
    host = bind.rpartition(":")[0]
    address = _ip(host)
    return not (address.is_loopback if address is not None else host == "localhost")


def _listeners(configuration: Configuration) -> Iterator[Problem]:
    if not configuration.listen:
        yield ("listen",), "expected at least one listener: found none"
    binds: list[tuple[Path, str]] = [
        (("listen", index, "bind"), one.bind) for index, one in enumerate(configuration.listen)
    ]
    if configuration.admin.bind:
        binds.append((("admin", "bind"), configuration.admin.bind))
    for index, (path, bind) in enumerate(binds):
        if problem := address_problem(bind):
            yield path, problem
            continue
        for other_path, other in binds[:index]:
            if address_problem(other) is None and _collide(bind, other):
                where = ".".join(str(part) for part in other_path)
                yield path, f"expected an address that is free: {where} has {shown(other)}"
    for index, one in enumerate(configuration.listen):
        if one.tls is not None:
            yield from _tls(one.tls, ("listen", index, "tls"))


def _tls(tls: TlsSettings, path: Path) -> Iterator[Problem]:
    pairs: list[tuple[Path, str, str]] = [(path, tls.cert, tls.key)]
    pairs += [((*path, "more", index), one.cert, one.key) for index, one in enumerate(tls.more)]
    for where, cert, key in pairs:
        if not cert:
            yield (*where, "cert"), 'expected a file: found ""'
        if not key:
            yield (*where, "key"), 'expected a file: found ""'
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
            if _ip(host) is None and not _HOST.fullmatch(host):
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
    if not admin.bind or address_problem(admin.bind):
        return
    if is_public(admin.bind) and not (admin.token or admin.token_file):
        what = "expected token_file, too, since others than this machine can reach"
        yield ("admin", "bind"), f"{what} {shown(admin.bind)}"


def _collide(one: str, other: str) -> bool:
    """Whether the kernel would refuse to bind both."""
    if one == other:
        return not one.endswith(":0")
    if one.startswith(("unix:", "fd:", "systemd")) or other.startswith(("unix:", "fd:", "systemd")):
        return False
    (host, _, port), (other_host, _, other_port) = one.rpartition(":"), other.rpartition(":")
    if int(port) != int(other_port) or int(port) == 0:
        return False
    address, other_address = _ip(host), _ip(other_host)
    if address is None or other_address is None:
        return host == other_host
    if address.version != other_address.version:
        return False
    return address == other_address or address.is_unspecified or other_address.is_unspecified


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host[1:-1] if host.startswith("[") else host)
    except ValueError:
        return None
