"""What an app declares, and what it refuses to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import Struct

from hubbub.app import App
from hubbub.errors import Misuse
from hubbub.tasks import Tasks


class Said(Struct, tag="said"):
    text: str


class Hub:
    """Remembers what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str | bytes, str | None]] = []

    def publish(self, topic: str, message: str | bytes, *, key: str | None = None) -> int:
        self.published.append((topic, message, key))
        return 7

    def subscribers(self, topic: str) -> int:
        return 3


def echo(ws: object, msg: str | bytes) -> str | bytes:
    return msg


async def socket(ws: object, room: str) -> None: ...


def plain(req: object) -> None: ...


def test_routes_in_their_order() -> None:
    app = App()
    assert app.message("/echo")(echo) is echo
    assert app.websocket("/ws/{room}")(socket) is socket
    assert app.get("/x")(plain) is plain
    assert app.post("/x")(plain) is plain
    routes = [(one.path, one.kind, one.method) for one in app.declarations()]
    assert routes == [
        ("/echo", "message", "GET"),
        ("/ws/{room}", "websocket", "GET"),
        ("/x", "http", "GET"),
        ("/x", "http", "POST"),
    ]
    assert app.declarations()[0].handler is echo
    assert app.declarations()[0].admit is None
    assert app.declarations()[1].admit is not None


def test_an_async_message_handler_is_one_coroutine_per_connection() -> None:
    app = App()

    @app.message("/echo")
    async def later(ws: object, msg: str) -> str:
        return msg

    assert app.declarations()[0].kind == "websocket"
    assert asyncio.iscoroutinefunction(app.declarations()[0].handler)


@pytest.mark.parametrize(
    "declare",
    [
        lambda app: app.message("echo")(echo),
        lambda app: app.message("/echo", message_limit_bytes="big")(echo),
        lambda app: app.message("/echo")(plain),
        lambda app: app.message("/echo", auth=lambda: None)(echo),
        lambda app: app.message("/echo", on_open=socket)(echo),
        lambda app: app.channel("/board").on_close(socket),
        lambda app: app.websocket("/{")(socket),
        lambda app: app.websocket("/ws")(plain),
        lambda app: app.channel("board"),
        lambda app: app.get("x")(plain),
        lambda app: app.every("often"),
        lambda app: app.every(0),
        lambda app: app.every("1s")(plain),
        lambda app: app.mount("/x", app),
        lambda app: app.lifespan(plain),
    ],
)
def test_declarations_that_cannot_be(declare: Any) -> None:
    with pytest.raises(Misuse):
        declare(App())


def test_misspelled_options_are_told() -> None:
    with pytest.raises(TypeError, match="mesage_limit_bytes"):
        App().message("/echo", mesage_limit_bytes=1)(echo)  # type: ignore[call-arg]


def test_mounts_may_be_nested_but_not_in_a_circle() -> None:
    outer, middle, inner = App(), App(), App()
    outer.mount("/middle", middle)
    middle.mount("/inner/", inner)
    assert [prefix for prefix, _ in outer.walk()] == ["/", "/middle", "/middle/inner/"]
    with pytest.raises(Misuse, match="mounted in itself"):
        inner.mount("/again", outer)


def test_publishing_goes_to_the_hub() -> None:
    app, hub = App(), Hub()
    with pytest.raises(Misuse, match="not being served"):
        app.publish("x", "y")

    async def main() -> None:
        app.bind(hub, Tasks(asyncio.get_running_loop()))
        assert app.publish("x", "y", key="k") == 7
        app.publish("x", Said("hi"))
        assert app.subscribers("x") == 3
        assert await app.spawn(asyncio.sleep(0, "done")) == "done"
        with pytest.raises(Misuse, match="already"):
            app.bind(hub, Tasks(asyncio.get_running_loop()))
        app.unbind()

    asyncio.run(main())
    assert hub.published == [("x", "y", "k"), ("x", '{"type":"said","text":"hi"}', None)]


def test_a_coroutine_that_cannot_be_spawned_leaves_no_warning() -> None:
    with pytest.raises(Misuse):
        App().spawn(asyncio.sleep(0))


def test_what_runs_beside() -> None:
    app = App()

    @app.lifespan
    async def life() -> AsyncIterator[None]:
        yield

    @app.every("30s")
    def tick() -> None: ...

    app.topic("prices.*", policy="conflate")
    assert len(app.lifespans) == 1
    assert [(timer.interval_s, timer.callback) for timer in app.timers] == [(30, tick)]
    assert app.topics == [("prices.*", "conflate", False)]
