"""What carries a session: a WebSocket, or a stream of answers beside which requests are posted."""

import asyncio
from typing import Any, Protocol

from hubbub._core import WebSocket
from hubbub.hub import codes, wire


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
        if self._ws.send(frame).status == "dropped":
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

    def __init__(self) -> None:
        self._topics: dict[str, dict[StreamTransport, None]] = {}

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

    def tell(self, topic: str, frame: str) -> int:
        """Sends a frame to all who hear a topic; tells how many."""
        listening = self._topics.get(topic)
        if listening is None:
            return 0
        # A transport that is too slow leaves while it is told.
        for transport in tuple(listening):
            transport.send(frame)
        return len(listening)


class StreamTransport:
    """A stream of frames that somebody reads piece by piece (`http_stream`, `sse`).

    Args:
        listeners: Where it hears topics.
        limit_bytes: How much may wait for a slow reader before it is closed.
    """

    def __init__(self, listeners: Listeners, limit_bytes: int) -> None:
        self._listeners = listeners
        self._limit_bytes = limit_bytes
        self._waiting: list[str] = []
        self._waiting_bytes = 0
        self._topics: set[str] = set()
        self._woken = asyncio.Event()
        self.is_closed = False

    def send(self, frame: str) -> None:
        """Puts a frame into the stream."""
        if self.is_closed:
            return
        self._waiting.append(frame)
        self._waiting_bytes += len(frame)
        self._woken.set()
        if self._waiting_bytes > self._limit_bytes:
            self.close(3008, "slow")

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
        if self._waiting_bytes > self._limit_bytes:
            self._waiting.clear()
        reconnect = codes.Disconnected(code, reason).reconnect
        farewell = {"code": code, "reason": reason, "reconnect": reconnect}
        self._waiting.append(wire.push("", "disconnect", farewell))
        self.is_closed = True
        for topic in self._topics:
            self._listeners.remove(topic, self)
        self._topics.clear()
        self._woken.set()

    async def take(self) -> list[str]:
        """The frames that wait, or the next ones; none at the end."""
        while not self._waiting and not self.is_closed:
            self._woken.clear()
            await self._woken.wait()
        taken, self._waiting, self._waiting_bytes = self._waiting, [], 0
        return taken
