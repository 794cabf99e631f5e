"""Parameters: what signatures may ask for, what requests may say."""

from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Annotated, Any, Literal, NewType, Optional
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from hubbub.errors import Misuse, Reject
from hubbub.forms import Form
from hubbub.params import Parameters, annotation, arguments


class Colour(Enum):
    RED = "red"


class Thing(Struct):
    size: int
    name: str = ""


Age = NewType("Age", int)


def request(
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> Any:
    return SimpleNamespace(params=path or {}, query=query or {}, body=body, headers=headers or {})


def resolve(kind: Any, text: str, *, default: Any = ..., path: bool = False) -> Any:
    def handler(ws: object, value: Any) -> None: ...

    handler.__annotations__["value"] = kind
    if default is not ...:
        handler.__defaults__ = (default,)
    parameters = Parameters(handler, ("value",) if path else ())
    where = {"value": text}
    return parameters.resolve(request(path=where) if path else request(query=where))["value"]


ID = "12345678-1234-5678-1234-567812345678"


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (str, "x", "x"),
        (str, "null", "null"),
        (int, "-12", -12),
        (float, "1.5", 1.5),
        (bool, "true", True),
        (bool, "0", False),
        (UUID, ID, UUID(ID)),
        (Colour, "red", Colour.RED),
        (Literal["s", "m"], "m", "m"),
        (Literal[1, 2], "2", 2),
        (int | None, "3", 3),
        (Optional[int], "3", 3),  # noqa: UP045 - as older code writes it
        (str | None, "null", "null"),
        (Age, "30", 30),
        (Annotated[int, Meta(ge=0)], "0", 0),
    ],
)
def test_values(kind: Any, text: str, value: Any) -> None:
    assert resolve(kind, text) == value
    assert resolve(kind, text, path=True) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (int, "one"),
        (int, "١"),
        (int, "1_0"),
        (int, ""),
        (int, "9" * 5000),
        (int | None, "null"),
        (float, "nan"),
        (Decimal, "NaN"),
        (Decimal, "sNaN"),
        (Decimal, "-Infinity"),
        (float, "inf"),
        (float, "1e999"),
        (bool, "maybe"),
        (UUID, "x"),
        (Colour, "RED"),
        (Literal["s", "m"], "l"),
        (Annotated[int, Meta(ge=0)], "-1"),
    ],
)
def test_values_that_are_none(kind: Any, text: str) -> None:
    with pytest.raises(Reject) as refused:
        resolve(kind, text)
    assert refused.value.status == 400
    assert refused.value.reason.startswith("query parameter value: ")
    with pytest.raises(Reject) as refused:
        resolve(kind, text, path=True)
    assert (refused.value.status, refused.value.reason) == (404, "")


@given(st.sampled_from([int, float, bool, UUID, Colour, int | None]), st.text())
def test_no_text_breaks_a_conversion(kind: Any, text: str) -> None:
    try:
        resolve(kind, text)
    except Reject as refused:
        assert refused.status == 400  # noqa: PT017 - either way is fine, but only these


def test_absent_values() -> None:
    def handler(ws: object, must: int, may: int | None, other: str = "guest") -> None: ...

    parameters = Parameters(handler, ())
    found = parameters.resolve(request(query={"must": "1"}))
    assert found == {"must": 1, "may": None, "other": "guest"}
    with pytest.raises(Reject, match="400 query parameter must: missing"):
        parameters.resolve(request())


def test_a_default_serves_two_paths() -> None:
    def handler(ws: object, room: str = "lobby") -> None: ...

    assert Parameters(handler, ()).resolve(request()) == {"room": "lobby"}
    found = Parameters(handler, ("room",)).resolve(request(path={"room": "garden"}))
    assert found == {"room": "garden"}


def test_the_path_wins_over_the_query() -> None:
    def handler(ws: object, room: str) -> None: ...

    found = Parameters(handler, ("room",)).resolve(request(path={"room": "a"}, query={"room": "b"}))
    assert found == {"room": "a"}


def test_keyword_only_is_fine() -> None:
    def handler(ws: object, *, page: int = 1) -> None: ...

    assert Parameters(handler, ()).resolve(request(query={"page": "2"})) == {"page": 2}


def test_body() -> None:
    def handler(req: object, thing: Thing) -> None: ...

    parameters = Parameters(handler, (), body=True)
    assert parameters.resolve(request(body=b'{"size": 3}')) == {"thing": Thing(3)}
    for body, status in (
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'{"size": 3, "name": "\xff"}', 400),
        (b'{"other": ' + b"[" * 100_000 + b"}", 400),
        (b'{"size": "big"}', 422),
    ):
        with pytest.raises(Reject) as refused:
            parameters.resolve(request(body=body))
        assert refused.value.status == status
    assert "$.size" in refused.value.reason


def test_only_what_calls_itself_json_is_read_as_json() -> None:
    def handler(req: object, thing: Thing) -> None: ...

    parameters = Parameters(handler, (), body=True)
    body = b'{"size": 3}'
    for kind in ("application/json", "Application/JSON; charset=utf-8", "application/x+json"):
        asked = request(body=body, headers={"content-type": kind})
        assert parameters.resolve(asked) == {"thing": Thing(3)}
    for headers in (
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"origin": "https://elsewhere.example"},
    ):
        with pytest.raises(Reject) as refused:
            parameters.resolve(request(body=body, headers=headers))
        assert refused.value.status == 415


def test_a_form_is_a_body() -> None:
    def handler(req: object, form: Form) -> None: ...

    parameters = Parameters(handler, (), body=True)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    form = parameters.resolve(request(body=b"name=Zo%C3%A9", headers=headers))["form"]
    assert form["name"] == "Zoé"


def takes_nothing() -> None: ...
def takes_all(ws: object, *rest: str) -> None: ...
def takes_any(ws: object, **rest: str) -> None: ...
def takes_by_place(ws: object, room: str, /) -> None: ...
def takes_no_place(*, ws: object) -> None: ...
def takes_list(ws: object, tags: list[str]) -> None: ...
def takes_dict(ws: object, tags: dict[str, str]) -> None: ...
def takes_either(ws: object, tag: int | str) -> None: ...
def takes_thing(ws: object, thing: Thing) -> None: ...
def takes_object(ws: object, thing: object) -> None: ...
def takes_unknown(ws: object, thing: "Nowhere") -> None: ...  # noqa: F821


@pytest.mark.parametrize(
    "handler",
    [
        takes_nothing,
        takes_all,
        takes_any,
        takes_by_place,
        takes_no_place,
        takes_list,
        takes_dict,
        takes_either,
        takes_thing,
        takes_object,
        takes_unknown,
    ],
)
def test_signatures_that_cannot_be(handler: Any) -> None:
    with pytest.raises(Misuse, match=handler.__name__):
        Parameters(handler, ())


def test_two_bodies_cannot_be() -> None:
    def handler(req: object, one: Thing, two: Thing) -> None: ...

    with pytest.raises(Misuse, match="one body"):
        Parameters(handler, (), body=True)


def test_only_what_is_needed_is_evaluated() -> None:
    def handler(ws: "OnlyForTheChecker", room: "str") -> None: ...  # noqa: F821

    assert Parameters(handler, ("room",)).resolve(request(path={"room": "x"})) == {"room": "x"}


def test_arguments_of_callbacks() -> None:
    first, second = arguments(lambda ws, msg: None, 2, "(ws, msg)")
    assert (first.name, second.name) == ("ws", "msg")
    assert annotation(print, second) is second.empty
    assert len(arguments(lambda ws, msg, extra=1: None, 2, "(ws, msg)")) == 2
    for wrong in (lambda ws: None, lambda a, b, c: None, lambda ws, *, msg: None):
        with pytest.raises(Misuse, match=r"expected \(ws, msg\)"):
            arguments(wrong, 2, "(ws, msg)")
