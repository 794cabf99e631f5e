"""Tells when a handler blocks the event loop: which one, by its stack, while it still does.

Also whether it computes or waits for something. That the loop's thread waited for a processor is
no handler's doing: that is told, too, and is not taken for a block.

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
from typing import Literal, Protocol

from hubbub.log import logger

Blame = Callable[[FrameType | None], str | None]
"""From the innermost frame of a stack to the module and the handler, if it is in one."""


Cause = Literal["working", "waiting", "queueing"] | None
"""What makes a stretch of work long; queueing: for a processor. None: the system does not tell."""

_TEXTS: dict[Cause, str] = {
    "working": "%s has blocked the loop for %.1f s, computing (%.0f %% of it at work)",
    "waiting": "%s has blocked the loop for %.1f s, waiting (%.0f %% of it at work)",
    "queueing": "%s has stood still for %.1f s, waiting for a processor (%.0f %% of it at work)",
    None: "%s has blocked the loop for %.1f s",
}


class Watched(Protocol):
    """What can be watched: an engine."""

    def watch_for_block(self, limit_s: float, thread: int) -> tuple[float, Cause, float] | None:
        """Waits for a stretch of work that lasts so long: how long so far, why, how much work."""

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
        self._loop_number = threading.get_native_id()
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
        watch = self._watched.watch_for_block
        while (found := watch(self._limit_s, self._loop_number)) is not None:
            self._warn(*found)

    def _warn(self, lasted_s: float, cause: Cause, at_work: float) -> None:
        who, stack = ("the loop", None) if cause == "queueing" else self._culprit()
        values = (who, lasted_s) if cause is None else (who, lasted_s, 100 * at_work)
        record = logger.makeRecord(
            logger.name, logging.WARNING, __file__, 0, _TEXTS[cause], values, None, sinfo=stack
        )
        logger.handle(record)

    def _culprit(self) -> tuple[str, str | None]:
        frame = sys._current_frames().get(self._loop_thread)  # pyright: ignore[reportPrivateUsage]
        stack = "".join(traceback.format_stack(frame)).rstrip() if frame is not None else None
        who = self._blame(frame) if self._blame is not None else None
        return who or "a handler", stack
