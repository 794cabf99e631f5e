"""Before the 101: parameters, then auth."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from hubbub.admission import admission
from hubbub.errors import Misuse, Reject
from hubbub.params import Parameters


def handler(ws: object, room: str, page: int = 1) -> None: ...


def request(**query: str) -> Any:
    return SimpleNamespace(params={"room": "x"}, query=query)


def test_nothing_to_ask_costs_nothing() -> None:
    assert admission(None) is None
    assert admission(None, Parameters(lambda ws: None, ())) is None


def test_parameters_alone() -> None:
    admit: Any = admission(None, Parameters(handler, ("room",)))
    assert admit(request(page="2")) == (None, {"room": "x", "page": 2})


def test_auth_alone() -> None:
    admit: Any = admission(lambda request: "Ada")
    assert admit(request()) == ("Ada", {})


def test_auth_may_take_its_time() -> None:
    async def auth(request: object) -> str:
        await asyncio.sleep(0)
        return "Ada"

    admit: Any = admission(auth, Parameters(handler, ("room",)))
    assert asyncio.run(admit(request())) == ("Ada", {"room": "x", "page": 1})


def test_auth_is_not_asked_about_what_cannot_be_served() -> None:
    def auth(request: object) -> str:
        raise AssertionError

    admit: Any = admission(auth, Parameters(handler, ("room",)))
    with pytest.raises(Reject, match="400"):
        admit(request(page="two"))


def test_auth_takes_the_request() -> None:
    with pytest.raises(Misuse, match="takes no argument"):
        admission(lambda: None)  # type: ignore[arg-type, misc]
