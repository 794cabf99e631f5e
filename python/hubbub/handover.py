"""Handing the listening sockets themselves to a new process: both ends of it.

The new one is the same command line, started anew; it inherits the sockets, starts, and says over
a channel that it is ready or why it is not. Until then nothing has changed. Two processes that
bind the same address instead would each have a queue, and what waits in the old one's would be
reset with it.

What is inherited how stands in `inheritance`; when to do all this, `running` decides.
"""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

import msgspec

from hubbub.errors import Failure
from hubbub.inheritance import CHANNEL, SOCKETS, encode, received

_WORD_LIMIT_BYTES = 65_536
_STEP_S = 0.02
_END_TIMEOUT_S = 5.0
_NOT_INHERITED = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID", SOCKETS, CHANNEL)


class Word(msgspec.Struct):
    """What a new process says, once: a line of JSON."""

    failure: str | None = None
    """Why it does not serve; None: it does."""


def command_line() -> list[str]:
    """What started this process, so that it can be started again."""
    return [sys.executable, *sys.orig_argv[1:]]


class Successor:
    """A new process, as seen from the old one."""

    def __init__(self, process: "subprocess.Popen[bytes]", channel: socket.socket) -> None:
        self._process = process
        self._channel = channel

    @classmethod
    def start(
        cls, command: Sequence[str], directory: Path, sockets: Sequence[tuple[str, int]]
    ) -> "Successor":
        """Starts it.

        Args:
            command: Its command line.
            directory: Where it runs.
            sockets: What it inherits: what had been asked for, and the descriptor.

        Raises:
            Failure: It cannot be started.
        """
        ours, theirs = socket.socketpair()
        numbers = [number for _, number in sockets]
        environment = {
            name: value for name, value in os.environ.items() if name not in _NOT_INHERITED
        } | encode(sockets, theirs.fileno())
        with theirs:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=directory,
                    env=environment,
                    pass_fds=(*numbers, theirs.fileno()),
                    stdin=subprocess.DEVNULL,
                )
            except OSError as error:
                ours.close()
                raise Failure(f"the new process cannot be started: {error}") from None
        ours.setblocking(False)
        return cls(process, ours)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    async def ready(self, timeout_s: float) -> None:
        """Waits until it serves; one that does not is ended.

        Raises:
            Failure: It does not; with its own words, if it had any.
        """
        try:
            async with asyncio.timeout(timeout_s):
                word = await _read_word(self._channel)
        except TimeoutError:
            self._process.terminate()
            await self.abandon()
            raise Failure(f"the new process was not ready within {timeout_s:g} s") from None
        except BaseException:
            await self.abandon()
            raise
        if word is not None and word.failure is None:
            return
        code = await self.abandon()
        told = "it told nothing but its log" if word is None else word.failure
        raise Failure(f"the new process did not start (exit code {code}): {told}")

    def let_go(self) -> None:
        """Tells it that it is the server now."""
        self._channel.close()
        # It outlives us. Popen would complain of a child that nobody has waited for.
        self._process.returncode = 0

    async def abandon(self) -> int:
        """Ends it; returns its exit code."""
        self._channel.close()
        loop = asyncio.get_running_loop()
        end = loop.time() + _END_TIMEOUT_S
        # Whoever has said why it fails is about to exit by itself.
        for step in (None, self._process.terminate, self._process.kill):
            if step is not None and self._process.poll() is None:
                step()
            while self._process.poll() is None and loop.time() < end:  # noqa: ASYNC110 - seldom
                await asyncio.sleep(_STEP_S)
            end += _END_TIMEOUT_S
        return self._process.wait()


class Predecessor:
    """The old process, as seen from the new one."""

    def __init__(self, channel: int | None) -> None:
        """Prepares it.

        Args:
            channel: The descriptor it left us; None: there is no predecessor.
        """
        self._channel = None if channel is None else socket.socket(fileno=channel)
        if self._channel is not None:
            self._channel.set_inheritable(False)

    @property
    def is_there(self) -> bool:
        """Whether somebody serves until we say that we do."""
        return self._channel is not None

    async def relieve(self) -> bool:
        """Says that we serve, and waits until the old one has stepped back.

        Returns:
            Whether there was one.
        """
        if self._channel is None:
            return False
        with self._channel as channel:
            self._channel = None
            channel.setblocking(False)
            loop = asyncio.get_running_loop()
            # Should it have died meanwhile, it has stepped back, too.
            with suppress(OSError):
                await loop.sock_sendall(channel, msgspec.json.encode(Word()) + b"\n")
                await loop.sock_recv(channel, 1)
        return True

    def fail(self, failure: str) -> None:
        """Says why we do not serve."""
        if self._channel is None:
            return
        with self._channel as channel, suppress(OSError):
            self._channel = None
            channel.sendall(msgspec.json.encode(Word(failure)) + b"\n")


@cache
def predecessor() -> Predecessor:
    """Whom this process replaces, if anybody."""
    return Predecessor(received().channel)


async def _read_word(channel: socket.socket) -> Word | None:
    loop = asyncio.get_running_loop()
    said = b""
    while b"\n" not in said and len(said) < _WORD_LIMIT_BYTES:
        with suppress(ConnectionError):
            if more := await loop.sock_recv(channel, 4096):
                said += more
                continue
        break
    try:
        return msgspec.json.decode(said, type=Word) if said else None
    except msgspec.DecodeError:
        return None
