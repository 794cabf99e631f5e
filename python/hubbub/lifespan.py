"""What runs around the life of an app: its `@app.lifespan`, as an async context manager (pure).

Entering and leaving is the server's.
"""

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from hubbub.errors import Misuse

Lifespan = Callable[[], AbstractAsyncContextManager[Any]]
Written = Lifespan | Callable[[], AsyncIterator[Any]]
"""What `@app.lifespan` takes: with or without `@asynccontextmanager` on it."""


def as_lifespan(written: Written) -> Lifespan:
    """The function as one that makes a context manager.

    Raises:
        Misuse: It is no async generator and has arguments.
    """
    if inspect.signature(written).parameters:
        raise Misuse(f"expected a lifespan without arguments: {written!r}")
    if inspect.isasyncgenfunction(written):
        return asynccontextmanager(written)
    if inspect.iscoroutinefunction(written):
        raise Misuse(f"a lifespan yields once: {written!r}")

    def enter() -> AbstractAsyncContextManager[Any]:
        manager = written()
        if not isinstance(manager, AbstractAsyncContextManager):
            raise Misuse(f"not an async context manager: {manager!r}")
        return manager

    return enter
