"""The watchdog names who blocks the loop: once each time, with the stack and with what it does."""

import asyncio
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from hubbub._core import Engine
from hubbub.config import ServerSettings
from hubbub.loop import EngineHost, EventLoop
from hubbub.watchdog import Cause, Watchdog

LIMIT_S = 0.02
PATIENCE_S = 30.0


def blocks(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Where handlers were named: a machine that has no processor for us is told of, too."""
    return [record for record in caplog.records if "has blocked" in record.getMessage()]


def test_a_blocked_loop_is_named_once_each_time(caplog: pytest.LogCaptureFixture) -> None:
    def block(count: int) -> None:
        deadline = time.monotonic() + 5
        while len(blocks(caplog)) < count and time.monotonic() < deadline:
            time.sleep(LIMIT_S / 4)
        # Goes on for a while: it was told.
        time.sleep(4 * LIMIT_S)

    async def program() -> None:
        await asyncio.sleep(4 * LIMIT_S)
        assert not blocks(caplog), "who waits does not block"
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
    assert len(blocks(caplog)) == 2
    for record in blocks(caplog):
        assert record.getMessage().startswith("a handler has blocked the loop for 0.")
        assert ", waiting (" in record.getMessage()
        assert "in block" in (record.stack_info or "")
    assert not any(one.name == "hubbub-watchdog" for one in threading.enumerate())


def watched(handler: Callable[[], None], limit_s: float) -> list[FrameType | None]:
    """Calls it in a loop that is watched: whom the watchdog has blamed."""
    blamed: list[FrameType | None] = []

    async def program() -> None:
        await asyncio.sleep(2 * limit_s)
        handler()

    loop = EventLoop(EngineHost(ServerSettings()))
    with (
        Watchdog(loop.host.engine, limit_s, blamed.append),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        runner.run(program())
    return blamed


def compute_until(is_enough: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_enough() and time.monotonic() < deadline:
        pass


def test_who_computes_is_told_from_who_waits(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hubbub"):
        blamed = watched(lambda: compute_until(lambda: bool(blocks(caplog))), LIMIT_S)
    (record,) = blocks(caplog)
    assert ", computing (" in record.getMessage()
    assert len(blamed) == 1


@contextmanager
def busy_processor() -> Iterator[int]:
    """One of the processors, on which four work who never rest."""
    processor = min(os.sched_getaffinity(0))
    spin = f"import os; os.nice(19); os.sched_setaffinity(0, [{processor}]); print(flush=True)\n"
    spinning = [
        subprocess.Popen([sys.executable, "-c", spin + "while True: pass"], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    try:
        for one in spinning:
            assert one.stdout is not None
            one.stdout.readline()
        yield processor
    finally:
        for one in spinning:
            one.kill()
            one.communicate()


def test_a_wait_for_a_processor_is_nobodys_fault(caplog: pytest.LogCaptureFixture) -> None:
    blamed: list[FrameType | None] = []

    def starve() -> None:
        # From here on this thread gets what the others have no use for.
        os.sched_setaffinity(0, [processor])
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        compute_until(lambda: bool(caplog.records))

    # A thread of its own: what is done to it ends with it.
    thread = threading.Thread(target=lambda: blamed.extend(watched(starve, limit_s=0.2)))
    with caplog.at_level(logging.WARNING, "hubbub"), busy_processor() as processor:
        thread.start()
        thread.join()
    assert caplog.records
    for record in caplog.records:
        assert record.getMessage().startswith("the loop has stood still for ")
        assert ", waiting for a processor (" in record.getMessage()
        assert record.stack_info is None
    assert not blamed


class Elsewhere:
    """An engine on a system that tells nothing of its threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.conclude_watch = engine.conclude_watch

    def watch_for_block(self, limit_s: float, thread: int) -> tuple[float, Cause, float] | None:
        no_thread = 0
        return self._engine.watch_for_block(limit_s, no_thread)


def test_a_block_is_told_where_nobody_knows_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    async def program() -> None:
        compute_until(lambda: bool(caplog.records))

    loop = EventLoop(EngineHost(ServerSettings()))
    with (
        caplog.at_level(logging.WARNING, "hubbub"),
        Watchdog(Elsewhere(loop.host.engine), LIMIT_S),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        runner.run(program())
    assert re.fullmatch(r"a handler has blocked the loop for \d\.\d s", caplog.messages[0])
