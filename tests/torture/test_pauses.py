"""The process stands still: time that we missed is not held against the peers (R9).

That the wall clock does not matter, and what a jump of the other one means, is told by the unit
tests of crates/server/src/clock.rs.
"""

import os
import signal
import time

import pytest

from ..wire import open_websocket, upgrade
from .conftest import Attack
from .crowd import Crowd
from .figures import Figures

pytestmark = pytest.mark.torture

CONNECTIONS = 2000
STOPPED_S = 6


def test_nobody_is_closed_for_a_pause_of_ours(attack: Attack, figures: Figures) -> None:
    """R9: stopped for six ping timeouts, with all kinds of deadlines running."""
    victim = attack(
        *("--ws-ping-interval", "1s", "--ws-ping-timeout", "1s"),
        *("--head-timeout", "4s", "--message-timeout", "4s"),
    )
    with (
        Crowd.connect(victim.address, CONNECTIONS, path="/echo") as open_ones,
        Crowd.connect(victim.address, 100) as late,
    ):
        open_ones.pongs = True
        for member in late.members:
            member.socket.send(upgrade()[:100])
        began = time.monotonic()
        open_ones.work(lambda: time.monotonic() - began > 1.5)
        before = victim.stats()
        os.kill(victim.pid, signal.SIGSTOP)
        try:
            time.sleep(STOPPED_S)
        finally:
            os.kill(victim.pid, signal.SIGCONT)
        late.say(upgrade()[100:])
        late.work(lambda: all(b" 101 " in member.heard for member in late.members))
        after = victim.stats()
        began = time.monotonic()
        open_ones.work(lambda: time.monotonic() - began > 3)
        wrong = sum(member.has_ended for member in (*open_ones.members, *late.members))
        open_websocket(victim.address).close()
    figures.note(
        "R9",
        f"stopped for {STOPPED_S} s with ping interval and timeout of 1 s: "
        f"{wrong} of {CONNECTIONS + 100:,} connections closed",
    )
    assert wrong == 0
    assert after["timeouts"] == before["timeouts"] == 0
