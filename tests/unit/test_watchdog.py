"""The watchdog names who blocks the loop: once, with the stack."""

import logging
import threading
import time

import pytest

from hubbub.watchdog import Watchdog


def test_a_blocked_loop_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    blocked_s, asked = [0.0], threading.Event()

    def blocked() -> float:
        asked.set()
        return blocked_s[0]

    def wait_for_a_look() -> None:
        asked.clear()
        assert asked.wait(5)

    with caplog.at_level(logging.WARNING, "hubbub"), Watchdog(blocked, 0.01):
        wait_for_a_look()
        assert not caplog.records
        blocked_s[0] = 2.0
        deadline = time.monotonic() + 5
        while not caplog.records and time.monotonic() < deadline:
            wait_for_a_look()
        wait_for_a_look()
        wait_for_a_look()
    (record,) = caplog.records
    assert record.getMessage() == "a handler has blocked the loop for 2.0 s"
    assert "wait_for_a_look" in (record.stack_info or "")
