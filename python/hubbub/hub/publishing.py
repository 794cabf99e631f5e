"""`Publishing`: what became of a publication, now or once it is on disk."""

import asyncio
from collections.abc import Generator
from typing import Any

from hubbub.errors import Misuse

Place = tuple[int, str]
"""Offset and epoch; 0 and "" where nothing is remembered."""


class Publishing:
    """A publication that was handed over; await it to be sure.

    In a channel that is not persistent it is done already, and awaiting waits for nothing. In one
    that is, it is done when the publication is on disk and has gone out.
    """

    __slots__ = ("_failure", "_place", "_waiting")

    def __init__(self, place: Place | None = None) -> None:
        self._place = place
        self._failure: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    @property
    def is_done(self) -> bool:
        """Whether it is known what became of it."""
        return self._place is not None or self._failure is not None

    @property
    def place(self) -> Place:
        """Offset and epoch.

        Raises:
            Misuse: It is not known yet: await it.
            StorageFailure: It could not be stored, and nobody has heard of it.
        """
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        if self._place is None:
            raise Misuse("not published yet: await it")
        return self._place

    def settle(self, place: Place) -> None:
        """It is published."""
        self._place = place
        self._wake()

    def fail(self, failure: Exception) -> None:
        """It could not be stored."""
        self._failure = failure
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def __await__(self) -> Generator[Any, None, Place]:
        """Waits until it is published.

        Returns:
            Offset and epoch.

        Raises:
            StorageFailure: It could not be stored, and nobody has heard of it.
        """
        if not self.is_done:
            if self._waiting is None:
                self._waiting = asyncio.get_running_loop().create_future()
            # Shielded: several may wait, and one of them may be cancelled.
            yield from asyncio.shield(self._waiting).__await__()
        return self.place
