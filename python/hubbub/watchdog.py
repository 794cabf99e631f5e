"""Tells when a handler blocks the event loop: which one, by its stack, while it still does.

Blocking the loop stops every other connection, and afterwards nothing shows who it was. A thread
of its own waits in the engine, which wakes it when it has something to tell: until then it never
takes the GIL from the loop. Knows nothing of applications.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Protocol

from hubbub.log import logger

Blame = Callable[[FrameType | None], str | None]
"""From the innermost frame of a stack to the module and the handler, if it is in one."""


class Watched(Protocol):
    """What can be watched: an engine."""

    def watch_for_block(self, limit_s: float) -> float | None:
        """Waits for a stretch of work that lasts so long: how long so far."""

    def conclude_watch(self) -> None:
        """Ends that wait."""


class Watchdog:
    """Watches the loop of the thread that makes it; use it in a `with`."""

    def __init__(self, watched: Watched, limit_s: float, blame: Blame | None = None) -> None:
        """Prepares it.

        Args:
            watched: The loop's engine.
            limit_s: From when on that is worth a warning, in seconds.
            blame: Tells, and notes, whose code a stack is in.
        """
        self._watched = watched
        self._limit_s = limit_s
        self._blame = blame
        self._loop_thread = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="hubbub-watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        """Begins to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        self._watched.conclude_watch()
        self._thread.join()

    def _watch(self) -> None:
        while (blocked_s := self._watched.watch_for_block(self._limit_s)) is not None:
            self._warn(blocked_s)

    def _warn(self, blocked_s: float) -> None:
        frame = sys._current_frames().get(self._loop_thread)  # pyright: ignore[reportPrivateUsage]
        stack = "".join(traceback.format_stack(frame)).rstrip() if frame is not None else None
        who = self._blame(frame) if self._blame is not None else None
        text, values = "%s has blocked the loop for %.1f s", (who or "a handler", blocked_s)
        record = logger.makeRecord(
            logger.name, logging.WARNING, __file__, 0, text, values, None, sinfo=stack
        )
        logger.handle(record)
