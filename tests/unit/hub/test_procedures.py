"""Remote procedures: how their annotations are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest
from msgspec import Meta, Raw

from hubbub.errors import Misuse
from hubbub.hub.codes import Refused
from hubbub.hub.rules import described, procedure

if TYPE_CHECKING:
    from decimal import Decimal

    from hubbub.hub import Client

Count = Annotated[int, Meta(ge=0)]


def test_names_for_the_type_checker_alone_do_no_harm() -> None:
    def double(client: Client, params: Count) -> Decimal:
        """Doubles."""
        return params * 2  # type: ignore[return-value]

    call: Any = procedure(double)
    assert call(None, Raw(b"2")) == 4
    with pytest.raises(Refused):
        call(None, Raw(b"-2"))
    told = described("double", double)
    assert (told.params, told.result) == (Count, Any)


def test_what_is_not_annotated_is_anything() -> None:
    def echo(client, params):  # type: ignore[no-untyped-def]
        return params

    call: Any = procedure(echo)
    assert call(None, Raw(b'["x"]')) == ["x"]
    assert described("echo", echo).result is Any


def test_parameters_that_cannot_be_known_are_refused_at_once() -> None:
    def double(client: Client, params: Decimal) -> None:
        pass

    with pytest.raises(Misuse, match="cannot evaluate the annotation of params"):
        procedure(double)
