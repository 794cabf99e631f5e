"""Channels: dispatch by tag, what is refused and how, what is sent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Generator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from hubbub.channel import Channel, encode
from hubbub.errors import InvalidMessage, Misuse
from hubbub.routing import Endpoint


class Nothing:
    """Awaitable, and done."""

    def __await__(self) -> Generator[None, None, None]:
        return
        yield


class Peer:
    """Remembers what it was sent and how it was closed."""

    def __init__(self) -> None:
        self.inbox: list[str | bytes] = []
        self.sent: list[str] = []
        self.closed: tuple[int, str] | None = None

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        for message in self.inbox:
            yield message

    def send(self, message: str) -> Awaitable[None]:
        self.sent.append(message)
        return Nothing()

    def close(self, code: int, reason: str) -> None:
        self.closed = code, reason


class Say(Struct, tag="say"):
    text: str


class Shout(Struct, tag="shout"):
    text: str


class Untagged(Struct):
    text: str


class AlsoUntagged(Struct):
    text: str


def channel() -> Channel[Any]:
    return Channel("/board", None, Endpoint())


def board() -> Channel[Any]:
    one = channel()

    @one.on
    def say(ws: object, msg: Say) -> Say:
        return Say(msg.text + "!")

    @one.on
    def shout(ws: object, msg: Shout) -> None: ...

    return one


def receive(one: Channel[Any], raw: str | bytes) -> tuple[Any, Peer]:
    peer = Peer()
    declaration = one.declaration()
    if declaration.kind == "message":
        return declaration.handler(peer, raw), peer
    peer.inbox = [raw]
    asyncio.run(declaration.handler(peer))
    return (peer.sent[0] if peer.sent else None), peer


def test_dispatched_by_tag_and_encoded() -> None:
    reply, peer = receive(board(), '{"type":"say","text":"hi"}')
    assert reply == '{"type":"say","text":"hi!"}'
    assert peer.closed is None
    assert receive(board(), '{"type":"shout","text":"hi"}')[0] is None


def test_one_async_handler_makes_the_route_async() -> None:
    one = board()
    assert one.declaration().kind == "message"

    class Later(Struct, tag="later"):
        pass

    async def later(ws: object, msg: Any) -> Say:
        await asyncio.sleep(0)
        return Say("later")

    later.__annotations__["msg"] = Later
    one.on(later)
    assert one.declaration().kind == "websocket"
    assert receive(one, '{"type":"later"}')[0] == '{"type":"say","text":"later"}'
    assert receive(one, '{"type":"say","text":"x"}')[0] == '{"type":"say","text":"x!"}'
    assert receive(one, "{")[1].closed is not None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("{", 1007),
        ("", 1007),
        ("\x00", 1007),
        (b'{"type":"say","text":"hi"}', 1007),
        ('{"x":' + "[" * 100_000, 1007),
        ('{"type":"no"}', 1008),
        ('{"type":"say"}', 1008),
        ('{"type":"say","text":1}', 1008),
        ('{"text":"hi"}', 1008),
        ("[]", 1008),
        ("null", 1008),
    ],
)
def test_what_is_not_a_message_closes(raw: str | bytes, code: int) -> None:
    reply, peer = receive(board(), raw)
    assert reply is None
    assert peer.closed is not None
    assert peer.closed[0] == code


@given(st.text() | st.binary())
def test_no_message_breaks_the_dispatch(raw: str | bytes) -> None:
    receive(board(), raw)


def test_the_hook_answers_instead() -> None:
    one = board()
    seen: list[InvalidMessage] = []

    @one.on_invalid
    def invalid(ws: object, error: InvalidMessage) -> Say:
        seen.append(error)
        return Say(str(error.code))

    reply, peer = receive(one, "{")
    assert reply == '{"type":"say","text":"1007"}'
    assert peer.closed is None
    assert seen[0].payload == "{"


def test_a_union_is_handled_by_one() -> None:
    one = channel()

    @one.on
    def both(ws: object, msg: Say | Shout) -> str:
        return type(msg).__name__

    assert receive(one, '{"type":"shout","text":""}')[0] == "Shout"
    with pytest.raises(Misuse, match="Say already has a handler"):
        one.on(both)


def test_a_single_struct_needs_no_tag() -> None:
    one = channel()

    @one.on
    def only(ws: object, msg: Untagged) -> bytes:
        return msg.text.encode()

    assert receive(one, '{"text":"x"}')[0] == b"x"


def test_channels_that_cannot_be() -> None:
    with pytest.raises(Misuse, match="no handlers"):
        channel().declaration()

    one = channel()

    @one.on
    def first(ws: object, msg: Untagged) -> None: ...

    @one.on
    def second(ws: object, msg: AlsoUntagged) -> None: ...

    with pytest.raises(Misuse, match="tag"):
        one.declaration()

    def no_struct(ws: object, msg: str) -> None: ...
    def no_message(ws: object) -> None: ...

    for wrong in (no_struct, no_message):
        with pytest.raises(Misuse, match=wrong.__name__):
            one.on(wrong)  # type: ignore[type-var, arg-type]


def test_sending() -> None:
    peer: Any = Peer()
    channel().send(peer, Say("hi"))
    assert peer.sent == ['{"type":"say","text":"hi"}']
    assert encode("x") == "x"
    assert encode(b"x") == b"x"


def test_hooks_are_the_routes() -> None:
    one = board()
    one.on_open(print)
    one.on_close(repr)  # type: ignore[arg-type]
    declaration = one.declaration()
    assert (declaration.on_open, declaration.on_close) == (print, repr)
