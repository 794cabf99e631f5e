"""`@app.websocket`: a coroutine per connection."""

import asyncio
from uuid import UUID

import pytest

from hubbub import App, ConnectionClosed, HandshakeRejected, WebSocket
from hubbub.testing import TestServer, serve

from .conftest import Failing

pytestmark = pytest.mark.anyio

app = App()
log: list[str] = []


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    log.clear()


@app.websocket("/echo")
async def echo(ws: WebSocket) -> None:
    async for message in ws:
        await ws.send(message)
    log.append(f"{ws.close_code} {ws.close_reason} {ws.closed_by} {ws.is_open}")


@app.websocket("/recv")
async def recv(ws: WebSocket) -> None:
    try:
        while True:
            ws.send(await ws.recv())
    except ConnectionClosed as closed:
        log.append(f"{closed.code} {closed.reason}")


@app.websocket("/text")
async def text(ws: WebSocket) -> None:
    async for message in ws.text():
        ws.send(message.upper())


@app.websocket("/binary")
async def binary(ws: WebSocket) -> None:
    async for message in ws.binary():
        ws.send(message * 2)


@app.websocket("/returns")
async def returns(ws: WebSocket) -> None:
    ws.send("bye")


@app.websocket("/fails")
async def fails(ws: WebSocket) -> None:
    ws.send("soon")
    await asyncio.sleep(0)
    raise ZeroDivisionError


@app.websocket("/waits")
async def waits(ws: WebSocket) -> None:
    ws.send("waiting")
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        log.append("cancelled")
        raise


@app.websocket("/spawns")
async def spawns(ws: WebSocket) -> None:
    async def beside() -> None:
        try:
            ws.send("beside")
            await asyncio.Event().wait()
        finally:
            log.append("spawned task ended")

    ws.spawn(beside())
    async for _ in ws:
        pass


@app.websocket("/rooms/{room}/{number}")
async def room(
    ws: WebSocket, room: str, number: int, name: str = "guest", ticket: UUID | None = None
) -> None:
    ws.send(f"{room} {number + 1} {name} {ticket}")


@app.websocket("/closes")
async def closes(ws: WebSocket) -> None:
    async for reason in ws.text():
        ws.close(4001, reason)
        assert not ws.send("too late")
        assert ws.send("too late").status == "closed"
        assert not await ws.send("too late")


async def ended(entry: str) -> None:
    async with asyncio.timeout(5):
        while entry not in log:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("path", ["/echo", "/recv"])
async def test_messages_come_one_after_the_other(path: str) -> None:
    async with serve(app) as server, server.connect(path) as client:
        for number in range(1_000):
            client.send(str(number))
        assert [await client.receive() for _ in range(1_000)] == [str(n) for n in range(1_000)]


async def test_iteration_ends_with_the_connection() -> None:
    async with serve(app) as server:
        async with server.connect("/echo") as client:
            client.ws.close(4000, "enough")
        await ended("4000 enough peer False")


async def test_recv_raises_at_the_end() -> None:
    async with serve(app) as server:
        async with server.connect("/recv") as client:
            client.ws.close(4000, "enough")
        await ended("4000 enough")


async def test_text_and_binary_refuse_the_other() -> None:
    async with serve(app) as server:
        async with server.connect("/text") as client:
            client.send("x")
            assert await client.receive() == "X"
            client.send(b"x")
            assert await client.wait_closed() == 1003
        async with server.connect("/binary") as client:
            client.send(b"x")
            assert await client.receive() == b"xx"
            client.send("x")
            assert await client.wait_closed() == 1003


async def test_returning_closes_in_order() -> None:
    async with serve(app) as server, server.connect("/returns") as client:
        assert await client.receive() == "bye"
        assert await client.wait_closed() == 1000
        assert client.ws.closed_by == "peer"


async def test_an_exception_is_1011(failing: Failing) -> None:
    async with failing(app, ZeroDivisionError) as server, server.connect("/fails") as client:
        assert await client.receive() == "soon"
        assert await client.wait_closed() == 1011


async def test_a_handler_that_waits_elsewhere_is_cancelled() -> None:
    async with serve(app) as server:
        async with server.connect("/waits") as client:
            assert await client.receive() == "waiting"
        await ended("cancelled")


async def test_spawned_tasks_die_with_the_connection() -> None:
    async with serve(app) as server:
        async with server.connect("/spawns") as client:
            assert await client.receive() == "beside"
        await ended("spawned task ended")


async def test_closing_from_the_handler() -> None:
    async with serve(app) as server, server.connect("/closes") as client:
        client.send("because")
        assert await client.wait_closed() == 4001
        assert client.ws.close_reason == "because"


TICKET = "12345678-1234-5678-1234-567812345678"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/rooms/lobby/1", "lobby 2 guest None"),
        ("/rooms/lobby/1?name=Ada", "lobby 2 Ada None"),
        (f"/rooms/a%20b/41?name=Ad%C3%A4+L&ticket={TICKET}", f"a b 42 Adä L {TICKET}"),
    ],
)
async def test_parameters(path: str, answer: str) -> None:
    async with serve(app) as server, server.connect(path) as client:
        assert await client.receive() == answer


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/rooms/lobby/one", 404),
        ("/rooms/lobby", 404),
        ("/rooms/lobby/1?ticket=x", 400),
        ("/no/such/path", 404),
    ],
)
async def test_parameters_that_do_not_fit_are_refused_before_the_101(
    path: str, status: int
) -> None:
    async with serve(app) as server:
        assert await refusal(server, path) == status


async def refusal(server: TestServer, path: str) -> int:
    with pytest.raises(HandshakeRejected) as refused:
        async with server.connect(path):
            pass
    return refused.value.status


async def test_what_a_connection_tells_of_itself() -> None:
    app = App()
    seen: list[WebSocket] = []

    @app.websocket("/x/{y}")
    async def handler(ws: WebSocket) -> None:
        seen.append(ws)
        assert ws.is_open
        assert ws.close_code is None
        assert ws.closed_by is None
        assert ws.path == ws.request.path == "/x/z"
        assert ws.params == {"y": "z"}
        assert ws.request.query == {"a": "2"}
        assert ws.request.query_string == "a=1&a=2"
        assert ws.request.headers["x-one"] == "1"
        assert ws.request.cookies == {"c": "d"}
        assert ws.peer.startswith("127.0.0.1:")
        assert ws.data is None
        ws.data = {"any": "thing"}
        assert ws.data == {"any": "thing"}
        assert ws.topics == ()
        assert ws.buffered < 1_000
        ws.send("ready")
        async for _ in ws:
            pass

    async with serve(app) as server:
        headers = {"X-One": "1", "Cookie": "c=d"}
        async with server.connect("/x/z?a=1&a=2", headers=headers) as client:
            assert await client.receive() == "ready"
    (ws,) = seen
    assert (ws.close_code, ws.closed_by, ws.is_open) == (1000, "peer", False)
    assert isinstance(ws.id, int)
