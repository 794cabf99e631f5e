"""Taking leave: who waited in the queue, who had just come, who was in the middle of something."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

import hubbub
from hubbub import (
    App,
    EventSourceResponse,
    Request,
    ServerSettings,
    StreamingResponse,
    WebSocket,
    serve,
)
from hubbub.server import Server
from tests.wire import KEY

pytestmark = pytest.mark.anyio

SETTINGS = ServerSettings(drain_window_s=0.5, shutdown_timeout_s=5)
UPGRADE = (
    "GET /echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
).encode()

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Slow:
    """An app with one request that takes its time."""

    def __init__(self) -> None:
        self.app = App()
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()
        self.ended: list[str] = []

        @self.app.get("/slow")
        async def slow(request: Request) -> str:
            self.began.set()
            await self.go_on.wait()
            return "at last"

        @self.app.get("/quick")
        def quick(request: Request) -> str:
            return "here"

        @self.app.message("/echo")
        def echo(ws: WebSocket, message: str) -> str:
            return message

        @self.app.websocket("/tidy")
        async def tidy(ws: WebSocket) -> None:
            async for _ in ws:
                pass
            await asyncio.sleep(0.2)
            self.ended.append("tidied up")

        @self.app.websocket("/hangs")
        async def hangs(ws: WebSocket) -> None:
            try:
                async for _ in ws:
                    pass
                await asyncio.Event().wait()
            finally:
                self.ended.append("cancelled")


async def come(server: Server) -> Streams:
    port = int(server.url.rpartition(":")[2])
    return await asyncio.open_connection("127.0.0.1", port)


async def answer(streams: Streams, request: bytes) -> bytes:
    reader, writer = streams
    writer.write(request)
    return await reader.readuntil(b"\r\n\r\n")


async def test_a_request_under_way_is_answered_and_is_the_last() -> None:
    slow = Slow()
    async with serve(slow.app, port=0, settings=SETTINGS) as server, asyncio.timeout(20):
        reader, writer = await come(server)
        writer.write(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        await slow.began.wait()
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        assert server.state == "draining"
        slow.go_on.set()
        heard = await reader.read()
        writer.close()
        assert heard.startswith(b"HTTP/1.1 200")
        assert b"\r\nConnection: close\r\n" in heard
        assert heard.endswith(b"at last")
        assert await closing
        assert server.state == "stopped"


async def test_who_has_just_come_may_ask_and_who_idles_is_let_go() -> None:
    slow = Slow()
    # A WebSocket is there, too, so that there is a window.
    async with serve(slow.app, port=0, settings=SETTINGS) as server, asyncio.timeout(20):
        fresh, upgrading, idle = [await come(server) for _ in range(3)]
        assert b" 200 " in await answer(idle, b"GET /quick HTTP/1.1\r\nHost: h\r\n\r\n")
        assert await idle[0].readexactly(4) == b"here"
        while server.stats().connections < 3:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        # A FIN, no reset.
        assert await idle[0].read() == b""
        head = await answer(fresh, b"GET /quick HTTP/1.1\r\nHost: h\r\n\r\n")
        assert b"\r\nConnection: close\r\n" in head
        assert await fresh[0].read() == b"here"
        assert b" 101 " in await answer(upgrading, UPGRADE)
        assert (await upgrading[0].readexactly(4))[2:] == (1001).to_bytes(2)
        for _, writer in (fresh, upgrading, idle):
            writer.close()
        assert await closing


async def test_who_waits_in_the_queue_is_let_in() -> None:
    slow = Slow()
    async with serve(slow.app, port=0, settings=SETTINGS) as server:
        port = int(server.url.rpartition(":")[2])
        # Connected by the kernel; this loop has not had its turn to accept.
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(300)]
        for one in waiting:
            one.sendall(b"GET /quick HTTP/1.1\r\nHost: h\r\n\r\n")
        closing = asyncio.create_task(server.close())
        await closing
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
    for one in waiting:
        assert one.recv(4096).startswith(b"HTTP/1.1 200")
        one.close()


async def test_handlers_are_waited_for() -> None:
    slow = Slow()
    async with serve(slow.app, port=0, settings=SETTINGS) as server, asyncio.timeout(20):
        ws = await hubbub.connect(server.url + "/tidy")
        assert await server.close()
        assert slow.ended == ["tidied up"]
    assert ws.close_code == 1001


async def test_handlers_that_do_not_end_are_cancelled() -> None:
    slow = Slow()
    settings = ServerSettings(drain_window_s=0, shutdown_timeout_s=0.2)
    async with serve(slow.app, port=0, settings=settings) as server, asyncio.timeout(20):
        await hubbub.connect(server.url + "/hangs")
        assert not await server.close()
        assert slow.ended == ["cancelled"]


class Endless:
    """An app whose answers have no end."""

    def __init__(self) -> None:
        self.app = App()
        self.ended: list[str] = []

        @self.app.get("/events")
        def events(request: Request) -> EventSourceResponse:
            return EventSourceResponse(self.ticks("events"))

        @self.app.get("/lines")
        def lines(request: Request) -> StreamingResponse:
            return StreamingResponse(self.ticks("lines"), endless=True)

        @self.app.get("/waited-for")
        def waited_for(request: Request) -> EventSourceResponse:
            return EventSourceResponse(self.ticks("waited for"), endless=False)

        @self.app.get("/deaf")
        def deaf(request: Request) -> StreamingResponse:
            return StreamingResponse(self.deaf(), endless=True)

    async def ticks(self, name: str) -> AsyncIterator[str]:
        try:
            yield "tick\n"
            await asyncio.Event().wait()
        finally:
            self.ended.append(name)

    async def deaf(self) -> AsyncIterator[str]:
        """Goes on when it is cancelled, and is not asked for more."""
        yield "tick\n"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.ended.append("heard")
            yield "tock\n"
        yield "never\n"


async def test_answers_without_an_end_are_ended_in_order() -> None:
    endless = Endless()
    async with serve(endless.app, port=0, settings=SETTINGS) as server, asyncio.timeout(20):
        streams = []
        for path in ("/events", "/lines", "/deaf", "/events"):
            reader, writer = await come(server)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
            await reader.readuntil(b"tick\n")
            streams.append((reader, writer))
        assert await server.close()
        # The last chunk has come: an EventSource takes it for an end, not for an error.
        rests = [await reader.read() for reader, _ in streams]
        assert all(rest.endswith(b"0\r\n\r\n") for rest in rests), rests
        assert b"tock" in rests[2]
        assert b"never" not in rests[2]
        assert sorted(endless.ended) == ["events", "events", "heard", "lines"]
        for _, writer in streams:
            writer.close()


async def test_endless_answers_are_ended_over_the_window(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who comes back does not come back with everybody else."""
    # 100 of them take 3 s: a busy machine that stands still for a second changes nothing.
    monkeypatch.setattr("hubbub.drain.PACE_PER_S", 33)
    endless = Endless()
    settings = ServerSettings(drain_window_s=10, shutdown_timeout_s=5)
    async with serve(endless.app, port=0, settings=settings) as server, asyncio.timeout(20):
        loop = asyncio.get_running_loop()
        ends: list[float] = []

        async def listen() -> None:
            reader, writer = await come(server)
            writer.write(b"GET /events HTTP/1.1\r\nHost: h\r\n\r\n")
            await reader.readuntil(b"tick\n")
            listening.release()
            await reader.read()
            ends.append(loop.time())
            writer.close()

        listening = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(100):
                tasks.create_task(listen())
            for _ in range(100):
                await listening.acquire()
            assert await server.close()
    assert max(ends) - min(ends) > 1


async def test_a_stream_that_wants_to_be_waited_for_is() -> None:
    endless = Endless()
    settings = ServerSettings(drain_window_s=0, shutdown_timeout_s=0.2)
    async with serve(endless.app, port=0, settings=settings) as server, asyncio.timeout(20):
        reader, writer = await come(server)
        writer.write(b"GET /waited-for HTTP/1.1\r\nHost: h\r\n\r\n")
        await reader.readuntil(b"tick\n")
        assert not await server.close()
        assert endless.ended == ["waited for"]
        # Cut: no last chunk, so nobody takes it for whole.
        with suppress(ConnectionResetError):
            assert not (await reader.read()).endswith(b"0\r\n\r\n")
        writer.close()
