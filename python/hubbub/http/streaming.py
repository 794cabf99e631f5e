"""Answers in pieces: a head now, the body as an async iterator brings it.

Backpressure is the iterator's: the next piece is asked for when there is room. An iterator that
fails in the middle cuts the connection, so that no client takes a part for the whole.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Mapping
from types import TracebackType
from typing import Any

from hubbub._core import Request
from hubbub.http.response import BaseResponse, more_fields


class StreamingResponse(BaseResponse):
    """An answer whose body comes piece by piece.

    Args:
        pieces: An async iterator of `bytes`, or of `str`, which is sent as UTF-8.
        status: The HTTP status.
        headers: More header fields.
        content_type: What the body is.
        length: Its length in bytes, if it is known; without one it is sent in chunks.
        endless: It has no end of its own: a server that stops cancels the iterator within its
            `drain_window`, and the answer ends in order. Others are waited for.
    """

    __slots__ = ("endless", "length", "pieces")

    def __init__(
        self,
        pieces: AsyncIterable[bytes] | AsyncIterable[str] | AsyncIterable[bytes | str],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/octet-stream",
        length: int | None = None,
        endless: bool = False,
    ) -> None:
        super().__init__(status, headers, content_type)
        self.pieces: AsyncIterable[bytes | str] = pieces
        self.length = length
        self.endless = endless

    def answer(self, request: Request) -> Coroutine[Any, Any, None]:
        """What sends it."""
        return self.send(request)

    async def send(self, request: Request) -> None:
        """Sends it all; ends early when the client has gone.

        Raises:
            Misuse: Status, fields or length may not be sent.
        """
        exchange = request.exchange()
        pieces = aiter(self.pieces)
        farewell = _Farewell()
        try:
            fields = [*self.fields(request), *more_fields.get([])]
            if not exchange.begin(self.status, fields, self.length):
                return
            if self.endless:
                exchange.on_drain(farewell)
            if request.method != "HEAD" and self.status not in (204, 304):
                with farewell:
                    async for piece in pieces:
                        data = piece.encode() if isinstance(piece, str) else piece
                        if not await exchange.write(data):
                            return
                        if farewell.is_due:
                            break
            exchange.finish()
        finally:
            await close(pieces)


class _Farewell:
    """Ends what the present task waits for, once it is called; as `asyncio.timeout` does by time.

    Attributes:
        is_due: It has been called.
    """

    def __init__(self) -> None:
        self.is_due = False
        self._task = asyncio.current_task()

    def __call__(self) -> None:
        self.is_due = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> None:
        """From here on there is something to end."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Goes on behind it, if the cancellation was ours alone."""
        if not self.is_due or self._task is None:
            return False
        is_ours = self._task.uncancel() == 0
        return is_ours and kind is not None and issubclass(kind, asyncio.CancelledError)


async def close(pieces: AsyncIterator[object]) -> None:
    """Ends an iterator early: its `finally` runs now, not when somebody collects it."""
    aclose = getattr(pieces, "aclose", None)
    if aclose is not None:
        await aclose()
