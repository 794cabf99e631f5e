"""Requests that are too long, too many, or never end (H5, H6, H7, H8; C2's offers)."""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from ..wire import connect, get, receive_all, upgrade
from .conftest import Attack
from .crowd import Crowd, Member
from .figures import Figures
from .healthy import Compared, Waits, healthy, waits
from .victim import Victim

pytestmark = pytest.mark.torture

ROUNDS = 200

BLANKS = " \t" * 7500
TOO_LONG = {
    "2,000 fields": (431, get("/").replace(b"\r\n\r\n", b"\r\nx: y" * 2000 + b"\r\n\r\n")),
    "a field of 1 MiB": (431, get("/").replace(b"\r\n\r\n", b"\r\nx: " + b"y" * (1 << 20))),
    "a path of 64 KiB": (414, get("/" + "a" * (1 << 16))),
}
LISTS = {
    "7,500 blanks and tabs": upgrade("/echo", f"Connection: x,{BLANKS}y"),
    "7,500 empty elements": upgrade("/echo", "Sec-WebSocket-Protocol: " + ", " * 7500),
    "1,000 offers": upgrade("/echo", "Sec-WebSocket-Extensions: " + "a;b=1, " * 1000 + "c"),
    "an offer of 3,500 parameters": upgrade(
        "/echo", "Sec-WebSocket-Extensions: permessage-deflate" + ";x=1" * 3500
    ),
    "a quoted value without end": upgrade(
        "/echo", 'Sec-WebSocket-Extensions: permessage-deflate; a="' + '\\"' * 7000
    ),
}


def cpu_ms_each(victim: Victim, request: bytes, status: int) -> float:
    """What such a request costs, with its connection."""

    def ask() -> None:
        with connect(victim.address) as one:
            # It may be refused before it was all said.
            with suppress(ConnectionError):
                one.sendall(request)
            assert one.recv(1 << 16).startswith(b"HTTP/1.1 %d " % status)

    for _ in range(10):
        ask()
    before_s = victim.cpu_s()
    for _ in range(ROUNDS):
        ask()
    return (victim.cpu_s() - before_s) / ROUNDS * 1e3


def test_what_is_too_long_is_refused_at_little_cost(attack: Attack, figures: Figures) -> None:
    """H5: fields, field, path."""
    victim = attack()
    for name, (status, request) in TOO_LONG.items():
        cpu_ms = cpu_ms_each(victim, request, status)
        figures.note("H5", f"{name}: {status}, {cpu_ms:.2f} ms CPU")
        assert cpu_ms <= 3


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_read_in_linear_time(attack: Attack, figures: Figures, name: str) -> None:
    """H6, and C2's offers: nearly 16 KiB of what made parsers of others backtrack."""
    cpu_ms = cpu_ms_each(attack(), LISTS[name], 101)
    row = "C2" if "offer" in name or "quoted" in name else "H6"
    figures.note(row, f"{name}: {cpu_ms:.2f} ms CPU with the handshake")
    assert cpu_ms <= 3


def test_a_dribbled_head_is_scanned_once(attack: Attack, figures: Figures) -> None:
    """H5: byte for byte; the second half must not cost more than the first."""
    victim = attack("--head-timeout", "60s")

    def cpu_us_per_byte(one: socket.socket, words: bytes) -> float:
        before_s, before = victim.cpu_s(), victim.stats()["bytes_in"]
        for byte in words:
            one.send(bytes([byte]))
        asked = 80
        victim.wait_for("bytes_in", lambda count: count >= before + len(words) + asked)
        return (victim.cpu_s() - before_s) / len(words) * 1e6

    with connect(victim.address) as one:
        one.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nx: ")
        first, second = (cpu_us_per_byte(one, b"y" * 8000) for _ in range(2))
        one.sendall(b"\r\n\r\n")
        assert one.recv(1 << 16).startswith(b"HTTP/1.1 404 ")
    figures.note(
        "H5", f"dribbled: {first:.1f} µs CPU a byte in the first 8 KiB, {second:.1f} after"
    )
    assert second <= first * 2


WRONG = (
    get("/nothing-here"),
    b"GET / HTTP/1.1\r\n\r\n",
    upgrade().replace(b"Version: 13", b"Version: 8"),
    upgrade().replace(b"Sec-WebSocket-Key: ", b"Sec-WebSocket-Key: x"),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
    b"\r\n\r\nGET" + bytes(100),
)
"""Refused and malformed."""

CUT = (b"", upgrade()[:1], upgrade()[:100], upgrade(), get("/stats")[:-2])
"""Aborted after this."""


def handshakes(victim: Victim, count: int) -> None:
    """Some thousand of them, a hundred at a time."""
    resets = struct.pack("ii", 1, 0)
    for first in range(0, count, 100):
        batch = [connect(victim.address) for _ in range(100)]
        aborted, refused = batch[:50], batch[50:]
        for number, one in enumerate(aborted, first):
            if words := CUT[number % len(CUT)]:
                one.sendall(words)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, resets)
            one.close()
        for number, one in enumerate(refused, first):
            one.sendall(WRONG[number % len(WRONG)])
        for one in refused:
            assert one.recv(1 << 16).startswith(b"HTTP/1.1 4")
            one.close()


def test_handshakes_that_fail_leave_nothing_behind(attack: Attack, figures: Figures) -> None:
    """H7: 100,000 refused, aborted and malformed ones."""
    # What waits for a deadline of theirs is given back with it.
    victim = attack("--head-timeout", "2s")
    handshakes(victim, 10_000)
    victim.wait_quiet()
    descriptors, rss = victim.descriptors(), victim.rss_bytes()
    handshakes(victim, 100_000)
    victim.wait_quiet()
    more = victim.descriptors() - descriptors
    grown = victim.rss_bytes() / rss - 1
    figures.note("H7", f"100,000: {more} descriptors, {grown:+.1%} memory")
    assert more == 0
    assert grown <= 0.05


def test_who_says_nothing_is_not_waited_for(attack: Attack, figures: Figures) -> None:
    """H8: 10,000 connections that are silent, stop half-way, or dribble."""
    victim = attack()

    def beside(attacked: Victim) -> tuple[Waits, str]:
        with (
            Crowd.connect(attacked.address, 10_000) as crowd,
            healthy(victim.address, rate=100, duration_s=11, what="handshake") as honest,
        ):
            silent, half, dribbling = (crowd.members[kind::3] for kind in range(3))
            for member in half:
                member.pending = memoryview(upgrade()[:100])
            slowly = dribbles(dribbling, upgrade("/echo", "x: " + "y" * 1000))

            def all_ended() -> bool:
                next(slowly)
                return crowd.has_ended()

            crowd.work(all_ended)
            found = honest.waits()
        ends = {
            name: [member.ended_s or 0 for member in members]
            for name, members in (("silent", silent), ("half", half), ("dribbling", dribbling))
        }
        for name, seconds in ends.items():
            assert min(seconds) >= 9, name
            assert max(seconds) <= 11.5, name
        assert all(b" 408 " in member.heard for member in half)
        spans = [f"{name} {min(s):.1f} to {max(s):.1f} s" for name, s in ends.items()]
        return found, ", ".join(spans)

    alone = waits(victim.address, rate=100, duration_s=5, what="handshake")
    found, note = Compared(alone, *beside(victim)), ""
    if not found.are_unhurt:
        # What attackers take of processors we share they take whomever they attack.
        elsewhere, _ = beside(attack())
        found = Compared(elsewhere, *beside(victim))
        note = " (the former while they attack another server of the same machine)"
    figures.note("H8", f"10,000 closed: {found.rest}; honest handshakes {found}{note}")
    assert found.are_unhurt, found


def dribbles(members: list[Member], words: bytes) -> Iterator[None]:
    """Gives each member another byte now and then."""
    at, due = 0, time.monotonic()
    while True:
        if time.monotonic() >= due:
            due += 1
            for member in members:
                if not member.has_ended:
                    # Its end is noticed when it is heard.
                    with suppress(OSError):
                        member.socket.send(words[at : at + 1])
            at += 1
        yield


def test_every_refusal_says_why(attack: Attack) -> None:
    """Refused, malformed or late: the peer reads a whole answer and then the end, never a reset."""
    victim = attack("--head-timeout", "1s")
    unfinished = [words for words in CUT if words and not words.endswith(b"\r\n\r\n")]
    for words in (*WRONG[1:], *unfinished):
        with connect(victim.address) as one:
            one.sendall(words)
            answer = receive_all(one)
            assert answer.startswith(b"HTTP/1.1 4"), words
            assert b"\r\n\r\n" in answer, words
