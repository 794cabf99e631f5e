"""TLS of listeners and clients: which files, when they are read again, whom a client believes.

The handshake and the records are the engine's; what a file may hold is `certificate`'s.
"""

import asyncio
import functools
import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypedDict

from hubbub._core import TlsContext, TlsTrust
from hubbub.certificate import Certificate, read_chain, read_file
from hubbub.config import TlsSettings
from hubbub.errors import BadCertificate, Misuse
from hubbub.log import logger

LOOK_INTERVAL_S = 5.0
"""How often files are looked at."""


class _Rules(TypedDict):
    client_ca: bytes | None
    client_auth: str
    minimum_version: str


_Signature = tuple[tuple[int, int, int] | None, ...]


class Certificates:
    """What one listener shows, and reads again when its files change.

    Attributes:
        context: For `Engine.listen`.
    """

    def __init__(self, settings: TlsSettings) -> None:
        """Reads everything.

        Raises:
            BadCertificate: A file cannot be used; which, and why.
            Misuse: The settings contradict each other.
        """
        if settings.client_auth != "off" and not settings.client_ca:
            raise Misuse(f"client_auth needs client_ca: {settings.client_auth}")
        self._settings = settings
        self._seen = self._looks()
        with _naming_files():
            self.context = TlsContext(self._pairs(), **self._rules())

    def reload(self) -> None:
        """Reads everything again, for the handshakes to come. Open connections keep theirs.

        Raises:
            BadCertificate: A file cannot be used; then the old ones stay.
        """
        self._seen = self._looks()
        with _naming_files():
            self.context.replace(self._pairs(), **self._rules())
        logger.info("certificates read again: %s", self._settings.cert)

    def try_reload(self) -> bool:
        """Reads everything again; what is wrong is logged, and the old ones stay.

        Returns:
            Whether the new ones are in use.
        """
        try:
            self.reload()
        except BadCertificate as error:
            logger.error("certificates stay as they are: %s", error)
            return False
        return True

    async def watch(self, interval_s: float = LOOK_INTERVAL_S) -> None:
        """Reads again whatever has changed and then rested for one interval, until cancelled.

        Looking is one stat(2) a file. That sees through every way of replacing one, such as the
        changed symbolic links of certbot and Kubernetes, and needs no thread.
        """
        last = self._seen
        while True:
            await asyncio.sleep(interval_s)
            looks = self._looks()
            # Certificate and key are two files: half of a change is none.
            if looks == last and looks != self._seen:
                self.try_reload()
            last = looks

    def _pairs(self) -> list[tuple[str, bytes, bytes]]:
        settings = self._settings
        first = Certificate.read(settings.cert, settings.key, settings.key_password)
        more = [Certificate.read(one.cert, one.key) for one in settings.more]
        return [(one.name, one.chain, one.key) for one in (first, *more)]

    def _rules(self) -> _Rules:
        settings = self._settings
        authorities = None
        if settings.client_ca:
            authorities = read_file(settings.client_ca)
            read_chain(settings.client_ca, authorities)
        return {
            "client_ca": authorities,
            "client_auth": settings.client_auth,
            "minimum_version": settings.minimum_version,
        }

    def _looks(self) -> _Signature:
        settings = self._settings
        files = [settings.cert, settings.key, settings.client_ca]
        for one in settings.more:
            files += [one.cert, one.key]
        return tuple(_look(file) for file in files if file)


class AllCertificates:
    """Those of all listeners of a server. Listeners with the same settings share theirs."""

    def __init__(self, wanted: Iterable[TlsSettings | None]) -> None:
        """Reads everything.

        Raises:
            BadCertificate: A file cannot be used; which, and why.
            Misuse: The settings contradict each other.
        """
        distinct = dict.fromkeys(one for one in wanted if one is not None)
        self._all = {one: Certificates(one) for one in distinct}
        self._watches: list[asyncio.Task[None]] = []

    def context(self, settings: TlsSettings | None) -> TlsContext | None:
        """What a listener with these settings shows."""
        return None if settings is None else self._all[settings].context

    def reload(self) -> bool:
        """Reads everything again; what is wrong is logged, and the old ones stay.

        Returns:
            Whether all the new ones are in use.
        """
        loaded = [one.try_reload() for one in self._all.values()]
        return all(loaded)

    def watch(self) -> None:
        """Looks at the files from now on."""
        self._watches = [asyncio.create_task(one.watch()) for one in self._all.values()]

    def unwatch(self) -> None:
        """Looks at them no more."""
        for one in self._watches:
            one.cancel()
        self._watches.clear()


@dataclass(frozen=True)
class Trust:
    """Whom a client believes, and what it shows of itself; an argument of `connect`."""

    ca: str = ""
    """PEM file of the authorities to believe; if empty, those the system trusts."""

    cert: str = ""
    """PEM file of the client's own certificate, for servers that ask for one."""

    key: str = ""
    """PEM file of its private key; if empty, it stands in `cert`, too."""

    server_name: str = ""
    """The name that the server's certificate must have; if empty, the URL's host."""

    without_verification: bool = False
    """Believe anybody: whoever sits on the way can read and change everything. For tests only."""

    def native(self) -> TlsTrust:
        """The engine's form of it.

        Raises:
            BadCertificate: A file cannot be used; which, and why.
            Misuse: The fields contradict each other.
        """
        if self.without_verification and self.ca:
            raise Misuse("either there is a ca, or nothing is verified")
        ca, pair = None, None
        if self.ca:
            ca = read_file(self.ca)
            read_chain(self.ca, ca)
        if self.cert:
            own = Certificate.read(self.cert, self.key)
            pair = (own.name, own.chain, own.key)
        return _native(ca, pair, self.without_verification)


@functools.lru_cache(maxsize=64)
def _native(
    ca: bytes | None, pair: tuple[str, bytes, bytes] | None, without_verification: bool
) -> TlsTrust:
    """One for all connections with the same files, so that sessions are resumed."""
    with _naming_files():
        return TlsTrust(ca=ca, pair=pair, no_verification=without_verification)


def _look(file: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - a path of a setting, as it was written
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextmanager
def _naming_files() -> Generator[None]:
    """Makes of what the engine refuses an error that names the file."""
    try:
        yield
    except ValueError as error:
        raise BadCertificate(*error.args) from None
