"""The watchdog names who blocks the loop: once each time, with the stack."""

import asyncio
import logging
import threading
import time

import pytest

from hubbub.config import ServerSettings
from hubbub.loop import EngineHost, EventLoop
from hubbub.watchdog import Watchdog

LIMIT_S = 0.02


def test_a_blocked_loop_is_named_once_each_time(caplog: pytest.LogCaptureFixture) -> None:
    def block(count: int) -> None:
        deadline = time.monotonic() + 5
        while len(caplog.records) < count and time.monotonic() < deadline:
            time.sleep(LIMIT_S / 4)
        # Goes on for a while: it was told.
        time.sleep(4 * LIMIT_S)

    async def program() -> None:
        await asyncio.sleep(4 * LIMIT_S)
        assert not caplog.records, "who waits does not block"
        block(1)
        await asyncio.sleep(LIMIT_S)
        block(2)

    loop = EventLoop(EngineHost(ServerSettings()))
    with (
        caplog.at_level(logging.WARNING, "hubbub"),
        Watchdog(loop.host.engine, LIMIT_S),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        runner.run(program())
    assert len(caplog.records) == 2
    for record in caplog.records:
        assert record.getMessage().startswith("a handler has blocked the loop for 0.")
        assert "in block" in (record.stack_info or "")
    assert not any(one.name == "hubbub-watchdog" for one in threading.enumerate())
