"""What handlers return becomes status, header fields and body."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Struct
from tests.asked import request

from hubbub.errors import Misuse, Reject
from hubbub.http import EventSourceResponse, Response, adapt
from hubbub.http import encode as encode_for


class Thing(Struct):
    size: int


def encode(result: object, **headers: str) -> Any:
    return encode_for(result, request(headers=headers))


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
        [("content-type", "text/css"), NOSNIFF, ("x-a", "1")],
        b"x",
    )


@pytest.mark.parametrize("name", ["content-type", "Content-Type"])
def test_fields_that_are_given_stand_in_the_place_of_ours(name: str) -> None:
    given = {name: "text/css", "X-Content-Type-Options": "none"}
    assert encode(Response("x", headers=given))[1] == [
        ("content-type", "text/css"),
        ("x-content-type-options", "none"),
    ]
    _, page, _ = encode(Response.html("<p>", headers={"Content-Security-Policy": "img-src *"}))
    policies = [value for field, value in page if field.lower() == "content-security-policy"]
    assert policies == ["img-src *"]
    problem = Reject(409, "taken", headers={name: "application/problem+json"})

    def refuse(req: Any) -> None:
        raise problem

    _, fields, _ = adapt(refuse, ())(request())  # type: ignore[misc]
    kinds = [value for field, value in fields if field.lower() == "content-type"]
    assert kinds == ["application/problem+json"]
    events = EventSourceResponse(nothing(), headers={"Cache-Control": "no-cache"})
    kept = [value for field, value in events.headers if field.lower() == "cache-control"]
    assert kept == ["no-cache"]


async def nothing() -> AsyncIterator[str]:
    return
    yield


def test_a_page_brings_its_policy() -> None:
    _, headers, _ = encode(Response.html("<script>x()</script>"))
    fields = dict(headers)
    assert fields["content-type"] == "text/html; charset=utf-8"
    assert "'sha256-" in fields["content-security-policy"]
    own = Response.html("", headers={"content-security-policy": "default-src *"})
    assert dict(own.headers)["content-security-policy"] == "default-src *"


def test_a_redirect_has_a_place_and_no_body() -> None:
    assert encode(Response.redirect("/x")) == (303, [("location", "/x")], b"")


def test_handlers_get_what_they_ask_for() -> None:
    def handler(req: object, number: int, thing: Thing, page: int = 1) -> list[int]:
        return [number, page, thing.size]

    adapted: Any = adapt(handler, ("number",))
    asked = {"path": {"number": "7"}, "body": b'{"size": 1}'}
    assert adapted(request(**asked, query={"page": "2"}))[2] == b"[7,2,1]"
    assert adapted(request(**asked, query={"page": "two"}))[0] == 400


def test_refusals_become_answers() -> None:
    def handler(req: object) -> None:
        raise Reject(401, "who?", {"www-authenticate": "Bearer"})

    async def handler_later(req: object) -> None:
        raise Reject(404)

    adapted: Any = adapt(handler, ())
    assert adapted(request()) == (
        401,
        [("content-type", "text/plain; charset=utf-8"), NOSNIFF, ("www-authenticate", "Bearer")],
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


def test_errors_are_json_for_those_who_want_json() -> None:
    def handler(req: object) -> None:
        raise Reject(409, "taken")

    adapted: Any = adapt(handler, ())
    status, fields, body = adapted(request(headers={"accept": "application/json"}))
    assert (status, dict(fields)["content-type"]) == (409, "application/json")
    assert body == b'{"status":409,"error":"taken"}'
    page = request(headers={"accept": "text/html, application/json"})
    assert adapted(page)[2] == b"taken\n"


def test_long_texts_are_compressed_for_those_who_unpack() -> None:
    text = "hubbub " * 1000
    status, fields, body = encode(text, **{"accept-encoding": "br, gzip"})
    assert (status, gzip.decompress(body).decode()) == (200, text)
    assert ("content-encoding", "gzip") in fields
    assert ("vary", "accept-encoding") in fields
    for refusing in ("", "br", "gzip;q=0", "*;q=0", "identity, gzip; q=0.0"):
        _, fields, body = encode(text, **{"accept-encoding": refusing})
        assert body.decode() == text
        assert ("vary", "accept-encoding") in fields
    assert encode(text, **{"accept-encoding": "*"})[2] != text.encode()


@pytest.mark.parametrize(
    "response",
    [
        Response("x" * 1000),
        Response("x" * 2000, compress=False),
        Response(b"x" * 2000),
        Response("x" * 2000, headers={"content-encoding": "x-own"}),
    ],
)
def test_what_is_not_compressed(response: Response) -> None:
    _, fields, body = encode(response, **{"accept-encoding": "gzip"})
    assert body == response.body
    assert ("content-encoding", "gzip") not in fields


def cookie(scheme: str = "http", **options: Any) -> str:
    response = Response("x")
    response.set_cookie("id", "1", **options)
    return dict(response.answer(request(scheme=scheme))[1])["set-cookie"]


def test_cookies_are_safe_by_default() -> None:
    assert cookie() == "id=1; Path=/; SameSite=Lax; HttpOnly"
    assert cookie("https") == "id=1; Path=/; SameSite=Lax; Secure; HttpOnly"
    assert cookie("https", secure=False) == "id=1; Path=/; SameSite=Lax; HttpOnly"
    assert cookie(max_age_s=60, same_site="strict", http_only=False, path=None) == (
        "id=1; Max-Age=60; SameSite=Strict"
    )
    expires = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
    assert "Expires=Sun, 06 Nov 1994 08:49:37 GMT" in cookie(expires=expires)


def test_a_cookie_is_forgotten_by_name_path_and_domain() -> None:
    response = Response("x")
    response.delete_cookie("id", path="/a", domain="example.org")
    fields = dict(response.answer(request())[1])
    assert fields["set-cookie"] == (
        "id=; Domain=example.org; Path=/a; Max-Age=0; SameSite=Lax; HttpOnly"
    )


@pytest.mark.parametrize(
    ("name", "value", "options"),
    [
        ("a b", "1", {}),
        ("", "1", {}),
        ("a", "1; Path=/", {}),
        ("a", "1\r\nX: y", {}),
        ("a", "hä", {}),
        ("a", "1", {"path": "/;x"}),
        ("a", "1", {"domain": "a\nb"}),
        ("a", "1", {"same_site": "none", "secure": False}),
        ("__Host-a", "1", {"path": "/x"}),
        ("__Host-a", "1", {"secure": False}),
        ("__Secure-a", "1", {"secure": False}),
    ],
)
def test_what_cannot_be_a_cookie(name: str, value: str, options: dict[str, Any]) -> None:
    with pytest.raises(Misuse):
        Response("x").set_cookie(name, value, **options)
