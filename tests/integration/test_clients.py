"""Both sides against an independent implementation: the `websockets` library."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect as foreign_connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as foreign_serve

import hubbub
from hubbub import (
    App,
    ConnectionClosed,
    HandshakeRejected,
    HandshakeTimeout,
    WebSocket,
)
from hubbub.testing import serve
from tests.strangers import stranger

pytestmark = pytest.mark.anyio

app = App()


@app.message("/echo", subprotocols=("chat",))
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    return msg


@app.websocket("/later")
async def later(ws: WebSocket) -> None:
    async for message in ws:
        await asyncio.sleep(0)
        await ws.send(message)


@app.websocket("/rtt")
async def rtt(ws: WebSocket) -> None:
    ws.ping()
    async with asyncio.timeout(5):
        while ws.rtt is None:
            await asyncio.sleep(0.001)
    ws.send("answered")


MESSAGES = ["", "hello", "ünï🎈", b"\x00\xff", "x" * 200_000, b"y" * 200_000]


@pytest.mark.parametrize("path", ["/echo", "/later"])
@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_foreign_client(path: str, compression: str | None) -> None:
    async with serve(app) as server:
        async with foreign_connect(server.ws_url + path, compression=compression) as client:
            for message in MESSAGES:
                await client.send(message)
                assert await client.recv() == message
            await client.send(["in ", "three ", "fragments"])
            assert await client.recv() == "in three fragments"
            await asyncio.wait_for(await client.ping(), 5)
        assert client.close_code == 1000


async def test_a_foreign_client_that_is_refused() -> None:
    async with serve(app) as server:
        for path, status in (("/none", 404), ("/echo", 403)):
            with pytest.raises(websockets.InvalidStatus) as refused:
                await foreign_connect(server.ws_url + path, origin="http://evil.example")
            assert refused.value.response.status_code == status


async def test_a_foreign_client_agrees_on_a_subprotocol() -> None:
    async with serve(app) as server:
        async with foreign_connect(server.ws_url + "/echo", subprotocols=["x", "chat"]) as client:
            assert client.subprotocol == "chat"


@app.message("/ping")
def ping(ws: WebSocket, msg: str) -> str:
    ws.ping()
    return str(ws.rtt is not None)


@pytest.mark.parametrize("path", ["/rtt", "/ping"])
async def test_round_trips_are_measured(path: str) -> None:
    async with serve(app) as server:
        async with foreign_connect(server.ws_url + path) as client:
            for expected in ("False", "True") if path == "/ping" else ("answered",):
                await client.send("?")
                assert await asyncio.wait_for(client.recv(), 5) == expected


@asynccontextmanager
async def foreign(handler: Any, **options: Any) -> AsyncIterator[str]:
    async with foreign_serve(handler, "127.0.0.1", 0, **options) as server:
        (sock,) = server.sockets
        yield f"ws://127.0.0.1:{sock.getsockname()[1]}"


async def foreign_echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


@pytest.mark.parametrize("compression", ["off", "shared", "dedicated"])
async def test_our_client_at_a_foreign_server(compression: Any) -> None:
    async with foreign(foreign_echo) as url:
        async with hubbub.connect(url, compression=compression) as ws:
            for message in MESSAGES:
                ws.send(message)
                assert await asyncio.wait_for(ws.recv(), 5) == message
        assert (ws.close_code, ws.closed_by) == (1000, "app")


async def test_our_client_iterates_to_the_end() -> None:
    async def three(connection: ServerConnection) -> None:
        for number in range(3):
            await connection.send(str(number))
        await connection.close(4321, "that was all")

    async with foreign(three) as url:
        ws = await hubbub.connect(url)
        assert [message async for message in ws] == ["0", "1", "2"]
        assert (ws.close_code, ws.close_reason, ws.closed_by) == (4321, "that was all", "peer")
        with pytest.raises(ConnectionClosed):
            await ws.recv()


async def test_our_client_sends_what_it_was_told() -> None:
    async def tell(connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        await connection.send(f"{request.path} {request.headers['X-One']} {connection.subprotocol}")

    async with foreign(tell, subprotocols=["chat"]) as url:
        connecting = hubbub.connect(
            url + "/a/b?c=d", headers={"X-One": "1"}, subprotocols=("chat", "x")
        )
        async with connecting as ws:
            assert await ws.recv() == "/a/b?c=d 1 chat"


async def test_our_client_that_is_refused() -> None:
    def refuse(connection: ServerConnection, request: object) -> Any:
        return connection.respond(418, "short and stout\n")

    async with foreign(foreign_echo, process_request=refuse) as url:
        with pytest.raises(HandshakeRejected) as refused:
            await hubbub.connect(url)
        assert refused.value.status == 418


async def test_nobody_there() -> None:
    async with serve(app) as server:
        url = server.ws_url
    with pytest.raises(ConnectionRefusedError):
        await hubbub.connect(url)


@asynccontextmanager
async def speaking(words: bytes, *, then_close: bool = False) -> AsyncIterator[str]:
    """A TCP server that says this to everybody, whatever it is told."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        if not then_close:
            await reader.read()

    async with stranger(speak) as port:
        yield f"ws://127.0.0.1:{port}/"


async def test_a_server_that_says_nothing() -> None:
    async with speaking(b"") as url:
        with pytest.raises(HandshakeTimeout):
            await hubbub.connect(url, timeout="100ms")


@pytest.mark.parametrize("words", [b"220 smtp ready\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b""])
async def test_a_server_that_says_something_else(words: bytes) -> None:
    async with speaking(words, then_close=True) as url:
        with pytest.raises((hubbub.Failure, OSError)) as failed:
            await hubbub.connect(url, timeout="5s")
    assert not isinstance(failed.value, HandshakeTimeout)


async def test_giving_up_while_connecting_leaves_nothing() -> None:
    async with speaking(b"") as url:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await hubbub.connect(url)


async def test_an_exception_inside_closes_with_1011() -> None:
    codes: list[int | None] = []

    async def watch(connection: ServerConnection) -> None:
        await connection.wait_closed()
        codes.append(connection.close_code)

    async with foreign(watch) as url:
        with pytest.raises(ZeroDivisionError):
            async with hubbub.connect(url):
                raise ZeroDivisionError
    assert codes == [1011]


async def test_connections_of_our_own_outlive_a_server_in_the_same_loop() -> None:
    async with foreign(foreign_echo) as url:
        async with hubbub.connect(url) as ws:
            async with serve(app):
                pass
            ws.send("still here")
            assert await asyncio.wait_for(ws.recv(), 5) == "still here"
