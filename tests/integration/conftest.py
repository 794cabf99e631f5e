"""Every test here runs four times: in our loop, in asyncio's, in uvloop's, and with threads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
import uvloop

import hubbub
from hubbub.config import ServerSettings
from hubbub.testing import TestServer, serve

HARNESSES = {
    "own": hubbub.new_event_loop,
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
    "threads": lambda: hubbub.new_event_loop(ServerSettings(threads=2)),
}
"""Who makes the loop: in the first the engine is the selector, in the others one more reader; in
the last the loop is ours again, and sockets are served by two threads beside it."""


@pytest.fixture(params=HARNESSES.values(), ids=HARNESSES.keys())
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": request.param}


Failing = Callable[..., AbstractAsyncContextManager[TestServer]]


@pytest.fixture
def failing() -> Failing:
    """Serves an app whose handlers shall raise exactly these exceptions, in this order."""

    @asynccontextmanager
    async def serve_failing(app: hubbub.App, *kinds: type[Exception]) -> AsyncIterator[TestServer]:
        async with serve(app) as server:
            yield server
            raised = [type(exception) for exception in server.exceptions]
            server.exceptions.clear()
        assert raised == list(kinds)

    return serve_failing
