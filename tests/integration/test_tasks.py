"""A handler's Task: the engine steps its coroutine past it, and nothing may be seen of that.

What a handler may ask of its Task and do to it; `test_coroutines` has what it does with messages.
"""

import asyncio
import contextlib
import contextvars
import gc
import inspect
import io
import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from hubbub import App, ConnectionClosed, Misuse, WebSocket
from hubbub.testing import TestServer, serve

from ..waiting import until
from .conftest import Failing

pytestmark = pytest.mark.anyio


def since_3_12(test: Any) -> Any:
    """There is nothing to test before: asyncio has no eager tasks, and inspect takes no marks."""
    return test if sys.version_info >= (3, 12) else None


Client = Any
Handler = Callable[[WebSocket], Awaitable[None]]


@asynccontextmanager
async def talking(handler: Handler) -> AsyncIterator[tuple[TestServer, Client]]:
    """A server with this one handler, and a client of it."""
    app = App()
    app.websocket("/")(handler)
    async with serve(app) as server, server.connect("/") as client:
        yield server, client


async def answers(client: Client, *messages: str) -> list[str]:
    """What comes back for each, one after the other: every one is a step of its own."""
    replies = []
    for message in messages:
        client.send(message)
        replies.append(await client.receive())
    return replies


def this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def test_the_current_task_is_the_handlers() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def handler(ws: WebSocket) -> None:
        async for message in ws:
            tasks.append(this_task())
            ws.send(message)

    async with talking(handler) as (_, client):
        mine = this_task()
        assert await answers(client, *"abc") == [*"abc"]
        assert len(set(tasks)) == 1
        assert tasks[0] is not mine
        assert tasks[0] in asyncio.all_tasks()
        assert this_task() is mine
    await until(tasks[0].done)


async def test_context_variables_last_from_message_to_message() -> None:
    count = contextvars.ContextVar("count", default=0)

    async def handler(ws: WebSocket) -> None:
        async for _ in ws:
            count.set(count.get() + 1)
            ws.send(str(count.get()))

    async with talking(handler) as (_, client):
        assert await answers(client, *"xxx") == ["1", "2", "3"]
        assert count.get() == 0


async def test_a_task_can_be_looked_at_while_it_waits() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def talkative(ws: WebSocket) -> None:
        tasks.append(this_task())
        async for message in ws:
            ws.send(message)

    async with talking(talkative) as (_, client):
        assert await answers(client, *"ab") == ["a", "b"]
        (task,) = tasks
        coroutine = task.get_coro()
        assert asyncio.iscoroutine(coroutine)
        assert coroutine.__qualname__.endswith("talkative")
        assert "talkative" in repr(coroutine)
        assert "talkative() running at" in repr(task)
        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_SUSPENDED
        assert [frame.f_code.co_name for frame in task.get_stack()] == ["talkative"]
        printed = io.StringIO()
        task.print_stack(file=printed)
        assert "async for message in ws" in printed.getvalue()


@pytest.mark.parametrize("messages", [0, 2])
async def test_cancelling_while_it_waits_for_a_message(messages: int) -> None:
    tasks: list[asyncio.Task[Any]] = []
    seen: list[str] = []

    async def handler(ws: WebSocket) -> None:
        tasks.append(this_task())
        ws.send("ready")
        try:
            async for message in ws:
                ws.send(message)
        except asyncio.CancelledError as cancelled:
            seen.append(cancelled.args[0])
            raise

    async with talking(handler) as (_, client):
        assert await client.receive() == "ready"
        assert await answers(client, *"ab"[:messages]) == [*"ab"[:messages]]
        assert tasks[0].cancel("enough")
        assert await client.wait_closed() == 1000
    assert seen == ["enough"]
    assert tasks[0].cancelled()


async def test_a_cancellation_survived_goes_on_reading() -> None:
    tasks: list[asyncio.Task[Any]] = []

    async def handler(ws: WebSocket) -> None:
        tasks.append(this_task())
        while ws.is_open:
            try:
                async for message in ws:
                    ws.send(message)
            except asyncio.CancelledError:
                ws.send("not yet")

    async with talking(handler) as (_, client):
        assert await answers(client, *"ab") == ["a", "b"]
        for _ in range(2):
            tasks[0].cancel()
            assert await client.receive() == "not yet"
            assert await answers(client, *"cd") == ["c", "d"]


@pytest.mark.parametrize("then", ["read", "sleep", "wait", "return", "raise", "await a task"])
async def test_cancelling_oneself_takes_effect_at_the_next_await(then: str) -> None:
    seen: list[str] = []
    tasks: list[asyncio.Task[Any]] = []
    inner: list[asyncio.Task[Any]] = []

    async def after_cancelling(ws: WebSocket) -> None:
        match then:
            case "read":
                await ws.recv()
            case "sleep":
                await asyncio.sleep(0)
            case "wait":
                await asyncio.get_running_loop().create_future()
            case "raise":
                raise ZeroDivisionError
            case "await a task":
                inner.append(asyncio.create_task(asyncio.Event().wait()))
                await inner[0]

    async def handler(ws: WebSocket) -> None:
        tasks.append(this_task())
        async for message in ws:
            ws.send(message)
            if message == "now":
                this_task().cancel("mine")
                seen.append("goes on")
                try:
                    await after_cancelling(ws)
                except asyncio.CancelledError as cancelled:
                    seen.append(str(cancelled))
                    raise
                return

    async with talking(handler) as (server, client):
        assert await answers(client, "a", "b", "now") == ["a", "b", "now"]
        await client.wait_closed()
        await until(tasks[0].done)
        if then == "raise":
            # An exception is told, cancelled or not.
            assert [type(error) for error in server.exceptions] == [ZeroDivisionError]
            server.exceptions.clear()
            return
        assert tasks[0].cancelled()
        # asyncio itself drops the message where the cancellation meets the end.
        assert seen == ["goes on"] if then == "return" else ["goes on", "mine"]
        assert all(task.cancelled() for task in inner)


async def test_a_timeout_round_the_iteration() -> None:
    async def handler(ws: WebSocket) -> None:
        try:
            async with asyncio.timeout(None) as limit:
                async for message in ws:
                    ws.send(message)
                    limit.reschedule(asyncio.get_running_loop().time() + 0.01)
        except TimeoutError:
            ws.send("too slow")
            assert this_task().cancelling() == 0
            async for message in ws:
                ws.send(f"late {message}")

    async with talking(handler) as (_, client):
        assert await answers(client, "a") == ["a"]
        assert await client.receive() == "too slow"
        assert await answers(client, *"bc") == ["late b", "late c"]


async def test_anyios_cancel_scopes() -> None:
    async def handler(ws: WebSocket) -> None:
        async for message in ws:
            with anyio.move_on_after(0.001) as scope:
                await ws.recv()
            ws.send(f"{message} {scope.cancelled_caught}")
            with anyio.CancelScope() as scope:
                scope.cancel()
                await ws.recv()
            ws.send(f"{message} {scope.cancelled_caught}")

    async with talking(handler) as (_, client):
        for _ in range(3):
            client.send("a")
            assert [await client.receive(), await client.receive()] == ["a True", "a True"]


async def test_waiting_in_a_task_of_its_own() -> None:
    async def handler(ws: WebSocket) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                try:
                    message = await asyncio.wait_for(ws.recv(), 0.02)
                except TimeoutError:
                    ws.send("none")
                    message = await ws.recv()
                ws.send(message)

    async with talking(handler) as (_, client):
        for _ in range(2):
            assert await client.receive() == "none"
            assert await answers(client, "a") == ["a"]


async def test_helpers_read_as_well() -> None:
    async def two(ws: WebSocket) -> str:
        words = []
        async for message in ws.text():
            words.append(message)
            if len(words) == 2:
                break
        return " ".join(words)

    async def pairs(ws: WebSocket) -> AsyncIterator[str]:
        while ws.is_open:
            yield await two(ws)

    async def handler(ws: WebSocket) -> None:
        async for pair in pairs(ws):
            ws.send(pair)

    async with talking(handler) as (_, client):
        for _ in range(3):
            client.send("a")
            assert await answers(client, "b") == ["a b"]


async def test_awaiting_other_things_between_messages() -> None:
    async def handler(ws: WebSocket) -> None:
        async with asyncio.TaskGroup() as group:
            async for message in ws.text():
                match message:
                    case "sleep":
                        await asyncio.sleep(0)
                    case "wait":
                        await asyncio.sleep(0.001)
                    case "group":
                        done = group.create_task(asyncio.sleep(0.001, "group"))
                        assert await done == "group"
                    case "closed":
                        await asyncio.gather(ws.send("closed"), asyncio.sleep(0))
                        continue
                    case _:
                        pass
                ws.send(message)

    async with talking(handler) as (_, client):
        words = ["a", "sleep", "b", "wait", "c", "group", "closed", "sleep", "a", "group"]
        assert await answers(client, *words) == words


async def test_a_failing_group_cancels_the_iteration(failing: Failing) -> None:
    app = App()
    seen: list[str] = []

    async def fail() -> None:
        raise ZeroDivisionError

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        async with asyncio.TaskGroup() as group:
            try:
                async for message in ws:
                    ws.send(message)
                    if message == "fail":
                        group.create_task(fail())
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

    async with failing(app, ExceptionGroup) as server, server.connect("/") as client:
        assert await answers(client, "a", "fail") == ["a", "fail"]
        assert await client.wait_closed() == 1011
    assert seen == ["cancelled"]


async def test_an_exception_out_of_a_step(failing: Failing) -> None:
    app = App()
    tasks: list[asyncio.Task[Any]] = []

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        tasks.append(this_task())
        async for message in ws.text():
            ws.send(str(1 // int(message)))

    async with failing(app, ZeroDivisionError) as server, server.connect("/") as client:
        assert await answers(client, "1", "2") == ["1", "0"]
        client.send("0")
        assert await client.wait_closed() == 1011
        await until(tasks[0].done)
        error = tasks[0].exception()
        assert isinstance(error, ZeroDivisionError)
        assert error.__traceback__ is not None
        names = []
        frame = error.__traceback__
        while frame is not None:
            names.append(frame.tb_frame.f_code.co_name)
            frame = frame.tb_next
        assert names[-1] == "handler"


async def test_two_tasks_may_take_turns_but_not_wait_at_once() -> None:
    async def handler(ws: WebSocket) -> None:
        async for message in ws.text():
            other = asyncio.ensure_future(wait(ws.recv()))
            if message == "both":
                await asyncio.sleep(0)
                with pytest.raises(Misuse, match="two tasks wait"):
                    await ws.recv()
                ws.send("no")
            ws.send(f"{message} {await other}")

    async def wait(message: Awaitable[Any]) -> Any:
        return await message

    async with talking(handler) as (_, client):
        for _ in range(2):
            client.send("a")
            assert await answers(client, "b") == ["a b"]
            assert await answers(client, "both") == ["no"]
            assert await answers(client, "c") == ["both c"]


@since_3_12
async def test_an_eager_task_waits_in_the_handlers_place() -> None:
    async def handler(ws: WebSocket) -> None:
        loop = asyncio.get_running_loop()
        async for message in ws.text():

            async def wait() -> Any:
                return await ws.recv()

            task = asyncio.Task(wait(), loop=loop, eager_start=True)
            if message == "cancel":
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                ws.send("cancelled")
            else:
                ws.send(f"{message} {await task}")

    async with talking(handler) as (_, client):
        for _ in range(2):
            client.send("a")
            assert await answers(client, "b", "cancel") == ["a b", "cancelled"]


async def test_messages_of_another_connection() -> None:
    """A bridge: one handler reads what another connection gets."""
    app = App()
    upstreams: list[WebSocket] = []

    @app.websocket("/up")
    async def up(ws: WebSocket) -> None:
        upstreams.append(ws)
        await ws.wait_closed()

    @app.websocket("/down")
    async def down(ws: WebSocket) -> None:
        async for message in upstreams[0]:
            ws.send(message)
        ws.send("end")
        async for message in ws:
            ws.send(message)

    async with serve(app) as server, server.connect("/up") as above:
        await until(lambda: upstreams)
        async with server.connect("/down") as below:
            for word in "abc":
                above.send(word)
                assert await below.receive() == word
            above.ws.close()
            assert await below.receive() == "end"
            assert await answers(below, *"de") == ["d", "e"]


async def test_in_asyncios_debug_mode() -> None:
    async def handler(ws: WebSocket) -> None:
        async for message in ws:
            ws.send(message)
            await asyncio.sleep(0)

    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    try:
        async with talking(handler) as (_, client):
            assert await answers(client, *"abc") == ["a", "b", "c"]
    finally:
        loop.set_debug(False)


async def test_nothing_is_left_of_a_handler() -> None:
    left: list[weakref.ref[Any]] = []

    async def handler(ws: WebSocket) -> None:
        task = this_task()
        left.extend([weakref.ref(task), weakref.ref(task.get_coro()), weakref.ref(ws)])
        del task
        texts = ws.text()
        ws.data = {"socket": ws, "messages": texts}
        async for message in texts:
            ws.send(message)

    async with talking(handler) as (_, client):
        assert await answers(client, *"abc") == ["a", "b", "c"]
    await until(lambda: gc.collect() + 1 and not any(one() for one in left))


@since_3_12
async def test_a_handler_that_only_resembles_a_coroutine() -> None:
    app = App()

    class Resembling:
        """What a compiler other than CPython's may make of `async def`."""

        def __init__(self, coroutine: Any) -> None:
            self.coroutine = coroutine

        def __await__(self) -> Any:
            return self.coroutine.__await__()

        def send(self, value: Any) -> Any:
            return self.coroutine.send(value)

        def throw(self, *error: Any) -> Any:
            return self.coroutine.throw(*error)

        def close(self) -> None:
            self.coroutine.close()

    async def talk(ws: WebSocket) -> None:
        async for message in ws:
            ws.send(message)

    def handler(ws: WebSocket) -> Any:
        return Resembling(talk(ws))

    inspect.markcoroutinefunction(handler)
    app.websocket("/")(handler)
    async with serve(app) as server, server.connect("/") as client:
        assert await answers(client, *"abc") == ["a", "b", "c"]
