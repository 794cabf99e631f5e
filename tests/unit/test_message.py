"""Message handlers see only the kinds of message they name."""

import asyncio
from typing import Any

import pytest
from msgspec import Struct

from hubbub.errors import Misuse
from hubbub.message import adapt


class Peer:
    """Remembers how it was closed."""

    closed: tuple[int, str] | None = None

    def close(self, code: int, reason: str) -> None:
        self.closed = code, reason


class Say(Struct):
    text: str


def any_kind(ws: object, msg: str | bytes) -> str | bytes:
    return msg


def unannotated(ws, msg):
    return msg


def only_text(ws: object, msg: str) -> str:
    return msg


def only_binary(ws: object, msg: bytes) -> bytes:
    return msg


async def only_text_later(ws: object, msg: "str") -> str:
    return msg


def test_both_kinds_cost_no_wrapper() -> None:
    assert adapt(any_kind) is any_kind
    assert adapt(unannotated) is unannotated


@pytest.mark.parametrize(
    ("handler", "fits", "other", "reason"),
    [
        (only_text, "x", b"x", "expected a text message"),
        (only_binary, b"x", "x", "expected a binary message"),
    ],
)
def test_the_other_kind_closes(handler: Any, fits: Any, other: Any, reason: str) -> None:
    peer = Peer()
    adapted = adapt(handler)
    assert adapted(peer, fits) == fits
    assert peer.closed is None
    assert adapted(peer, other) is None
    assert peer.closed == (1003, reason)


def test_the_other_kind_closes_later() -> None:
    peer = Peer()
    adapted = adapt(only_text_later)
    assert asyncio.run(adapted(peer, "x")) == "x"
    assert asyncio.run(adapted(peer, b"x")) is None
    assert peer.closed == (1003, "expected a text message")


def one_argument(ws: object) -> None: ...
def a_struct(ws: object, msg: Say) -> None: ...
def a_number(ws: object, msg: int) -> None: ...


@pytest.mark.parametrize("handler", [one_argument, a_struct, a_number])
def test_other_signatures_cannot_be(handler: Any) -> None:
    with pytest.raises(Misuse, match=handler.__name__):
        adapt(handler)
