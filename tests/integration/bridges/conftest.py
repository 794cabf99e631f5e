"""The front has to do with loops and streams of its own: three of the harnesses are enough."""

import asyncio
from typing import Any

import pytest
import uvloop

import hubbub

LOOPS = {
    "own": hubbub.new_event_loop,
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}


@pytest.fixture(params=LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": LOOPS[request.param]}
