"""Visitors at random: they come, talk, listen, and leave in every way there is."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from ..wire import CLOSE, PING, TEXT, close_frame, frame, get, upgrade

DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"
ANSWER_TIMEOUT_S = 30.0
ROOMS = 20
PROBE_S = 0.1


class Visitors:
    """A crowd of a fixed size whose members are replaced as they leave.

    Attributes:
        visits: How many have come.
        waits: How long each probe's echo took, in seconds; whoever reads them empties it.
        control_waits: The same of the control's.
        failures: What should not have happened.
    """

    def __init__(self, address: str, seed: int) -> None:
        host, _, port = address.rpartition(":")
        self._place = (host, int(port))
        self._dice = Random(seed)
        self.visits = 0
        self.waits: list[float] = []
        self.control_waits: list[float] = []
        self.failures: list[str] = []
        self._invited = asyncio.Event()
        self._invited.set()

    async def stay(self, until: float) -> None:
        """One place in the crowd: visit after visit, until then."""
        kinds = (self._echoes, self._room, self._board, self._pages, self._leaves_rudely)
        while time.monotonic() < until:
            await self._invited.wait()
            self.visits += 1
            kind = self._dice.choice(kinds)
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await kind()
            except (OSError, AssertionError, TimeoutError, asyncio.IncompleteReadError) as error:
                self.failures.append(f"{kind.__name__}: {error!r}")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Nobody comes, and those who are there leave when they are done; the probes go on."""
        self._invited.clear()
        yield
        self._invited.set()

    async def probe(self, control_port: int, until: float) -> None:
        """Asks the server and the control in turn, over connections that stay."""
        words = frame(TEXT, b"how long does this take?")
        reader, writer = await self._open("/echo")
        plain_reader, plain_writer = await asyncio.open_connection("127.0.0.1", control_port)
        while time.monotonic() < until:
            await asyncio.sleep(PROBE_S * (0.5 + self._dice.random()))
            began = time.monotonic()
            writer.write(words)
            opcode = PING
            while opcode == PING:
                opcode, _ = await _next(reader)
            self.waits.append(time.monotonic() - began)
            began = time.monotonic()
            plain_writer.write(words)
            await plain_reader.readexactly(len(words))
            self.control_waits.append(time.monotonic() - began)
        plain_writer.close()
        await _leave(reader, writer)

    async def _echoes(self) -> None:
        path = self._dice.choice(("/echo", "/later", "/told?name=ada"))
        fields = (DEFLATE,) if self._dice.random() < 0.3 else ()
        reader, writer = await self._open(path, *fields)
        for _ in range(self._dice.randrange(1, 20)):
            await asyncio.sleep(self._dice.random() * 0.05)
            writer.write(frame(TEXT, b"x" * self._dice.choice((5, 50, 500, 20_000))))
            await _next(reader)
        await _leave(reader, writer)

    async def _room(self) -> None:
        reader, writer = await self._open(f"/room/{self._dice.randrange(ROOMS)}")
        heard = asyncio.ensure_future(_listen(reader))
        for _ in range(self._dice.randrange(1, 8)):
            writer.write(frame(TEXT, b"hello, everybody"))
            await asyncio.sleep(self._dice.random() * 0.2)
        writer.write(close_frame(1000))
        assert await heard == 1000
        writer.close()

    async def _board(self) -> None:
        reader, writer = await self._open("/board")
        for _ in range(self._dice.randrange(1, 10)):
            writer.write(frame(TEXT, b'{"type":"say","text":"hello"}'))
            await _next(reader)
            await asyncio.sleep(self._dice.random() * 0.05)
        await _leave(reader, writer)

    async def _pages(self) -> None:
        reader, writer = await asyncio.open_connection(*self._place)
        for number in range(self._dice.randrange(1, 10)):
            writer.write(get(f"/page/{number}"))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(len(f'{{"number":{number}}}'))
        size = self._dice.choice((1, 100, 100_000))
        head = (
            f"POST /form HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n"
        )
        writer.write(head.encode() + bytes(size))
        assert (await reader.read()).endswith(str(size).encode())
        writer.close()

    async def _leaves_rudely(self) -> None:
        """Without a word, in the middle of one, or with nonsense."""
        way = self._dice.randrange(5)
        if way == 0:
            _, writer = await asyncio.open_connection(*self._place)
            writer.write(upgrade()[: self._dice.randrange(100)])
        elif way == 1:
            _, writer = await asyncio.open_connection(*self._place)
            writer.write(b"GET / HTTP/1.1\r\nnonsense\x00: x\r\n\r\n")
        else:
            _, writer = await self._open(f"/room/{self._dice.randrange(ROOMS)}")
            words = (frame(TEXT, b"x" * 5000)[:2000], b"\xff" * 20, frame(PING, b"x"))[way - 2]
            writer.write(words)
        await asyncio.sleep(self._dice.random() * 0.1)
        writer.transport.abort()

    async def _open(
        self, path: str, *fields: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self._place)
        writer.write(upgrade(path, *fields))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101"), head
        return reader, writer


async def _next(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The next frame's opcode and payload; pings go unanswered, visits are short."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length >= 126:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8))
    return first & 0x0F, await reader.readexactly(length)


async def _listen(reader: asyncio.StreamReader) -> int:
    """Hears everything up to the close; its code."""
    while True:
        opcode, payload = await _next(reader)
        if opcode == CLOSE:
            return int.from_bytes(payload[:2])


async def _leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(close_frame(1000))
    assert await _listen(reader) == 1000
    writer.close()
