"""Worse than an exception in a handler: panics of ours, and what is meant to end the program."""

import asyncio
from typing import Any

import pytest

from hubbub import App, HandshakeRejected, Misuse, Reject, Request, WebSocket
from hubbub.testing import serve

from ..serving import served
from ..wire import TEXT, frame, open_websocket, receive_frame

EXIT_APP = "tests/integration/exit_app.py:app"
EXIT_TIMEOUT_S = 20.0


class Told(BaseException):
    """Neither an exception nor a panic."""


async def panics() -> list[BaseException]:
    """What handlers see of panics: every module made with PyO3 has a class of its own for them.

    Ours is made when an exception is first looked at.
    """
    app = App()

    @app.message("/")
    def fails(ws: WebSocket, message: str) -> None:
        raise ZeroDivisionError

    async with serve(app) as server, server.connect("/") as client:
        client.send("now")
        assert await client.wait_closed() == 1011
        server.exceptions.clear()
    kinds = [one for one in BaseException.__subclasses__() if one.__name__ == "PanicException"]
    assert kinds
    return [kind("provoked") for kind in kinds]


@pytest.mark.anyio
async def test_a_panic_is_the_affair_of_one_handler() -> None:
    for provoked in await panics():
        await panicking(provoked)


async def panicking(provoked: BaseException) -> None:
    app = App()

    def refuse(request: Request) -> None:
        raise provoked

    @app.message("/function")
    def function(ws: WebSocket, message: str) -> None:
        raise provoked

    @app.websocket("/coroutine")
    async def coroutine(ws: WebSocket) -> None:
        async for _ in ws:
            raise provoked

    @app.message("/refuses", auth=refuse)
    def refuses(ws: WebSocket, message: str) -> None:
        """Is never called."""

    @app.get("/page")
    def page(request: Request) -> None:
        raise provoked

    @app.get("/page-later")
    async def page_later(request: Request) -> None:
        raise provoked

    @app.message("/echo")
    def echo(ws: WebSocket, message: str) -> str:
        return message

    async with serve(app) as server, server.connect("/echo") as other:
        for path in ("/function", "/coroutine"):
            async with server.connect(path) as client:
                client.send("now")
                assert await client.wait_closed() == 1011
        for path in ("/page", "/page-later"):
            assert (await server.get(path)).status == 500
        with pytest.raises(HandshakeRejected) as refused:
            async with server.connect("/refuses"):
                pass
        assert refused.value.status == 500
        other.send("still here")
        assert await other.receive() == "still here"
        assert server.stats().panics == 5
        assert [str(error) for error in server.exceptions] == ["provoked"] * 5
        server.exceptions.clear()


@pytest.mark.parametrize("path", ["/function", "/coroutine", "/coroutine-later"])
@pytest.mark.parametrize("threads", ["1", "2"])
def test_what_is_meant_to_end_the_program_does(path: str, threads: str) -> None:
    """Out of a step that the engine makes in a Task's place as well."""
    with served(EXIT_APP, "--threads", threads) as server:
        with open_websocket(server.address, path) as one:
            for word in (b"a", b"b"):
                one.sendall(frame(TEXT, word))
                assert receive_frame(one).payload == word
            one.sendall(frame(TEXT, b"exit"))
            assert server.process.wait(EXIT_TIMEOUT_S) == 7


@pytest.mark.anyio
@pytest.mark.parametrize("fault", [asyncio.CancelledError("found"), Told("found")])
async def test_a_function_has_its_base_exceptions_to_itself(fault: BaseException) -> None:
    """As `Future.result` raises one of what was cancelled."""
    app = App()

    @app.message("/function")
    def function(ws: WebSocket, message: str) -> None:
        raise fault

    @app.message("/opens", on_open=lambda ws: function(ws, ""))
    def opens(ws: WebSocket, message: str) -> None: ...

    @app.get("/page")
    def page(request: Request) -> None:
        raise fault

    async with serve(app) as server:
        async with server.connect("/function") as client:
            client.send("now")
            assert await client.wait_closed() == 1011
        async with server.connect("/opens") as client:
            assert await client.wait_closed() == 1011
        assert (await server.get("/page")).status == 500
        assert [str(error) for error in server.exceptions] == ["found"] * 3
        server.exceptions.clear()


@pytest.mark.anyio
async def test_a_refusal_that_is_no_text_is_the_fault_of_who_refuses() -> None:
    app = App()
    kept = Reject(403, "no")
    kept.reason = 5  # type: ignore[assignment]

    def refuse(request: Request) -> None:
        raise kept

    async def refuse_later(request: Request) -> None:
        raise kept

    app.message("/", auth=refuse)(lambda ws, message: None)
    app.message("/later", auth=refuse_later)(lambda ws, message: None)
    async with serve(app) as server:
        for path in ("/", "/later"):
            with pytest.raises(HandshakeRejected) as refused:
                await server.connect(path).__aenter__()
            assert refused.value.status == 500
        assert [type(error) for error in server.exceptions] == [TypeError] * 2
        server.exceptions.clear()
    for reason, headers in (("", {"retry-after": 5}), (ValueError("x"), None)):
        with pytest.raises(Misuse, match="told in texts"):
            Reject(429, reason, headers=headers)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_a_task_keeps_its_other_base_exceptions() -> None:
    app = App()
    tasks: list[asyncio.Task[Any] | None] = []

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        tasks.append(asyncio.current_task())
        async for _ in ws:
            raise Told

    async with serve(app) as server, server.connect("/") as client:
        client.send("now")
        assert await client.wait_closed() == 1011
        assert [type(error) for error in server.exceptions] == [Told]
        server.exceptions.clear()
    (task,) = tasks
    assert task is not None
    assert isinstance(task.exception(), Told)
