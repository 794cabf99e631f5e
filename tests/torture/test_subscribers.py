"""Subscribers that do not read (B1, B2)."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..wire import CLOSE, Frame, frames
from .conftest import Attack
from .crowd import MOST, Crowd
from .figures import Figures
from .healthy import Compared, compared, healthy, waits

pytestmark = pytest.mark.torture

MIB = 1 << 20
MESSAGE_BYTES = 4096
PUBLISHED = 1000
BATCH = 100
KEYS = 10
PROBES_APART_S = 12
"""As long as this was quiet, it will be quiet once more."""


def numbers(heard: list[Frame]) -> list[int]:
    return [int.from_bytes(one.payload[:4]) for one in heard if one.opcode != CLOSE]


def closed_as_too_slow(heard: list[Frame]) -> None:
    assert heard[-1].close_code == 4001
    assert numbers(heard) == list(range(len(heard) - 1)), "what was heard has no holes"


def oldest_are_kept(heard: list[Frame]) -> None:
    found = numbers(heard)
    waiting = MIB // MESSAGE_BYTES - 1
    assert found[:waiting] == list(range(waiting))
    # What the kernel takes meanwhile makes room for a few of the newer ones.
    assert found == sorted(found)
    assert len(found) < PUBLISHED


def newest_are_kept(heard: list[Frame]) -> None:
    found = numbers(heard)
    assert found == sorted(found)
    assert found[-1] == PUBLISHED - 1
    assert len(found) < PUBLISHED


def newest_of_each_key_are_kept(heard: list[Frame]) -> None:
    assert set(numbers(heard)) >= set(range(PUBLISHED - KEYS, PUBLISHED))
    assert len(heard) < PUBLISHED


POLICIES: dict[str, tuple[str, Callable[[list[Frame]], None]]] = {
    "close": ("slow_closed", closed_as_too_slow),
    "drop-newest": ("dropped", oldest_are_kept),
    "drop-oldest": ("dropped", newest_are_kept),
    "conflate": ("conflated", newest_of_each_key_are_kept),
}


@pytest.mark.parametrize("policy", POLICIES)
def test_a_topics_policy_decides_about_who_does_not_read(
    attack: Attack, figures: Figures, policy: str
) -> None:
    """B1: at once, and counted; what is heard in the end is what the policy says."""
    counter, is_as_promised = POLICIES[policy]
    victim = attack()
    with Crowd.connect(victim.address, 1, path=f"/hears/{policy}.x", narrow=True) as crowd:
        (subscriber,) = crowd.members
        keys = KEYS if policy == "conflate" else 0
        began = time.monotonic()
        for first in range(0, PUBLISHED, BATCH):
            size = f"first={first}&count={BATCH}&size={MESSAGE_BYTES}"
            victim.post(f"/publish/{policy}.x?{size}&keys={keys}")
        decided_s = time.monotonic() - began
        counted = victim.stats()[counter]
        # Reading now, it gets what was kept for it.
        quiet_since = [time.monotonic(), 0]

        def is_quiet() -> bool:
            if len(subscriber.heard) != quiet_since[1]:
                quiet_since[:] = time.monotonic(), len(subscriber.heard)
            return subscriber.has_ended or time.monotonic() - quiet_since[0] > 0.5

        crowd.work(is_quiet)
        heard, rest = frames(bytes(subscriber.heard))
    figures.note("B1", f"{policy}: {decided_s * 1e3:.0f} ms, counted {counted:,}")
    assert not rest
    assert counted > 0
    assert decided_s <= 1
    is_as_promised(heard)


def wait_for_probes() -> None:
    """Waits until Linux asks peers whose windows are closed hardly any more whether they still are.

    It asks each of them, at intervals that double, thousands within a few milliseconds: whoever
    serves, others wait for that.
    """
    asked, since = -1, time.monotonic()
    deadline = since + 120
    while time.monotonic() - since < PROBES_APART_S:
        assert time.monotonic() < deadline
        names, counts, *_ = Path("/proc/net/netstat").read_text().splitlines()
        now = int(dict(zip(names.split(), counts.split(), strict=True))["TCPWinProbe"])
        if now != asked:
            asked, since = now, time.monotonic()
        time.sleep(0.2)


def test_thousands_who_do_not_read_beside_500_who_do(attack: Attack, figures: Figures) -> None:
    """B2: all of them at their water mark, 20 more messages a second; then all closed at once."""
    victim = attack("--ws-ping-interval", "0")
    path = "/hears/drop-newest.x,close.x"
    crowd_of_500 = {"connections": 500, "rate": 500}
    alone = waits(victim.address, duration_s=3, **crowd_of_500)
    with (
        Crowd.connect(victim.address, MOST, path=path, narrow=True) as crowd,
        victim.peak() as growth,
    ):
        idle = victim.rss_bytes()
        while victim.stats()["dropped"] < len(crowd.members):
            victim.post(f"/publish/drop-newest.x?count=8&size={MESSAGE_BYTES}")
        probed = waits(victim.address, duration_s=2, **crowd_of_500)
        wait_for_probes()

        def measure() -> Compared:
            delivered = 0
            with healthy(victim.address, duration_s=4, **crowd_of_500) as clients:
                end = time.monotonic() + 4
                while time.monotonic() < end:
                    victim.post(f"/publish/drop-newest.x?count=1&size={MESSAGE_BYTES}")
                    delivered += 1
                    time.sleep(0.05)
                return Compared(alone, clients.waits(), f"{delivered} messages to all")

        found = compared(measure)
        with healthy(victim.address, duration_s=3, **crowd_of_500) as clients:
            victim.post(f"/publish/close.x?count=1&size={MESSAGE_BYTES}")
            closed = victim.wait_for("slow_closed", lambda closed: closed >= len(crowd.members))
            during = clients.waits()
        grown = growth()
    figures.note(
        "B2",
        f"{MOST:,}: growth {grown / MIB:.0f} MiB over idle {idle / MIB:.0f} MiB; 500 healthy "
        f"{found} beside {found.rest} (before, with no message at all, while Linux probes all of "
        f"the closed windows: {probed.p99_ms:.1f} ms); while {closed:,} are closed with 4001 at "
        f"once p99 {during.p99_ms:.1f} ms, the longest wait {during.longest_ms:.0f} ms",
    )
    assert grown <= 300 * MIB
    assert found.are_unhurt, found
    assert during.answered == during.asked
