"""`app.channel`: typed JSON, with `auth`."""

import asyncio

import pytest
from msgspec import Struct

from hubbub import (
    App,
    HandshakeRejected,
    InvalidMessage,
    Reject,
    Request,
    WebSocket,
)
from hubbub.testing import serve

from .conftest import Failing

pytestmark = pytest.mark.anyio


class User(Struct):
    name: str


class Say(Struct, tag="say"):
    text: str


class Wait(Struct, tag="wait"):
    pass


class Said(Struct, tag="said"):
    name: str
    text: str


def auth(req: Request) -> User:
    if "name" not in req.query:
        raise Reject(401, "who are you?", {"www-authenticate": "Bearer"})
    return User(req.query["name"])


async def auth_later(req: Request) -> User:
    await asyncio.sleep(0.001)
    return auth(req)


def board(authorise: object = auth) -> App:
    app = App()
    channel = app.channel("/board/{id}", auth=authorise)  # type: ignore[call-overload]

    @channel.on_open
    def join(ws: WebSocket[User]) -> None:
        ws.subscribe(ws.params["id"])

    @channel.on
    def say(ws: WebSocket[User], msg: Say) -> None:
        app.publish(ws.params["id"], Said(ws.data.name, msg.text))

    return app


@pytest.mark.parametrize("authorise", [auth, auth_later])
async def test_the_board(authorise: object) -> None:
    async with serve(board(authorise)) as server:
        async with (
            server.connect("/board/1?name=Ada") as ada,
            server.connect("/board/1?name=Bob") as bob,
            server.connect("/board/2?name=Eve") as eve,
        ):
            ada.send_json(Say("hi"))
            eve.send_json(Say("alone"))
            for client in (ada, bob):
                assert await client.receive_json(Said) == Said("Ada", "hi")
            assert await eve.receive_json(Said) == Said("Eve", "alone")


@pytest.mark.parametrize("authorise", [auth, auth_later])
async def test_auth_refuses_before_the_101(authorise: object) -> None:
    async with serve(board(authorise)) as server:
        with pytest.raises(HandshakeRejected) as refused:
            await server.connect("/board/1").__aenter__()
        assert refused.value.status == 401
        headers = {name.lower(): value for name, value in refused.value.headers}
        assert headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("is_async", [False, True])
async def test_an_exception_in_auth_is_500(is_async: bool, failing: Failing) -> None:
    app = App()

    def broken(req: Request) -> None:
        raise ZeroDivisionError

    async def broken_later(req: Request) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    app.message("/", auth=broken_later if is_async else broken)(lambda ws, msg: None)
    async with failing(app, ZeroDivisionError) as server:
        with pytest.raises(HandshakeRejected) as refused:
            await server.connect("/").__aenter__()
        assert refused.value.status == 500


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", 1007),
        (b'{"type":"say","text":"x"}', 1007),
        ('{"type":"shout"}', 1008),
        ('{"type":"say"}', 1008),
    ],
)
async def test_what_is_no_message_closes(message: str | bytes, code: int) -> None:
    async with serve(board()) as server, server.connect("/board/1?name=Ada") as client:
        client.send(message)
        assert await client.wait_closed() == code
        assert client.ws.close_reason


async def test_replies_and_the_hook_for_what_is_invalid() -> None:
    app = App()
    channel = app.channel("/")

    @channel.on
    def say(ws: WebSocket, msg: Say) -> Said:
        return Said("server", msg.text)

    @channel.on
    async def wait(ws: WebSocket, msg: Wait) -> Said:
        await asyncio.sleep(0)
        return Said("server", "waited")

    @channel.on_invalid
    def invalid(ws: WebSocket, error: InvalidMessage) -> Said:
        return Said("error", str(error.code))

    async with serve(app) as server, server.connect("/") as client:
        client.send_json(Say("hi"))
        client.send_json(Wait())
        client.send("{")
        client.send_json(Say("still here"))
        assert [await client.receive_json(Said) for _ in range(4)] == [
            Said("server", "hi"),
            Said("server", "waited"),
            Said("error", "1007"),
            Said("server", "still here"),
        ]


async def test_sending_beside_replies() -> None:
    app, ended = App(), list[int | None]()
    channel = app.channel("/")

    @channel.on
    def say(ws: WebSocket, msg: Say) -> None:
        assert channel.send(ws, Said("server", msg.text))

    @channel.on_close
    def closed(ws: WebSocket) -> None:
        ended.append(ws.close_code)

    async with serve(app) as server:
        async with server.connect("/") as client:
            client.send_json(Say("hi"))
            assert await client.receive_json() == {"type": "said", "name": "server", "text": "hi"}
    assert ended == [1000]
