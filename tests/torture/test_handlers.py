"""Handlers that raise, and handlers that hold the thread (R4)."""

import itertools
import re
import time

import pytest

from ..wire import TEXT, connect, frame, open_websocket, receive_frame, receive_head, upgrade
from .conftest import Attack
from .crowd import Crowd
from .figures import Figures
from .healthy import healthy, waits
from .victim import Victim

pytestmark = pytest.mark.torture

FAULTS = 10_000


def test_whoever_meets_a_fault_is_closed_and_nobody_else(attack: Attack, figures: Figures) -> None:
    """R4: 10,000 exceptions, in functions and in coroutines, beside 50 who want an echo."""
    victim = attack()
    alone = waits(victim.address, duration_s=2)
    paths = itertools.cycle(("/crashes", "/crashes-later"))
    with healthy(victim.address, duration_s=5) as others:
        for _ in range(FAULTS // 100):
            path = next(paths)
            with Crowd.connect(victim.address, 100, path=path) as crowd:
                crowd.say(frame(TEXT, b"the secret reason"))
                crowd.work(lambda crowd=crowd: all(len(one.heard) >= 4 for one in crowd.members))
                for member in crowd.members:
                    # 1011, and not a word of the inside.
                    assert member.heard == b"\x88\x02\x03\xf3"
        beside = others.waits()
    # Lines are written beside the loop, and so a little later.
    end = time.monotonic() + 30
    while (told := _told(victim)) < FAULTS and time.monotonic() < end:
        time.sleep(0.1)
    figures.note(
        "R4",
        f"{FAULTS:,} faults: {beside.asked - beside.answered} others hurt, p99 "
        f"{alone.p99_ms:.1f} → {beside.p99_ms:.1f} ms, {told:,} lines in the log",
    )
    assert beside.answered == beside.asked
    assert told == FAULTS
    log = victim.log.read_text()
    assert log.count("RuntimeError: the secret reason") + _lost(log) == FAULTS


def _told(victim: Victim) -> int:
    """How many faults stand in the log; lines that were lost are counted there, too."""
    log = victim.log.read_text()
    paths = ("/crashes", "/crashes-later")
    return sum(log.count(f"path {path}\n") for path in paths) + _lost(log)


def _lost(log: str) -> int:
    return sum(int(count) for count in re.findall(r"(\d+) log lines were lost", log))


def test_a_handler_that_holds_the_thread_costs_time_and_no_connection(
    attack: Attack, figures: Figures
) -> None:
    """R4: 5 s, pings due every second; a warning with the stack while it lasts."""
    victim = attack("--ws-ping-interval", "1s", "--ws-ping-timeout", "1s")
    with (
        Crowd.connect(victim.address, 100, path="/sink") as others,
        open_websocket(victim.address, "/blocks") as one,
    ):
        others.pongs = True
        began = time.monotonic()
        one.sendall(frame(TEXT, b"5"))
        others.work(lambda: time.monotonic() - began > 1.5)
        warned = victim.log.read_text()
        assert receive_frame(one).payload == b"done"
        others.work(lambda: time.monotonic() - began > 8)
        closed = sum(member.has_ended for member in others.members)
    figures.note(
        "R4",
        f"blocked for 5 s, pings every second: warned meanwhile, {closed} of 100 others closed",
    )
    assert closed == 0
    assert "blocked" in warned
    assert "time.sleep(float(message))" in warned


def test_a_fault_before_the_101_is_a_500(attack: Attack) -> None:
    """R4: admission raises: an answer in HTTP, and the connection is not left hanging."""
    victim = attack()
    with open_websocket(victim.address) as other:
        with connect(victim.address) as one:
            one.sendall(upgrade("/refuses"))
            assert receive_head(one).startswith(b"HTTP/1.1 500 ")
        other.sendall(frame(TEXT, b"still here"))
        assert receive_frame(other).payload == b"still here"
