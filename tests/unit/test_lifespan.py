"""Lifespans: an async generator, or anything that makes an async context manager."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hubbub.errors import Misuse
from hubbub.lifespan import as_lifespan

events: list[str] = []


async def generator() -> AsyncIterator[None]:
    events.append("in")
    yield
    events.append("out")


@pytest.mark.parametrize("written", [generator, asynccontextmanager(generator)])
def test_both_ways_of_writing_it(written: Any) -> None:
    async def live() -> None:
        async with as_lifespan(written)():
            events.append("life")

    events.clear()
    asyncio.run(live())
    assert events == ["in", "life", "out"]


async def a_coroutine() -> None: ...
async def with_argument(app: object) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("written", [a_coroutine, with_argument])
def test_what_it_cannot_be(written: Any) -> None:
    with pytest.raises(Misuse):
        as_lifespan(written)


def test_what_turns_out_not_to_be_one() -> None:
    with pytest.raises(Misuse, match="not an async context manager"):
        as_lifespan(lambda: None)()  # type: ignore[arg-type, return-value]
