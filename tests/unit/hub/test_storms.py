"""Comings and goings: one at once, many in portions, the last event of each client."""

import json
from collections.abc import Callable

from hubbub.hub.storms import Storms


class Clock:
    """What was put off, done when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        assert delay_s <= 0.1
        self.waiting.append(call)

    def pass_by(self) -> None:
        due, self.waiting = self.waiting, []
        for call in due:
            call()


class Watched:
    def __init__(self) -> None:
        self.clock = Clock()
        self.frames: list[str] = []
        self.storms = Storms(lambda channel, frame: self.frames.append(frame), self.clock.later)

    def tell(self, what: str, client: str) -> None:
        self.storms.tell("room", what, client, json.dumps({"client": client}).encode())

    def take(self) -> list[tuple[str, str]]:
        lines = [line for frame in self.frames for line in frame.split("\n")]
        self.frames.clear()
        pushes = [json.loads(line)["push"] for line in lines]
        return [
            (what, push[what]["info"]["client"])
            for push in pushes
            for what in ("join", "leave")
            if what in push
        ]


def test_one_is_told_at_once_and_the_next_ones_together() -> None:
    watched = Watched()
    watched.tell("join", "a")
    assert watched.take() == [("join", "a")]
    watched.tell("join", "b")
    watched.tell("join", "c")
    assert watched.take() == []
    watched.clock.pass_by()
    assert len(watched.frames) == 1
    assert watched.take() == [("join", "b"), ("join", "c")]
    watched.clock.pass_by()
    assert not watched.clock.waiting, "calm again"
    watched.tell("leave", "a")
    assert watched.take() == [("leave", "a")]


def test_of_each_client_the_last_event_counts() -> None:
    watched = Watched()
    watched.tell("join", "a")
    watched.take()
    for what, client in (("leave", "a"), ("join", "b"), ("leave", "b"), ("join", "a")):
        watched.tell(what, client)
    watched.clock.pass_by()
    # Who was told of b by a presence request meanwhile learns that it has left.
    assert watched.take() == [("leave", "b"), ("join", "a")]


def test_a_storm_comes_in_frames_that_clients_take() -> None:
    watched = Watched()
    for number in range(10_000):
        watched.tell("join", f"client-{number:05}")
    watched.clock.pass_by()
    assert max(map(len, watched.frames)) <= 60_000
    assert len(watched.frames) < 30
    assert len(set(watched.take())) == 10_000


def test_what_is_gathered_can_be_told_before_its_time() -> None:
    watched = Watched()
    watched.tell("join", "a")
    watched.tell("join", "b")
    watched.storms.calm_all()
    assert watched.take() == [("join", "a"), ("join", "b")]
    watched.clock.pass_by()
    assert watched.take() == []


def test_nothing_is_told_after_the_end() -> None:
    watched = Watched()
    watched.tell("join", "a")
    watched.tell("join", "b")
    watched.take()
    watched.storms.end()
    watched.clock.pass_by()
    watched.tell("leave", "a")
    assert watched.take() == []
