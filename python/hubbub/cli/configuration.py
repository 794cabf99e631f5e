"""Reads a configuration: the file, the environment, and what it says about the file system.

What it must say is decided in `hubbub.config`; this is the edge.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hubbub.app import App
from hubbub.assembly import Assembly, Site
from hubbub.certificate import Certificate, dev_certificate, read_chain, read_file
from hubbub.cli.load import imported
from hubbub.cli.mistake import IMPORT, Mistake
from hubbub.cli.ssl import DEV_FOLDER
from hubbub.config import (
    AdminSettings,
    CertificatePair,
    Configuration,
    Loaded,
    Mistaken,
    ServerSettings,
    StorageSettings,
    TlsSettings,
    load,
)
from hubbub.config.bind import Unix, parse_bind
from hubbub.config.checks import Problem
from hubbub.config.document import Path as Place
from hubbub.config.load import file as parsed_file
from hubbub.config.load import listed, load_tables
from hubbub.config.sources import Assignment, Given
from hubbub.errors import BadCertificate, Misuse, ModuleFailed
from hubbub.loop import EngineHost, EventLoop


def read(
    file: Path | None, assigned: Sequence[str] = (), flags: Iterable[Assignment] = ()
) -> Loaded:
    """What holds: the defaults, a file, the environment, `--set` and other flags.

    Args:
        file: The TOML file; None: there is none.
        assigned: The values of `--set`.
        flags: What other flags have set.

    Raises:
        Mistake: With everything that is wrong, each with its line.
    """
    try:
        given = None if file is None else _given(file)
        loaded = load(
            given, environment=os.environ, assigned=assigned, flags=flags, world=_problems
        )
    except Mistaken as mistaken:
        raise Mistake(str(mistaken)) from None
    admin = loaded.configuration.admin
    if not admin.token_file:
        return loaded
    admin = replace(admin, token=Path(admin.token_file).read_text(encoding="utf-8").strip())
    origins = {**loaded.origins, ("admin", "token"): loaded.origins["admin", "token_file"]}
    return Loaded(replace(loaded.configuration, admin=admin), origins)


def read_place(
    file: Path | None, environment: Mapping[str, str]
) -> tuple[AdminSettings, StorageSettings]:
    """Where a server is found; nothing else is judged, since it runs whatever the file says by now.

    Raises:
        Mistake: What says so cannot be read.
    """
    try:
        given = None if file is None else _given(file)
        found = load_tables(("admin", "storage"), given, environment)
    except Mistaken as mistaken:
        raise Mistake(str(mistaken)) from None
    return found.admin, found.storage


def with_dev_certificates(configuration: Configuration) -> Configuration:
    """The same, with certificates made for the listeners that want one for development.

    Raises:
        Mistake: They cannot be written.
    """
    if not any(one.tls is not None and one.tls.dev for one in configuration.listen):
        return configuration
    try:
        cert, key = dev_certificate(Path(configuration.storage.path) / DEV_FOLDER)
    except BadCertificate as error:
        raise Mistake(str(error)) from None
    listen = tuple(
        replace(one, tls=replace(one.tls, cert=cert, key=key))
        if one.tls is not None and one.tls.dev
        else one
        for one in configuration.listen
    )
    return replace(configuration, listen=listen)


def _given(file: Path) -> Given:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise Mistake(f"cannot read {file}: {error.strerror}") from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Mistake(
            f"{file}:{line}: expected UTF-8: found {error.object[error.start]:#04x}"
        ) from None
    folder = "" if file.parent == Path() else str(file.parent)
    return parsed_file(text, str(file), folder)


def _problems(configuration: Configuration) -> Iterator[Problem]:
    """What is not there, or cannot be read. An empty text is told of elsewhere."""
    for index, one in enumerate(configuration.listen):
        yield from _missing_folder(("listen", index, "bind"), one.bind)
        if one.tls is not None:
            yield from _tls(("listen", index, "tls"), one.tls)
    if configuration.server.pid_file:
        yield from _in_folder(("server", "pid_file"), configuration.server.pid_file)
    admin = configuration.admin
    yield from _missing_folder(("admin", "bind"), admin.bind)
    if admin.token_file:
        yield from _unreadable(("admin", "token_file"), admin.token_file)
    path = Path(configuration.storage.path)
    if path.exists() and not path.is_dir():
        yield ("storage", "path"), f"expected a folder: {path} is none"


def _tls(place: Place, tls: TlsSettings) -> Iterator[Problem]:
    """What is wrong with the files of a listener, as reading them for it would find."""
    pairs: list[tuple[Place, CertificatePair]] = []
    if tls.cert:
        pairs.append((place, CertificatePair(tls.cert, tls.key or tls.cert)))
    for index, pair in enumerate(tls.more):
        if pair.cert and pair.key:
            pairs.append(((*place, "more", index), pair))
    for where, pair in pairs:
        try:
            Certificate.read(pair.cert, pair.key, tls.key_password if where == place else "")
        except BadCertificate as error:
            yield (*where, "key" if error.path == pair.key != pair.cert else "cert"), str(error)
    if tls.client_ca:
        try:
            read_chain(tls.client_ca, read_file(tls.client_ca))
        except BadCertificate as error:
            yield (*place, "client_ca"), str(error)


def _unreadable(place: Place, file: str) -> Iterator[Problem]:
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        yield place, f"cannot read {file}: {error.strerror}"
    except UnicodeDecodeError:
        yield place, f"expected a text: {file} is none"
    else:
        if not text.strip():
            yield place, f"expected something in {file}: it is empty"


def _missing_folder(place: Place, bind: str) -> Iterator[Problem]:
    try:
        where = parse_bind(bind)
    except ValueError:
        return
    if isinstance(where, Unix):
        yield from _in_folder(place, where.path)


def _in_folder(place: Place, path: str) -> Iterator[Problem]:
    if not (folder := Path(path).parent).is_dir():
        yield place, f"expected a folder that exists: {folder} does not"


def import_apps(loaded: Loaded, file: Path | None) -> list[App]:
    """Imports every application that a configuration names, and sees whether all have their routes.

    Raises:
        Mistake: Some cannot be; with all of them.
    """
    apps: list[App] = []
    mistakes: list[str] = []
    host = EngineHost(ServerSettings())
    with closing(EventLoop(host)) as loop:
        for index, settings in enumerate(loaded.configuration.apps):
            try:
                app = imported(settings.import_, folder_of(file), settings.config)
                site = Site(index + 1, settings.mount, settings.hosts)
                Assembly(app, host.engine, loop, site).serve()
            except ModuleFailed as failed:
                origin = origin_of(loaded, file, index, failed.key)
                reason = failed.reason
                if failed.key:
                    reason = reason.removeprefix(f"{settings.import_}: config.")
                where = "config." if failed.key else "import: "
                mistakes.append(f"{origin}: app.{index}.{where}{reason}")
            except Misuse as error:
                origin = origin_of(loaded, file, index)
                mistakes.append(f"{origin}: app.{index}.import: {settings.import_}: {error}")
            else:
                apps.append(app)
    if mistakes:
        raise Mistake(listed(mistakes), IMPORT)
    return apps


def origin_of(loaded: Loaded, file: Path | None, index: int, key: Place = ()) -> str:
    """Who named an application, or gave a key of its configuration: "FILE:LINE"."""
    place: Place = ("app", index, *(("config", *key) if key else ("import",)))
    # A key that is missing is nowhere: the table that it is missing in is somewhere.
    while place not in loaded.origins and len(place) > 2:
        place = place[:-1]
    return str(loaded.origins.get(place, file))


def folder_of(file: Path | None) -> Path:
    """Where the modules that a file names are looked for first."""
    return Path() if file is None else file.parent
