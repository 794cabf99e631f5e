"""`Turns`: what has been told of one channel and is not done yet, and what of it is next (pure).

All of it in the order in which it came, but that nobody waits because somebody else speaks too
quickly. What one person does keeps its order; what is about a message comes after that message;
of several topics the last one holds; and what was said while we were away comes before what is said
now, in its own order.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from hubbub.bridges.link import remote as net
from hubbub.bridges.link.visitor import Visitor

Heard = net.Said | net.Edited | net.Retracted | net.Reacted | net.ReactedWith | net.TopicSet


@dataclass(eq=False)
class Turn:
    """Something that waits to be done."""

    number: int
    visitor: Visitor | None
    """Whose it is; None: the remote's own."""

    event: Heard
    needs: int = 0
    """How much has to be done before."""

    then: "list[Turn]" = field(default_factory=list["Turn"])
    """What has to wait for it."""


class Turns:
    """What one channel has to do."""

    def __init__(self) -> None:
        self._count = 0
        self._number = 0
        self._last: dict[object, Turn] = {}
        self._ready: list[tuple[int, Turn]] = []
        self._late: list[tuple[float, int, Turn]] = []

    def __len__(self) -> int:
        return self._count

    def put(self, visitor: Visitor | None, event: Heard) -> None:
        """Something was told."""
        self._count += 1
        self._number += 1
        turn = Turn(self._number, visitor, event)
        waits_for = [visitor, _PAST, *_about(event)]
        for before in {self._last[key] for key in waits_for if key in self._last}:
            before.then.append(turn)
            turn.needs += 1
        for key in _known_by(turn):
            self._last[key] = turn
        if not turn.needs:
            heapq.heappush(self._ready, (turn.number, turn))

    def next(self, now_s: float, wait_s: Callable[[Turn], float]) -> Turn | float | None:
        """What to do now: it is underway until it is `done`.

        Args:
            now_s: The time.
            wait_s: How many seconds something has to be put off; 0: not at all.

        Returns:
            It; or in how many seconds to ask again; None: when something was told or done.
        """
        while self._late and self._late[0][0] <= now_s:
            _, number, turn = heapq.heappop(self._late)
            heapq.heappush(self._ready, (number, turn))
        while self._ready:
            number, turn = heapq.heappop(self._ready)
            if (seconds := wait_s(turn)) <= 0:
                return turn
            heapq.heappush(self._late, (now_s + seconds, number, turn))
        return self._late[0][0] - now_s if self._late else None

    def done(self, turn: Turn) -> None:
        """What waited for it may have its turn."""
        self._count -= 1
        for key in _known_by(turn):
            if self._last.get(key) is turn:
                del self._last[key]
        for one in turn.then:
            one.needs -= 1
            if not one.needs:
                heapq.heappush(self._ready, (one.number, one))


_PAST = object()
"""What all wait for, as long as something of it is left."""

_TOPIC = object()
"""What says what the channel is about."""


def _known_by(turn: Turn) -> list[object]:
    """Under which keys others wait for it."""
    event = turn.event
    keys: list[object] = [turn.visitor]
    if isinstance(event, net.Said | net.Edited) and event.remote_id:
        keys.append(event.remote_id)
    if isinstance(event, net.Said) and event.is_past:
        keys.append(_PAST)
    if isinstance(event, net.TopicSet):
        keys.append(_TOPIC)
    return keys


def _about(event: Heard) -> tuple[object, ...]:
    """What the remote calls the messages that it is about; its own, for it may be told twice."""
    match event:
        case net.Said():
            return event.reply_to, event.remote_id
        case net.Edited():
            return event.before, event.remote_id
        case net.Retracted() | net.Reacted() | net.ReactedWith():
            return (event.remote_id,)
        case net.TopicSet():
            return (_TOPIC,)
