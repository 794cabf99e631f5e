"""`@app.message`: a function per message."""

import asyncio

import pytest

from hubbub import App, ConnectionClosed, WebSocket
from hubbub.testing import serve

from .conftest import Failing

pytestmark = pytest.mark.anyio

app = App()


@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    return msg


@app.message("/upper")
def upper(ws: WebSocket, msg: str) -> str:
    return msg.upper()


@app.message("/size")
def size(ws: WebSocket, msg: bytes) -> str:
    return str(len(msg))


@app.message("/silent")
def silent(ws: WebSocket, msg: str | bytes) -> None:
    ws.send(f"got {len(msg)}")


@app.message("/slow")
async def slow(ws: WebSocket, msg: str | bytes) -> str | bytes:
    await asyncio.sleep(0.001 if msg == "first" else 0)
    return msg


@app.message("/rooms/{room}")
def room(ws: WebSocket, msg: str) -> str:
    return ws.params["room"]


@app.message("/fails")
def fails(ws: WebSocket, msg: str) -> str:
    return str(1 / int(msg))


@app.message("/fails-later")
async def fails_later(ws: WebSocket, msg: str) -> str:
    await asyncio.sleep(0)
    return str(1 / int(msg))


@app.message("/wrong")
def wrong(ws: WebSocket, msg: str) -> str:
    return 7  # type: ignore[return-value]


MESSAGES = ["", "hello", "ünïcödé 漢字 🎈", b"", b"\x00\xff", "x" * 65_536, b"y" * 300_000]


async def test_replies_are_what_was_returned() -> None:
    async with serve(app) as server, server.connect("/echo") as client:
        for message in MESSAGES:
            client.send(message)
            assert await client.receive() == message


LARGE = [bytes(range(251)) * 4000 + bytes(size) for size in (0, 1, 44_576)]
"""Of a megabyte: put together while they arrive."""


async def test_large_messages_come_whole_and_in_their_places() -> None:
    async with serve(app) as server:
        async with server.connect("/echo") as a, server.connect("/echo") as b:
            sent: list[str | bytes] = [*LARGE, "between", LARGE[0][:524_288], *LARGE, b"last"]
            for message in sent:
                for client in (a, b):
                    client.send(message)
                    assert await client.receive() == message
            for message in sent:
                a.send(message)
                assert await a.receive() == message
        async with server.connect("/size") as client:
            for message in LARGE:
                client.send(message)
                assert await client.receive() == str(len(message))


async def test_many_in_flight_keep_their_order() -> None:
    async with serve(app) as server, server.connect("/echo") as client:
        for number in range(2_000):
            client.send(str(number))
        for number in range(2_000):
            assert await client.receive() == str(number)


async def test_an_async_handler_keeps_the_order_too() -> None:
    async with serve(app) as server, server.connect("/slow") as client:
        for message in ("first", "second", b"third"):
            client.send(message)
        assert [await client.receive() for _ in range(3)] == ["first", "second", b"third"]


async def test_nothing_returned_is_nothing_sent() -> None:
    async with serve(app) as server, server.connect("/silent") as client:
        client.send("four")
        assert await client.receive() == "got 4"


async def test_parameters_of_the_path() -> None:
    async with serve(app) as server, server.connect("/rooms/gr%C3%BCn") as client:
        client.send("?")
        assert await client.receive() == "grün"


@pytest.mark.parametrize(("path", "fits", "other"), [("/upper", "x", b"x"), ("/size", b"x", "x")])
async def test_the_kind_that_is_not_named_closes(path: str, fits: str, other: str) -> None:
    async with serve(app) as server, server.connect(path) as client:
        client.send(fits)
        assert await client.receive() in ("X", "1")
        client.send(other)
        assert await client.wait_closed() == 1003


@pytest.mark.parametrize("path", ["/fails", "/fails-later"])
async def test_an_exception_closes_its_connection_alone(path: str, failing: Failing) -> None:
    async with failing(app, ZeroDivisionError) as server:
        async with server.connect(path) as healthy, server.connect(path) as client:
            client.send("2")
            assert await client.receive() == "0.5"
            client.send("0")
            with pytest.raises(ConnectionClosed) as closed:
                await client.receive()
            assert (closed.value.code, closed.value.reason) == (1011, "")
            healthy.send("4")
            assert await healthy.receive() == "0.25"


async def test_the_test_hears_of_exceptions() -> None:
    with pytest.raises(ZeroDivisionError):
        async with serve(app) as server, server.connect("/fails") as client:
            client.send("0")
            await client.wait_closed()


async def test_a_reply_of_another_type_is_an_exception(failing: Failing) -> None:
    async with failing(app, TypeError) as server, server.connect("/wrong") as client:
        client.send("?")
        assert await client.wait_closed() == 1011


async def test_hooks_around_a_connection() -> None:
    app, events = App(), list[str]()

    def opened(ws: WebSocket) -> None:
        events.append("open")
        ws.send("welcome")

    def closed(ws: WebSocket) -> None:
        events.append(f"close {ws.close_code} {ws.close_reason} {ws.closed_by}")

    @app.message("/", on_open=opened, on_close=closed)
    def handler(ws: WebSocket, msg: str) -> None:
        events.append(msg)

    async with serve(app) as server, server.connect("/") as client:
        assert await client.receive() == "welcome"
        client.send("hi")
        client.ws.close(4000, "enough")
        await client.wait_closed()
    assert events == ["open", "hi", "close 4000 enough peer"]
