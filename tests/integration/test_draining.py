"""Taking leave: who waited in the queue, who had just come, who was in the middle of something."""

import asyncio
import socket

import pytest

import hubbub
from hubbub import App, Request, ServerSettings, WebSocket, serve
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
