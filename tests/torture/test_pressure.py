"""Peers that are faster than what they talk to (B4, B5)."""

import os
import time

import pytest

from ..wire import BINARY, PING, PONG, frame, open_websocket, receive_frame
from .conftest import Attack
from .crowd import Crowd
from .figures import Figures
from .flood import flooding
from .healthy import Compared, compared, healthy, waits

pytestmark = pytest.mark.torture

KIB, MIB = 1 << 10, 1 << 20


def test_a_peer_faster_than_its_handler_is_read_no_further(
    attack: Attack, figures: Figures
) -> None:
    """B4: 64 MiB for a handler that does not come back."""
    victim = attack()
    message = frame(BINARY, bytes(4 * KIB))
    with Crowd.connect(victim.address, 1, path="/sleeps") as crowd:
        (peer,) = crowd.members
        with victim.peak() as growth:
            crowd.say(message * (64 * MIB // len(message)))
            left, since = len(peer.pending), time.monotonic()

            def is_stuck() -> bool:
                nonlocal left, since
                if len(peer.pending) != left:
                    left, since = len(peer.pending), time.monotonic()
                return time.monotonic() - since > 1

            crowd.work(is_stuck)
            read = victim.stats()["bytes_in"]
            grown = growth()
        victim.post("/wake")
        crowd.work(crowd.has_spoken)
        peer.pending = memoryview(frame(PING, b"still there?"))
        crowd.work(lambda: frame(PONG, b"still there?")[6:] in peer.heard)
    figures.note("B4", f"{read // KIB} KiB read of 64 MiB, growth {grown // KIB} KiB")
    assert read <= 1 * MIB
    assert grown <= 1 * MIB


def test_ping_and_close_are_heard_while_a_handler_works(attack: Attack) -> None:
    """B4: as long as less than the bound waits for it."""
    victim = attack()
    with open_websocket(victim.address, "/sleeps") as one:
        one.sendall(frame(BINARY, b"work") * 60 + frame(PING, b"and?"))
        answer = receive_frame(one)
        assert (answer.opcode, answer.payload) == (PONG, b"and?")
        one.sendall(frame(8, (1000).to_bytes(2)))
        assert receive_frame(one).close_code == 1000
    victim.wait_quiet()


def test_what_waits_for_handlers_is_in_the_budget(attack: Attack, figures: Figures) -> None:
    """B4: small messages, for they cost more than their bytes, from 2,000 peers at a time."""
    victim = attack("--held-limit", "64MiB")
    message = frame(BINARY, b"ab")
    with Crowd.connect(victim.address, 2000, path="/sleeps") as crowd, victim.peak() as growth:
        crowd.say(message * (128 * KIB // len(message)))
        began = time.monotonic()
        crowd.work(lambda: crowd.has_spoken() or time.monotonic() - began > 10, listen=False)
        stats = victim.stats()
        grown = growth()
    figures.note(
        "B4",
        f"2,000 peers with 128 KiB of 2-byte messages each against a budget of 64 MiB: growth "
        f"{grown // MIB} MiB, {stats['over_budget']:,} ended with 1013",
    )
    assert grown <= 1.1 * 64 * MIB


@pytest.mark.parametrize("size", [64 * KIB, 16 * MIB], ids=["64 KiB", "16 MiB"])
def test_others_hardly_notice_one_that_never_stops(
    attack: Attack, figures: Figures, size: int
) -> None:
    """B5: messages without end, as fast as they are taken."""
    victim = attack("--ws-max-size", "16MiB")

    def measure() -> Compared:
        alone = waits(victim.address, duration_s=3)
        with (
            flooding(victim.address, "uploads", 1, size) as flood,
            healthy(victim.address, duration_s=4) as others,
        ):
            began, before = time.monotonic(), victim.stats()["bytes_in"]
            beside = others.waits()
            rate = (victim.stats()["bytes_in"] - before) / (time.monotonic() - began)
            flood.stop()
        assert rate > 16 * MIB
        return Compared(alone, beside, f"{rate / MIB:,.0f} MiB a second")

    found = compared(measure)
    figures.note(
        "B5",
        f"{size // KIB:,} KiB each, {found.rest}: {found} of 50 others on {os.cpu_count()} cores",
    )
    assert found.are_unhurt, found
