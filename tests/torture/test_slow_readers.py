"""A fifth of the readers stops reading at full rate (B7): raw topics, and the hub's channels."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise

import pytest

from ..wire import CLOSE, Frame, frames
from .conftest import Attack
from .crowd import Crowd
from .figures import Figures
from .readers import Readers, numbers, subscribed
from .victim import Victim

pytestmark = pytest.mark.torture

MIB = 1 << 20
READERS = int(os.environ.get("HUBBUB_READERS", "4000"))
STUCK = READERS // 4
SIZE = 1_000
PORTION = KEYS = 16
"""Not more of a portion than there are keys: else it would conflate itself before anybody reads."""

ROUNDS = 5
ROUND_S = 0.6
OUTBOX = 128 << 10

COUNTERS = {
    "close": "slow_closed",
    "drop-newest": "dropped",
    "drop-oldest": "dropped",
    "conflate": "conflated",
}


class Raw:
    """A topic of the app's own, published to from its handlers."""

    def __init__(self, victim: Victim, policy: str) -> None:
        self.victim = victim
        self._policy = policy
        self._next: dict[str, int] = {}

    def join(self, topic: str, count: int, *, narrow: bool = False) -> Crowd:
        """Readers of a topic."""
        path = f"/hears/{topic}"
        return Crowd.connect(self.victim.address, count, path=path, narrow=narrow)

    def publish(self, topic: str) -> int:
        """The next portion; the numbers of a topic are consecutive."""
        first = self._next.get(topic, 0)
        self._next[topic] = first + PORTION
        keys = KEYS if self._policy == "conflate" else 0
        self.victim.post(
            f"{self.target}/{topic}?first={first}&count={PORTION}&size={SIZE}&keys={keys}"
        )
        return PORTION

    def last(self, topic: str) -> int:
        """The number that was published last."""
        return self._next[topic] - 1

    target = "/publish"


class Channel(Raw):
    """A channel of the hub, over its wire."""

    target = "/say"

    def join(self, topic: str, count: int, *, narrow: bool = False) -> Crowd:
        """The hub's clients in a channel."""
        return subscribed(self.victim.address, count, topic, narrow=narrow)


def closed_to_come_back(heard: list[Frame], last: int) -> None:
    assert heard[-1].close_code == 4001
    offsets = [offset for _, offset in numbers(heard)]
    assert offsets == list(range(offsets[0], offsets[0] + len(offsets))), "no holes before it"


def newest_left_out(heard: list[Frame], last: int) -> None:
    offsets = [offset for _, offset in numbers(heard)]
    assert all(a < b for a, b in pairwise(offsets))
    # What was waiting comes whole; then the offsets jump to what had room again.
    assert offsets[:32] == list(range(1, 33))
    assert offsets[-1] == last + 1
    assert len(offsets) < last


def oldest_left_out(heard: list[Frame], last: int) -> None:
    offsets = [offset for _, offset in numbers(heard)]
    assert all(a < b for a, b in pairwise(offsets))
    newest = offsets[-64:]
    assert newest == list(range(last - 62, last + 2)), "the newest are there whole"
    assert len(offsets) < last


def newest_of_each_key(heard: list[Frame], last: int) -> None:
    found = [number for number, _ in numbers(heard)]
    assert set(found) >= set(range(last - KEYS + 1, last + 1))
    assert len(found) < last


PROMISES: dict[str, Callable[[list[Frame], int], None]] = {
    "close": closed_to_come_back,
    "drop-newest": newest_left_out,
    "drop-oldest": oldest_left_out,
    "conflate": newest_of_each_key,
}


@pytest.mark.parametrize("policy", PROMISES)
@pytest.mark.parametrize("kind", [Raw, Channel])
def test_a_fifth_stops_reading(
    attack: Attack, figures: Figures, kind: type[Raw], policy: str
) -> None:
    """B7: the others keep their rate, memory its budget, and the policy its word."""
    victim = attack(
        *("--outbox-limit", f"{OUTBOX >> 10}KiB", "--outbox-low", "16KiB"),
        *("--ws-ping-interval", "0"),
        app="tests/torture/hub_app.py:app",
    )
    control, drill = f"{policy}.control", f"{policy}.drill"
    topics = kind(victim, policy)
    with ExitStack() as stack:
        others = stack.enter_context(topics.join(control, READERS))
        also = stack.enter_context(topics.join(drill, READERS))
        stuck = stack.enter_context(topics.join(drill, STUCK, narrow=True))
        with victim.peak() as growth:
            # Until all of the stuck are full, or gone: nobody's rate is measured meanwhile.
            counter = COUNTERS[policy]
            while victim.stats()[counter] < STUCK:
                Readers(also).rate(lambda: topics.publish(drill), 0.2)
            # Who is closed has five seconds to read why.
            heard = _what_the_stuck_hear(stuck, topics, drill) if policy == "close" else []
            rates: dict[str, list[float]] = {control: [], drill: []}
            for _ in range(ROUNDS):
                for topic, readers in ((control, others), (drill, also)):
                    found = Readers(readers).rate(
                        lambda topic=topic: topics.publish(topic), ROUND_S
                    )
                    rates[topic].append(found)
            grown = growth()
        heard = heard or _what_the_stuck_hear(stuck, topics, drill)
        stats = victim.stats()
    # The best of several: whatever else the machine does can only make it slower.
    alone, beside = (max(rates[topic]) for topic in (control, drill))
    kept = beside / alone
    figures.note(
        "B7",
        f"{'channel' if kind is Channel else 'topic'}, {policy}: {READERS:,} keep {kept:.0%} of "
        f"{alone * READERS:,.0f} deliveries a second, growth {grown / MIB:.0f} MiB, "
        f"counted {stats[counter]:,}",
    )
    for words in heard:
        PROMISES[policy](words, topics.last(drill))
    missing = sum(topics.last(drill) + 1 - len(numbers(words)) for words in heard)
    if policy == "close":
        assert stats["slow_closed"] == STUCK
    else:
        assert stats["slow_closed"] == 0
        assert stats["dropped"] + stats["conflated"] == missing, "each that is left out is counted"
    assert stats["over_budget"] == 0
    assert grown <= STUCK * OUTBOX + 100 * MIB
    # The bound is 0.9; what a machine's other work does to a rate must not fail a build.
    assert kept >= 0.7


def _what_the_stuck_hear(stuck: Crowd, topics: Raw, topic: str) -> list[list[Frame]]:
    """They read again, and one more portion is published: what each of them hears."""
    since = [time.monotonic(), 0]

    def is_quiet() -> bool:
        heard = sum(len(member.heard) for member in stuck.members)
        if heard != since[1]:
            since[:] = time.monotonic(), heard
        return stuck.has_ended() or time.monotonic() - since[0] > 0.5

    stuck.work(is_quiet)
    if not stuck.has_ended():
        topics.publish(topic)
        since[0] = time.monotonic()
        stuck.work(is_quiet)
    found = []
    for member in stuck.members:
        heard, rest = frames(bytes(member.heard))
        assert not rest
        assert heard
        assert sum(one.opcode == CLOSE for one in heard) <= 1
        found.append(heard)
    return found
