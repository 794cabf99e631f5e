"""What carries a session: a WebSocket, or a stream of answers beside which requests are posted."""

import asyncio
import itertools
from typing import Any, NamedTuple, Protocol

from hubbub._core import WebSocket
from hubbub.hub import codes, wire
from hubbub.hub.options import Slow


class Transport(Protocol):
    """One way to a client."""

    def send(self, frame: str) -> None:
        """Sends a frame."""
        ...

    def listen(self, topic: str) -> None:
        """Sends what is published to a topic from now on."""
        ...

    def ignore(self, topic: str) -> None:
        """Sends no more of a topic."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Ends it, after all that was sent."""
        ...


class SocketTransport:
    """A WebSocket: topics are the engine's, a publication does not pass through here."""

    def __init__(self, ws: WebSocket[Any]) -> None:
        self._ws = ws

    def send(self, frame: str) -> None:
        """Sends a frame; who is too slow to take an answer is closed, to come back and resume."""
        sent = self._ws.send(frame)
        if not sent and sent.status == "dropped":
            self._ws.close(3008, "slow")

    def listen(self, topic: str) -> None:
        """Sends what is published to a topic from now on."""
        self._ws.subscribe(topic)

    def ignore(self, topic: str) -> None:
        """Sends no more of a topic."""
        self._ws.unsubscribe(topic)

    def close(self, code: int, reason: str) -> None:
        """Ends it, after all that was sent."""
        self._ws.close(code, reason)


class Listeners:
    """Who hears topics without a WebSocket."""

    def __init__(self, held_limit_bytes: int = 1 << 28) -> None:
        self._topics: dict[str, dict[StreamTransport, None]] = {}
        self.held_limit_bytes = held_limit_bytes
        """How much may wait for all of them together; whoever would exceed it is closed."""

        self.held_bytes = 0
        """How much waits."""

        self.dropped = 0
        """Publications that were left out for one of them."""

        self.conflated = 0
        """Publications that a newer one has replaced."""

        self.slow_closed = 0
        """How many were closed because they read too slowly."""

    def add(self, topic: str, transport: "StreamTransport") -> None:
        """Lets a transport hear a topic."""
        self._topics.setdefault(topic, {})[transport] = None

    def remove(self, topic: str, transport: "StreamTransport") -> None:
        """Lets a transport no longer hear a topic."""
        listening = self._topics.get(topic)
        if listening is not None:
            listening.pop(transport, None)
            if not listening:
                del self._topics[topic]

    def has_room(self, size: int) -> bool:
        """Whether as much more may wait for one of them."""
        return self.held_bytes + size <= self.held_limit_bytes

    def tell(
        self, topic: str, frame: str, slow: Slow = "close", conflate: str | None = None
    ) -> int:
        """Sends a frame to all who hear a topic, in the way of its policy; tells how many."""
        listening = self._topics.get(topic)
        if listening is None:
            return 0
        # A transport that is too slow leaves while it is told.
        for transport in tuple(listening):
            transport.publish(frame, slow, conflate)
        return len(listening)


class _Waiting(NamedTuple):
    """A frame that somebody has to read yet."""

    frame: str
    bytes: int
    is_droppable: bool
    conflate: str | None


class StreamTransport:
    """A stream of frames that somebody reads piece by piece (`http_stream`, `sse`).

    Args:
        listeners: Where it hears topics.
        limit_bytes: How much may wait for a slow reader before it is closed; the frame with which
            that begins is as long as it likes.
    """

    def __init__(self, listeners: Listeners, limit_bytes: int) -> None:
        self._listeners = listeners
        self._limit_bytes = limit_bytes
        # In their order: a frame takes the place of the one that it replaces.
        self._waiting: dict[int, _Waiting] = {}
        self._waiting_bytes = 0
        self._numbers = itertools.count()
        self._conflating: dict[str, int] = {}
        self._topics: set[str] = set()
        self._woken = asyncio.Event()
        # Whether the reader has taken all there was, and waits for more.
        self._is_awaited = True
        self.is_closed = False

    def send(self, frame: str) -> None:
        """Puts a frame into the stream."""
        if self.is_closed:
            return
        waiting = _Waiting(frame, _size(frame), is_droppable=False, conflate=None)
        # However long: who resumes would ask for the same answer again, and for ever.
        has_room = self._waiting_bytes < self._limit_bytes
        if has_room and self._listeners.has_room(waiting.bytes):
            self._put(next(self._numbers), waiting)
        else:
            self._close_slow()

    def publish(self, frame: str, slow: Slow, conflate: str | None) -> None:
        """Puts a publication into the stream; if it is full, its channel's policy decides."""
        if self.is_closed:
            return
        conflate = conflate if slow == "conflate" else None
        waiting = _Waiting(frame, _size(frame), is_droppable=True, conflate=conflate)
        number = None if conflate is None else self._conflating.get(conflate)
        if number is not None:
            change = waiting.bytes - self._waiting[number].bytes
            self._waiting_bytes += change
            self._listeners.held_bytes += change
            self._waiting[number] = waiting
            self._listeners.conflated += 1
            return
        if not self._fits(waiting.bytes) and slow in ("drop-oldest", "conflate"):
            self._make_room(waiting.bytes)
        if self._fits(waiting.bytes):
            self._put(next(self._numbers), waiting)
        elif slow == "close":
            self._close_slow()
        else:
            self._listeners.dropped += 1

    def listen(self, topic: str) -> None:
        """Sends what is published to a topic from now on."""
        self._topics.add(topic)
        self._listeners.add(topic, self)

    def ignore(self, topic: str) -> None:
        """Sends no more of a topic."""
        self._topics.discard(topic)
        self._listeners.remove(topic, self)

    def close(self, code: int, reason: str) -> None:
        """Ends the stream with a push that says why: HTTP itself has no words for it."""
        if self.is_closed:
            return
        reconnect = codes.Disconnected(code, reason).reconnect
        farewell = {"code": code, "reason": reason, "reconnect": reconnect}
        frame = wire.push("", "disconnect", farewell)
        self._put(next(self._numbers), _Waiting(frame, _size(frame), False, None))
        self._end()

    def abandon(self) -> None:
        """Nobody reads it any more."""
        self._end()
        self._forget_all()

    async def take(self) -> list[str]:
        """The frames that wait, or the next ones; none at the end."""
        while not self._waiting and not self.is_closed:
            self._woken.clear()
            self._is_awaited = True
            await self._woken.wait()
        self._is_awaited = False
        taken = [waiting.frame for waiting in self._waiting.values()]
        self._forget_all()
        return taken

    def _end(self) -> None:
        self.is_closed = True
        for topic in self._topics:
            self._listeners.remove(topic, self)
        self._topics.clear()
        self._woken.set()

    def _fits(self, size: int) -> bool:
        is_alone = not self._waiting
        has_room = is_alone or self._waiting_bytes + size <= self._limit_bytes
        return has_room and self._listeners.has_room(size)

    def _put(self, number: int, waiting: _Waiting) -> None:
        self._waiting[number] = waiting
        self._waiting_bytes += waiting.bytes
        self._listeners.held_bytes += waiting.bytes
        if waiting.conflate is not None:
            self._conflating[waiting.conflate] = number
        self._woken.set()

    def _take_out(self, number: int) -> None:
        gone = self._waiting.pop(number)
        self._waiting_bytes -= gone.bytes
        self._listeners.held_bytes -= gone.bytes
        if gone.conflate is not None:
            del self._conflating[gone.conflate]

    def _make_room(self, size: int) -> None:
        droppable = [number for number, one in self._waiting.items() if one.is_droppable]
        for number in droppable:
            if self._fits(size):
                return
            self._take_out(number)
            self._listeners.dropped += 1

    def _close_slow(self) -> None:
        if not self._is_awaited:
            # It will not read what waits either: it resumes when it is back.
            self._forget_all()
        self._listeners.slow_closed += 1
        self.close(3008, "slow")

    def _forget_all(self) -> None:
        self._listeners.held_bytes -= self._waiting_bytes
        self._waiting_bytes = 0
        self._waiting = {}
        self._conflating = {}


def _size(frame: str) -> int:
    return len(frame) if frame.isascii() else len(frame.encode())
