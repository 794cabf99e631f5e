"""Answers in pieces: a head now, the body as an async iterator brings it.

Backpressure is the iterator's: the next piece is asked for when there is room. An iterator that
fails in the middle cuts the connection, so that no client takes a part for the whole.
"""

from collections.abc import AsyncIterable, AsyncIterator, Coroutine, Mapping
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
    """

    __slots__ = ("length", "pieces")

    def __init__(
        self,
        pieces: AsyncIterable[bytes] | AsyncIterable[str] | AsyncIterable[bytes | str],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        content_type: str = "application/octet-stream",
        length: int | None = None,
    ) -> None:
        super().__init__(status, headers, content_type)
        self.pieces: AsyncIterable[bytes | str] = pieces
        self.length = length

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
        try:
            fields = [*self.fields(request), *more_fields.get([])]
            if not exchange.begin(self.status, fields, self.length):
                return
            if request.method != "HEAD" and self.status not in (204, 304):
                async for piece in pieces:
                    data = piece.encode() if isinstance(piece, str) else piece
                    if not await exchange.write(data):
                        return
            exchange.finish()
        finally:
            await close(pieces)


async def close(pieces: AsyncIterator[object]) -> None:
    """Ends an iterator early: its `finally` runs now, not when somebody collects it."""
    aclose = getattr(pieces, "aclose", None)
    if aclose is not None:
        await aclose()
