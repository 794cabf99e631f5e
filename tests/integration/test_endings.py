"""What happens when an end comes at an awkward moment: of a client, a handler, a server."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import hubbub
from hubbub import App, ConnectionClosed, Request, ServerSettings, StreamingResponse, WebSocket
from hubbub.testing import serve
from tests.waiting import until
from tests.wire import BINARY, CLOSE, TEXT, frame, upgrade

from .conftest import Failing
from .test_streams import Line

pytestmark = pytest.mark.anyio

ASKED = "GET /slow HTTP/1.1\r\nHost: a\r\n{}\r\n"


@pytest.mark.parametrize("fields", ["", "Connection: close\r\n"])
async def test_who_has_gone_is_told_of_once(tmp_path: Path, fields: str) -> None:
    """epoll tells again and again of a Unix socket whose other end is closed."""
    app, told = App(), list[str]()

    @app.get("/slow")
    async def slow(req: Request) -> None:
        try:
            told.append("asked")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.1)
            told.append("cleaned up")

    path = tmp_path / "socket"
    async with hubbub.serve(app, uds=str(path)) as server:
        _, writer = await asyncio.open_unix_connection(path)
        writer.write(ASKED.format(fields).encode())
        await until(lambda: told == ["asked"])
        writer.close()
        await until(lambda: told == ["asked", "cleaned up"])
        await until(lambda: server.stats().connections == 0)


async def test_who_asks_for_more_and_says_no_more_waits_for_answers() -> None:
    app, go_on, asked = App(), asyncio.Event(), asyncio.Event()

    @app.get("/slow")
    async def slow(req: Request) -> str:
        asked.set()
        await go_on.wait()
        return "slow"

    app.get("/next")(lambda req: "next")
    async with hubbub.serve(app, port=0) as server:
        host, _, port = server.addresses[0].removeprefix("tcp://").rpartition(":")
        line = Line(*await asyncio.open_connection(host, int(port)))
        line.ask("GET /slow")
        await asked.wait()
        line.ask("GET /next")
        line.writer.write_eof()
        await asyncio.sleep(0.1)
        go_on.set()
        answers = await line.rest()
        assert b"\r\n\r\nslow" in answers
        assert answers.endswith(b"\r\n\r\nnext")
        await line.hang_up()


async def test_what_was_said_before_the_end_is_heard(tmp_path: Path) -> None:
    """A handler that is slow to take it changes nothing, be it that the client is long gone."""
    app, heard = App(), list[str]()
    go_on = asyncio.Event()

    @app.websocket("/")
    async def listens(ws: WebSocket) -> None:
        async for message in ws:
            heard.append(str(message))
            await go_on.wait()
        heard.append(f"closed: {ws.close_code} by {ws.closed_by}")

    said = [f"message {number}" for number in range(300)]
    path = tmp_path / "socket"
    settings = ServerSettings(receive_queue_message_limit=16)
    async with hubbub.serve(app, uds=str(path), settings=settings):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(upgrade("/"))
        await reader.readuntil(b"\r\n\r\n")
        frames = b"".join(frame(TEXT, one.encode()) for one in said)
        writer.write(frames + frame(CLOSE, struct.pack("!H", 1000)))
        await writer.drain()
        await until(lambda: len(heard) == 1)
        writer.close()
        await asyncio.sleep(0.1)
        go_on.set()
        await until(lambda: len(heard) == len(said) + 1)
        assert heard == [*said, "closed: 1000 by peer"]


async def test_what_nobody_reads_is_not_late() -> None:
    """Nor silent: the time that a handler takes is not its client's."""
    app, heard = App(), list[Any]()
    go_on = asyncio.Event()

    @app.websocket("/")
    async def listens(ws: WebSocket) -> None:
        async for message in ws:
            heard.append(len(message))
            await go_on.wait()
        heard.append(ws.close_code)

    settings = ServerSettings(message_timeout_s=0.3, idle_timeout_s=0.4)
    async with serve(app, settings=settings) as server:
        async with server.connect("/") as client:
            for _ in range(200):
                client.send(b"x" * 10_000)
            await until(lambda: len(heard) == 1)
            await asyncio.sleep(1)
            go_on.set()
            await until(lambda: len(heard) == 200)
        await until(lambda: len(heard) == 201)
        assert heard == [10_000] * 200 + [1000]


async def test_pongs_are_no_messages() -> None:
    app = App()
    app.message("/")(lambda ws, message: message)
    settings = ServerSettings(ping_interval_s=0.1, ping_timeout_s=5.0, idle_timeout_s=0.5)
    async with serve(app, settings=settings) as server, server.connect("/") as client:
        assert await client.wait_closed() == 1001


async def test_the_end_of_an_answer_ends_the_reading_of_its_request(failing: Failing) -> None:
    """Also where another task reads, which cannot be stepped within the one that answers."""
    app, told = App(), list[str]()
    readers: list[asyncio.Task[None]] = []

    @app.post("/both", stream=True)
    async def both(req: Request) -> StreamingResponse:
        async def read() -> None:
            try:
                async for _ in req.stream():
                    told.append("a piece")
            except ConnectionClosed:
                told.append("no more")

        async def answer() -> AsyncIterator[str]:
            readers.append(asyncio.create_task(read()))
            while "a piece" not in told:
                yield "."
                await asyncio.sleep(0.01)

        return StreamingResponse(answer())

    async with failing(app) as server:
        line = await Line.to(server.port)
        line.ask("POST /both", b"Content-Length: 1000\r\n")
        line.writer.write(b"abc")
        assert (await line.rest()).endswith(b"0\r\n\r\n")
        await until(lambda: told == ["a piece", "no more"])
        await line.hang_up()


async def test_what_is_left_of_a_body_is_charged_to_nobody() -> None:
    app = App()

    @app.post("/some", stream=True)
    async def some(req: Request) -> str:
        async for _ in req.stream():
            break
        await asyncio.sleep(0.05)
        return "enough"

    async with serve(app) as server:
        line = await Line.to(server.port)
        line.ask("POST /some", b"Content-Length: 60000\r\n")
        await asyncio.sleep(0.05)
        line.writer.write(b"x" * 30_000)
        await asyncio.sleep(0.02)
        line.writer.write(b"x" * 30_000)
        await line.until(b"enough")
        await until(lambda: server.stats().held_bytes < 10_000)
        await line.hang_up()


async def test_a_close_is_answered_though_the_queue_is_full() -> None:
    """With threads, a pause may follow the close that it was decided before."""
    app, ended = App(), list[Any]()

    @app.websocket("/")
    async def refuses(ws: WebSocket) -> None:
        await ws.recv()
        ws.close(1008, "no more")
        await ws.wait_closed()
        ended.append((ws.close_code, ws.closed_by))

    async with serve(app, settings=ServerSettings(receive_queue_limit_bytes=50_000)) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(upgrade("/"))
        await reader.readuntil(b"\r\n\r\n")
        sizes = (1, 40_000, 40_000)
        writer.write(b"".join(frame(BINARY, b"x" * size) for size in sizes))
        async with asyncio.timeout(10):
            assert (await reader.readexactly(11))[2:4] == struct.pack("!H", 1008)
        writer.write(frame(CLOSE, struct.pack("!H", 1008)))
        await until(lambda: bool(ended))
        assert ended == [(1008, "app")]
        assert server.stats().timeouts == 0
        writer.close()


async def test_the_peer_has_time_to_take_what_was_said_before_a_close() -> None:
    app = App()

    @app.websocket("/", outbox_limit_bytes=16 << 20)
    async def says_much(ws: WebSocket) -> None:
        await ws.recv()
        for _ in range(60):
            ws.send(b"x" * 100_000)

    settings = ServerSettings(close_timeout_s=0.3, write_timeout_s=10.0)
    async with serve(app, settings=settings) as server:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(sock, ("127.0.0.1", server.port))
        await loop.sock_sendall(sock, upgrade("/") + frame(TEXT, b"go"))
        received = 0
        # For longer than closing may take, a little at a time; then all of it.
        for _ in range(8):
            received += len(await loop.sock_recv(sock, 65_536))
            await asyncio.sleep(0.1)
        while piece := await loop.sock_recv(sock, 1 << 20):
            received += len(piece)
            if received >= 6_000_000 and piece.endswith(b"\x88\x02\x03\xe8"):
                break
        assert received > 6_000_000
        sock.close()


async def test_a_server_that_is_stopped_leaves_no_answer_that_looks_whole() -> None:
    app, steps = App(), list[str]()

    @app.get("/rows")
    def rows(req: Request) -> StreamingResponse:
        async def some() -> AsyncIterator[str]:
            while True:
                yield "row\n"
                await asyncio.sleep(0.01)

        return StreamingResponse(some())

    @app.lifespan
    async def lives() -> AsyncIterator[None]:
        yield
        steps.append("lifespan left")

    app.message("/", on_close=lambda ws: steps.append("closed"))(lambda ws, message: None)
    settings = ServerSettings(shutdown_timeout_s=0.2, drain_window_s=0.0)
    async with hubbub.serve(app, port=0, settings=settings) as server:
        host, _, port = server.addresses[0].removeprefix("tcp://").rpartition(":")
        open_reader, open_writer = await asyncio.open_connection(host, int(port))
        open_writer.write(upgrade("/"))
        await open_reader.readuntil(b"\r\n\r\n")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /rows HTTP/1.0\r\n\r\n")
        await reader.readuntil(b"row\n")
        taking = asyncio.create_task(reader.read(-1))
    assert steps == ["closed", "lifespan left"]
    with pytest.raises(ConnectionResetError):
        await taking
    for one in (writer, open_writer):
        one.close()
        with suppress(OSError):
            await one.wait_closed()
