"""Tells when a handler blocks the event loop: which one, by its stack, while it still does.

Blocking the loop stops every other connection, and afterwards nothing shows who it was. A thread
of its own looks at the engine's clock. Knows nothing of applications.
"""

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import FrameType

from hubbub.log import logger

Blame = Callable[[FrameType | None], str | None]
"""From the innermost frame of a stack to the module and the handler, if it is in one."""


class Watchdog:
    """Watches the loop of the thread that makes it; use it in a `with`."""

    def __init__(
        self, blocked_s: Callable[[], float], limit_s: float, blame: Blame | None = None
    ) -> None:
        """Prepares it.

        Args:
            blocked_s: Tells how long the loop has not looked at its sockets, in seconds.
            limit_s: From when on that is worth a warning, in seconds.
            blame: Tells, and notes, whose code a stack is in.
        """
        self._blocked_s = blocked_s
        self._limit_s = limit_s
        self._blame = blame
        self._watched = threading.get_ident()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="hubbub-watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        """Begins to watch."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Ends it."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        warned = False
        while not self._over.wait(self._limit_s / 2):
            blocked_s = self._blocked_s()
            if blocked_s < self._limit_s:
                warned = False
            elif not warned:
                warned = True
                self._warn(blocked_s)

    def _warn(self, blocked_s: float) -> None:
        frame = sys._current_frames().get(self._watched)  # pyright: ignore[reportPrivateUsage]
        stack = "".join(traceback.format_stack(frame)).rstrip() if frame is not None else None
        who = self._blame(frame) if self._blame is not None else None
        text, values = "%s has blocked the loop for %.1f s", (who or "a handler", blocked_s)
        record = logger.makeRecord(
            logger.name, logging.WARNING, __file__, 0, text, values, None, sinfo=stack
        )
        logger.handle(record)
