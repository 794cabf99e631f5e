"""At what pace leave is taken."""

import asyncio

import pytest

from hubbub.drain import LAST_WORDS_S, PORTION, STEP_S, drain, portion, window_s


@pytest.mark.parametrize("count", [0, 1, 7, 500, 10_000, 60_000])
@pytest.mark.parametrize("longest_s", [0.0, 1.0, 10.0])
def test_all_are_closed_within_the_window_and_not_at_once(count: int, longest_s: float) -> None:
    span_s = window_s(count, longest_s)
    assert span_s <= longest_s
    left, time_s, most = count, 0.0, 0
    while left > 0 and time_s < span_s - STEP_S:
        now = min(left, portion(left, span_s - time_s))
        most = max(most, now)
        left -= now
        time_s += STEP_S
    if count / PORTION * STEP_S < span_s:
        # What is left goes in the last steps.
        assert left <= PORTION
        assert most <= 2 + count * STEP_S / span_s
    assert most <= PORTION


def test_few_take_little_time() -> None:
    assert window_s(5, 10) == 0.01
    assert window_s(5_000, 10) == 10
    assert window_s(100_000, 10) == 10


class Ending:
    """An engine whose connections go as soon as they are closed, but for those that stay."""

    def __init__(self, count: int, stubborn: int = 0) -> None:
        self.accepted = count + stubborn
        self.handlers = stubborn
        self.portions: list[int] = []
        self.patience_s = -1.0
        self._left = count

    def begin_drain(self, patience_s: float) -> int:
        self.patience_s = patience_s
        return self._left

    def close_portion(self, count: int, code: int, reason: str) -> int:
        assert (code, reason) == (1001, "bye")
        closed = min(count, self._left)
        self.portions.append(closed)
        self._left -= closed
        self.accepted -= closed
        return self._left

    def drop_accepted(self) -> None:
        self.accepted = 0

    def cancel_handlers(self) -> None:
        self.handlers = 0


def test_nobody_there() -> None:
    assert asyncio.run(drain(Ending(0), 1001, "bye", 10, 10))


def test_at_once_means_in_portions_without_a_pause() -> None:
    engine = Ending(1_000)
    assert asyncio.run(drain(engine, 1001, "bye", 0, 10))
    assert engine.portions == [256, 256, 256, 232]
    assert engine.patience_s == 0


def test_with_time_it_is_spread() -> None:
    engine = Ending(200)
    assert asyncio.run(drain(engine, 1001, "bye", 0.2, 10))
    assert max(engine.portions) < 60
    assert engine.patience_s > 0


def test_who_does_not_go_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    engine = Ending(3, stubborn=1)
    assert not asyncio.run(drain(engine, 1001, "bye", 0, 0.05))
    assert (engine.accepted, engine.handlers) == (0, 0)
    assert "did not end in time: 1 connections, 1 handlers" in caplog.text
    assert LAST_WORDS_S > 0
