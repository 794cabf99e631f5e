"""Listening sockets: bound here, all of them before anything starts, then lent to an engine.

They stay ours, so that they can be handed to the process that replaces this one. Accepting is the
engine's; what was inherited is `inheritance`'s.
"""

import asyncio
import errno
import os
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hubbub import address
from hubbub.config import ListenSettings
from hubbub.config.bind import Descriptor, Systemd, Tcp, Unix, parse_bind
from hubbub.errors import CannotListen, Misuse
from hubbub.inheritance import Inheritance


@dataclass(frozen=True)
class Bound:
    """One socket that is bound, and does not listen before an engine makes it."""

    key: str
    """What was to be bound, in the engine's words; a successor asks for it in the same."""

    socket: socket.socket

    settings: ListenSettings

    file: tuple[Path, int] | None = None
    """Of a Unix socket: its file, and that file's number, by which ours is known."""

    @property
    def is_shared(self) -> bool:
        """Whether whoever started us holds it, too: its queue outlives this process."""
        return self.key.startswith(("fd:", "systemd:"))

    def lend(self) -> str:
        """A copy for an engine, as its `listen` spells it; closing that one leaves ours alone."""
        return f"fd:{os.dup(self.socket.fileno())}"


class Sockets:
    """The sockets of one server; use it in a `with`.

    Attributes:
        bound: Each of them.
        keep_files: Whether the files of Unix sockets are left when they are closed: another process
            listens there.
    """

    def __init__(self) -> None:
        self.bound: list[Bound] = []
        self.keep_files = False

    def __enter__(self) -> "Sockets":
        """Begins to hold them."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes them."""
        self.close()

    async def bind(
        self,
        wanted: Sequence[ListenSettings],
        inheritance: Inheritance,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Binds or takes over whatever shall be listened at; of several, all or none.

        Raises:
            CannotListen: One cannot be bound.
            Misuse: One is no place to listen at.
        """
        # Until the predecessor has stepped back they are its own.
        self.keep_files = inheritance.channel is not None
        try:
            for one in wanted:
                await self._bind_one(one, inheritance, loop)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes our copies."""
        for one in self.bound:
            if one.file is not None and not self.keep_files:
                _remove(*one.file)
            one.socket.close()
        self.bound.clear()

    async def _bind_one(
        self, wanted: ListenSettings, inheritance: Inheritance, loop: asyncio.AbstractEventLoop
    ) -> None:
        try:
            place = parse_bind(wanted.bind)
        except ValueError as error:
            raise Misuse(str(error)) from None
        match place:
            case Tcp(host, port):
                await self._bind_tcp(host, port, wanted, inheritance, loop)
            case Unix(path):
                self._bind_unix(Path(path), wanted, inheritance)
            case Descriptor(number):
                self._adopt(f"fd:{number}", number, wanted, inheritance)
            case Systemd(name):
                self._activate(name, wanted, inheritance)

    async def _bind_tcp(
        self,
        host: str,
        port: int,
        wanted: ListenSettings,
        inheritance: Inheritance,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        chosen = port
        for one in await _addresses(host, port, loop):
            # With port 0 the first address chooses, the others follow.
            key = address.tcp_address(one, port)
            number = inheritance.take_handed_over(key)
            bound = _tcp(one, chosen) if number is None else _inherited(key, number)
            chosen = bound.getsockname()[1]
            self.bound.append(Bound(key, bound, wanted))

    def _bind_unix(self, path: Path, wanted: ListenSettings, inheritance: Inheritance) -> None:
        key = f"unix:{path}"
        number = inheritance.take_handed_over(key)
        if number is not None:
            bound = _inherited(key, number)
        else:
            try:
                bound = _unix(path, wanted.mode)
            except OSError as error:
                raise CannotListen(key, error) from None
        with suppress(OSError):
            # The file may be gone; then there is none to remove at the end.
            self.bound.append(Bound(key, bound, wanted, (path, path.lstat().st_ino)))
            return
        self.bound.append(Bound(key, bound, wanted))

    def _adopt(
        self, key: str, number: int, wanted: ListenSettings, inheritance: Inheritance
    ) -> None:
        handed_over = inheritance.take_handed_over(key)
        try:
            # A copy of what is the caller's.
            mine = os.dup(number) if handed_over is None else handed_over
        except OSError as error:
            raise CannotListen(key, error) from None
        self.bound.append(Bound(key, _inherited(key, mine), wanted))

    def _activate(self, name: str, wanted: ListenSettings, inheritance: Inheritance) -> None:
        key = f"systemd:{name}"
        taken = inheritance.take_activated(name)
        while (number := inheritance.take_handed_over(key)) is not None:
            taken.append(number)
        if not taken:
            which = f"named {name}" if name else "at all"
            reason = f"no socket {which} was passed by systemd"
            raise CannotListen(key, OSError(errno.ENOENT, reason))
        self.bound += [Bound(key, _inherited(key, number), wanted) for number in taken]


async def _addresses(host: str, port: int, loop: asyncio.AbstractEventLoop) -> list[str]:
    if address.is_ip(host):
        return [host]
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise CannotListen(address.tcp_address(host, port), error) from None
    return list(dict.fromkeys(str(place[0]) for _, _, _, _, place in found))


def _tcp(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if made.family == socket.AF_INET6:
            # [::] serves both families; any other address serves its own.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, host != "::")
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise CannotListen(address.tcp_address(host, port), error) from None
    return made


def _unix(path: Path, mode: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX)
    try:
        try:
            made.bind(str(path))
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not _is_abandoned(path):
                raise
            path.unlink()
            made.bind(str(path))
        if mode:
            # Nobody can connect before it listens, so nobody comes through with the old mode.
            path.chmod(int(mode, 8))
    except BaseException:
        made.close()
        raise
    return made


def _is_abandoned(path: Path) -> bool:
    """Whether a socket file is left of a server that is gone: nobody answers there."""
    if not stat.S_ISSOCK(path.lstat().st_mode):
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def _inherited(key: str, number: int) -> socket.socket:
    """The socket of a descriptor, which is ours from now on, whatever happens."""
    try:
        taken = socket.socket(fileno=number)
        taken.set_inheritable(False)
    except OSError as error:
        with suppress(OSError):
            os.close(number)
        raise CannotListen(key, error) from None
    if taken.type != socket.SOCK_STREAM:
        taken.close()
        raise CannotListen(key, OSError(errno.ESOCKTNOSUPPORT, "not a stream socket"))
    return taken


def _remove(path: Path, number: int) -> None:
    with suppress(OSError):
        # Another server may have taken the name by now.
        if path.lstat().st_ino == number:
            path.unlink()
