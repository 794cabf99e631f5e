"""What handlers return becomes status, header fields and body."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec import Struct

from hubbub.errors import Reject
from hubbub.http import Response, adapt, encode


class Thing(Struct):
    size: int


NOSNIFF = ("x-content-type-options", "nosniff")


@pytest.mark.parametrize(
    ("result", "content_type", "body"),
    [
        ("hä", "text/plain; charset=utf-8", "hä".encode()),
        (b"\x00", "application/octet-stream", b"\x00"),
        ({"a": 1}, "application/json", b'{"a":1}'),
        ([1, 2], "application/json", b"[1,2]"),
        (Thing(3), "application/json", b'{"size":3}'),
        (True, "application/json", b"true"),
    ],
)
def test_results(result: object, content_type: str, body: bytes) -> None:
    assert encode(result) == (200, [("content-type", content_type), NOSNIFF], body)


def test_nothing_is_204() -> None:
    assert encode(None) == (204, [], b"")


def test_a_response_says_it_all() -> None:
    response = Response("x", status=418, headers={"x-a": "1"}, content_type="text/css")
    assert encode(response) == (
        418,
        [("content-type", "text/css"), ("x-a", "1"), NOSNIFF],
        b"x",
    )


def test_a_page_brings_its_policy() -> None:
    _, headers, _ = encode(Response.html("<script>x()</script>"))
    fields = dict(headers)
    assert fields["content-type"] == "text/html; charset=utf-8"
    assert "'sha256-" in fields["content-security-policy"]
    own = Response.html("", headers={"content-security-policy": "default-src *"})
    assert dict(own.headers)["content-security-policy"] == "default-src *"


def test_a_redirect_has_a_place_and_no_body() -> None:
    assert encode(Response.redirect("/x")) == (303, [("location", "/x")], b"")


def request(**query: str) -> Any:
    return SimpleNamespace(params={"number": "7"}, query=query, body=b'{"size": 1}')


def test_handlers_get_what_they_ask_for() -> None:
    def handler(req: object, number: int, thing: Thing, page: int = 1) -> list[int]:
        return [number, page, thing.size]

    adapted: Any = adapt(handler, ("number",))
    assert adapted(request(page="2"))[2] == b"[7,2,1]"
    assert adapted(request(page="two"))[0] == 400


def test_refusals_become_answers() -> None:
    def handler(req: object) -> None:
        raise Reject(401, "who?", {"www-authenticate": "Bearer"})

    async def handler_later(req: object) -> None:
        raise Reject(404)

    adapted: Any = adapt(handler, ())
    assert adapted(request()) == (
        401,
        [("content-type", "text/plain; charset=utf-8"), ("www-authenticate", "Bearer")],
        b"who?\n",
    )
    later: Any = adapt(handler_later, ())
    assert asyncio.run(later(request()))[0] == 404


def test_other_exceptions_are_the_engines_to_report() -> None:
    def handler(req: object) -> None:
        raise ZeroDivisionError

    adapted: Any = adapt(handler, ())
    with pytest.raises(ZeroDivisionError):
        adapted(request())
