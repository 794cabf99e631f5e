"""Access lines: one for each request and each WebSocket's beginning and end, with its fields."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest

import hubbub
from hubbub import App, Request, ServerSettings, StreamingResponse, WebSocket
from hubbub.testing import TestServer, serve

from ..wire import connect, open_websocket, receive_all

pytestmark = pytest.mark.anyio


def app() -> App:
    app = App()

    @app.get("/hello/{name}")
    def hello(request: Request, name: str) -> str:
        return f"hello, {name}"

    @app.get("/pieces")
    def pieces(request: Request) -> StreamingResponse:
        async def all_of_them() -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 1000

        return StreamingResponse(all_of_them())

    @app.post("/never")
    async def never(request: Request) -> None:
        await asyncio.Event().wait()

    @app.message("/echo")
    def echo(ws: WebSocket, message: str) -> str:
        return message

    return app


class Heard(logging.Handler):
    """The access lines' fields, as a collector of logs gets them."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append({**vars(record), "text": record.getMessage()})

    async def until(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(5):
            while len(self.lines) < count:
                await asyncio.sleep(0.01)
        return self.lines


@pytest.fixture
def heard() -> Any:
    access, handler = logging.getLogger("hubbub.access"), Heard()
    before = access.level
    access.setLevel(logging.INFO)
    access.addHandler(handler)
    yield handler
    access.removeHandler(handler)
    access.setLevel(before)


async def send(server: TestServer, request: bytes) -> bytes:
    def talk() -> bytes:
        with closing(connect(f"127.0.0.1:{server.port}")) as connection:
            connection.sendall(request)
            return receive_all(connection)

    return await asyncio.to_thread(talk)


async def test_requests(heard: Heard) -> None:
    async with serve(app()) as server:
        await server.get("/hello/ada?token=secret")
        await server.request("HEAD", "/hello/ada")
        await server.get("/nowhere")
        await server.get("/pieces")
        await send(server, b"nonsense\r\n\r\n")
        lines = await heard.until(5)
    told = sorted((line["method"], line["path"], line["status"], line["bytes"]) for line in lines)
    assert told == [
        ("", "", 400, 0),
        ("GET", "/hello/ada", 200, len("hello, ada")),
        ("GET", "/nowhere", 404, len("nothing here")),
        ("GET", "/pieces", 200, 3000),
        ("HEAD", "/hello/ada", 200, 0),
    ]
    for line in lines:
        assert line["event"] == "request"
        assert line["client"] == "127.0.0.1"
        assert 0 <= line["duration_s"] < 5
        assert "secret" not in line["text"]
    assert any('127.0.0.1 "GET /hello/ada" 200 10 B ' in line["text"] for line in lines)


async def test_a_client_that_does_not_wait(heard: Heard) -> None:
    async with serve(app()) as server:
        connection = await asyncio.to_thread(connect, f"127.0.0.1:{server.port}")
        with closing(connection):
            request = b"POST /never HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"
            await asyncio.to_thread(connection.sendall, request)
            async with asyncio.timeout(5):
                while server.stats().requests == 0:
                    await asyncio.sleep(0.01)
        (line,) = await heard.until(1)
    assert (line["method"], line["path"], line["status"]) == ("POST", "/never", None)
    assert '"POST /never" gone' in line["text"]


async def test_websockets(heard: Heard) -> None:
    async with serve(app()) as server, server.connect("/echo?token=secret") as client:
        client.send("x")
        await client.receive()
        client.ws.close(4000, "tired\n")
        await client.wait_closed()
        opened, closed = await heard.until(2)
    assert (opened["event"], opened["path"], opened["client"]) == ("open", "/echo", "127.0.0.1")
    assert (closed["event"], closed["code"], closed["by"]) == ("close", 4000, "peer")
    assert closed["reason"] == "tired\n"
    assert closed["connection"] == opened["connection"]
    assert closed["duration_s"] >= 0
    assert (closed["messages_in"], closed["messages_out"]) == (1, 1)
    # A message and a close frame came, the 101 and an answer went.
    assert 6 < closed["bytes_in"] < 200 < closed["bytes_out"] < 1000
    told = f"in 1 messages {closed['bytes_in']} B, out 1 messages {closed['bytes_out']} B"
    assert closed["text"].endswith(told)
    assert "secret" not in opened["text"] + closed["text"]


@pytest.mark.parametrize("threads", [1, 2])
async def test_who_is_told_to_leave_was_told_why(heard: Heard, threads: int) -> None:
    settings = ServerSettings(threads=threads, close_timeout_s=0.2)
    async with hubbub.serve(app(), port=0, settings=settings) as server:
        polite = await hubbub.connect(server.url + "/echo")
        rude = await asyncio.to_thread(open_websocket, server.url.rpartition("/")[2])
        await heard.until(2)
    with closing(rude):
        lines = await heard.until(4)
    await polite.wait_closed()
    closed = [line for line in lines if line["event"] == "close"]
    told = {(line["code"], line["reason"], line["by"]) for line in closed}
    # The second has never answered, so that there is no code of the connection's (RFC 6455 §7.1.5).
    why = "server is shutting down"
    assert told == {(1001, why, "server"), (1006, why, "server")}


async def test_what_a_websocket_heard_is_counted(heard: Heard) -> None:
    """Publications, too, and messages that went straight to the socket."""
    talking = App()

    @talking.message("/room", on_open=lambda ws: ws.subscribe("room"))
    def say(ws: WebSocket, message: str) -> str:
        talking.publish("room", message)
        return "x" * 100_000

    async with serve(talking) as server:
        async with server.connect("/room", compression="off") as client:
            for _ in range(3):
                client.send("hello")
                await client.receive()
                await client.receive()
        _, closed = await heard.until(2)
    assert (closed["messages_in"], closed["messages_out"]) == (3, 6)
    assert 300_000 < closed["bytes_out"] < 302_000


async def test_nobody_pays_for_lines_that_nobody_reads() -> None:
    async with serve(app()) as server:
        await server.get("/hello/ada")
        stats = server.stats()
    assert stats.requests == 1
