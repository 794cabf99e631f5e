"""The event loops that a test may run in."""

import asyncio

import pytest
import uvloop

import hubbub

LOOPS = {
    "own": hubbub.new_event_loop,
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
}
"""In the first the engine is the selector, in the others one more reader."""

on_each_loop = pytest.mark.parametrize(
    "anyio_backend",
    [
        pytest.param(("asyncio", {"loop_factory": factory}), id=name)
        for name, factory in LOOPS.items()
    ],
)
"""For what has to do with loops, but not with threads or TLS."""
