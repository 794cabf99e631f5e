"""Memory at the budget (R3): each step of the ladder is taken and told, and service stays."""

import socket

import pytest

from ..wire import BINARY, connect, frame, open_websocket, receive_all, receive_frame, upgrade
from .conftest import Attack
from .crowd import Crowd
from .figures import Figures

pytestmark = pytest.mark.torture

KIB, MIB = 1 << 10, 1 << 20
SMALL_BYTES, LARGE_BYTES = 40 * KIB, 160 * KIB
"""What a small and a large holder send of a message that does not end."""


def unfinished(size: int) -> bytes:
    return frame(BINARY, bytes(size + 1))[:-1]


def answers(one: socket.socket) -> bool:
    """Whether a connection that is open already still gets its echo."""
    one.sendall(frame(BINARY, b"still there?"))
    return receive_frame(one).payload == b"still there?"


def test_memory_runs_short_step_by_step(attack: Attack, figures: Figures) -> None:
    """From 70 % of 64 MiB on: shrink, do not read the largest, refuse, close the largest."""
    victim = attack("--held-limit", "64MiB", "--message-timeout", "120s")
    seen = list[int]()
    with (
        Crowd.connect(victim.address, 2_000, path="/sink") as crowd,
        Crowd.connect(victim.address, 20, path="/sink") as large,
        open_websocket(victim.address) as honest,
        victim.peak() as growth,
    ):
        idle = iter(range(0, len(crowd.members), 20))

        def fill_until(step: int) -> None:
            while victim.stats()["pressure"] < step:
                start = next(idle)
                some = Crowd(crowd.members[start : start + 20])
                some.say(unfinished(SMALL_BYTES))
                some.work(some.has_spoken)
            seen.append(victim.stats()["pressure"])
            assert answers(honest)

        fill_until(1)
        assert victim.stats()["memory_shrinks"] == 1
        fill_until(2)
        large.say(unfinished(LARGE_BYTES))
        large.work(large.has_spoken)
        paused = victim.wait_for("memory_paused", lambda count: count > 0)
        fill_until(3)
        with connect(victim.address) as refused:
            refused.sendall(upgrade())
            answer = receive_all(refused)
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"\r\nRetry-After: " in answer
        fill_until(4)
        closed = victim.wait_for("over_budget", lambda count: count > 0)
        grown = growth()
        for member in (*crowd.members, *large.members):
            member.socket.close()
        victim.wait_for("pressure", lambda level: level == 0)
        assert answers(honest)
        with open_websocket(victim.address) as again:
            assert answers(again)
    told = victim.log.read_text(errors="replace").count("of held_limit")
    figures.note(
        "R3",
        f"2,020 peers with messages that do not end against 64 MiB: steps {seen} seen, "
        f"{paused} not read, newcomers 503, {closed} ended with 1013; growth {grown / MIB:.0f} MiB",
    )
    assert seen == [1, 2, 3, 4]
    assert told >= 3
    assert grown <= 1.1 * 64 * MIB
