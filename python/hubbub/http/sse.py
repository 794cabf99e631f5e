"""Server-Sent Events (WHATWG HTML §9.2): a stream of texts that a browser's EventSource reads.

Comments keep the connection alive and show when a client has gone; the stream ends then.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from hubbub._core import Request
from hubbub.errors import Misuse
from hubbub.http.response import BaseResponse, merged
from hubbub.http.streaming import StreamingResponse, close

HEARTBEAT_S = 15.0
"""Proxies take a stream that says nothing for a minute for dead; the standard recommends this."""

_COMMENT = b":\n\n"


@dataclass(frozen=True)
class Event:
    """One event.

    Attributes:
        data: What the page gets as `event.data`; anything but `str` is sent as JSON.
        event: Its type; empty: "message".
        id: What the client sends as `Last-Event-ID` when it comes back.
        retry_ms: How long the client shall wait before it comes back.
    """

    data: object = ""
    event: str = ""
    id: str | None = None
    retry_ms: int | None = None

    def encode(self) -> bytes:
        """The event as it is sent.

        Raises:
            Misuse: Type or id hold a line end, or the id a NUL: it would not arrive.
        """
        lines: list[str] = []
        if self.event:
            lines.append(f"event: {_one_line('event', self.event)}")
        if self.id is not None:
            lines.append(f"id: {_one_line('id', self.id)}")
        if self.retry_ms is not None:
            lines.append(f"retry: {self.retry_ms}")
        data = self.data if isinstance(self.data, str) else msgspec.json.encode(self.data).decode()
        # All three line ends of the standard; str.splitlines knows more.
        text = data.replace("\r\n", "\n").replace("\r", "\n")
        lines.extend(f"data: {line}" for line in text.split("\n"))
        return ("\n".join(lines) + "\n\n").encode()


class EventSourceResponse(BaseResponse):
    """A stream of events for a browser's EventSource.

    Args:
        events: An async iterator of `Event`; `str` stands for an event with that data.
        headers: More header fields.
        heartbeat_s: Silence after which a comment is sent; 0: never.
        endless: A server that stops ends it within its `drain_window`, and EventSource comes back
            by itself. A stream that shall be waited for instead says False.
    """

    __slots__ = ("endless", "events", "heartbeat_s")

    def __init__(
        self,
        events: AsyncIterable[Event] | AsyncIterable[str] | AsyncIterable[Event | str],
        *,
        headers: Mapping[str, str] | None = None,
        heartbeat_s: float = HEARTBEAT_S,
        endless: bool = True,
    ) -> None:
        own = [("cache-control", "no-store"), ("x-accel-buffering", "no")]
        fields = dict(merged(own, (headers or {}).items()))
        super().__init__(200, fields, "text/event-stream")
        self.events = events
        self.heartbeat_s = heartbeat_s
        self.endless = endless

    def answer(self, request: Request) -> Coroutine[Any, Any, None]:
        """What sends it."""
        return self.send(request)

    async def send(self, request: Request) -> None:
        """Sends events until there are no more, or the client goes.

        Raises:
            Misuse: An event cannot be sent.
        """
        stream = StreamingResponse(
            _encoded(aiter(self.events), self.heartbeat_s),
            headers={},
            content_type="text/event-stream; charset=utf-8",
            endless=self.endless,
        )
        stream.headers = self.headers
        await stream.send(request)


def last_event_id(request: Request) -> str:
    """The id of the last event that a returning client has seen; empty for a new one."""
    # Sent as UTF-8 (§9.2.3); fields are read as Latin-1.
    field = request.headers.get("last-event-id", "")
    return field.encode("latin-1").decode(errors="replace")


async def _encoded(events: AsyncIterator[Event | str], heartbeat_s: float) -> AsyncIterator[bytes]:
    # The first bytes at once: only they tell the page that the stream is open.
    yield _COMMENT
    waiting: asyncio.Task[Event | str] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(_next(events))
            done, _ = await asyncio.wait([waiting], timeout=heartbeat_s or None)
            if not done:
                yield _COMMENT
                continue
            try:
                event = waiting.result()
            except StopAsyncIteration:
                return
            waiting = None
            yield (Event(event) if isinstance(event, str) else event).encode()
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait([waiting])
        await close(events)


async def _next(events: AsyncIterator[Event | str]) -> Event | str:
    return await anext(events)


def _one_line(name: str, text: str) -> str:
    if any(end in text for end in "\r\n\0"):
        raise Misuse(f"{name} of an event: expected one line: {text!r}")
    return text
