"""Tasks that live as long as their app: kept, heard when they fail, cancelled at the end.

Knows nothing of connections; `WebSocket.spawn` is the native module's.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar

from hubbub.log import logger

T = TypeVar("T")


class Tasks:
    """The background of one app.

    Attributes:
        errors: How many exceptions there have been.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: str = "") -> None:
        """Prepares it.

        Args:
            loop: Where tasks run.
            owner: Whose they are, for the log: "module chat".
        """
        self.errors = 0
        self._prefix = f"{owner}: " if owner else ""
        self._loop = loop
        # asyncio itself keeps only weak references to tasks.
        self._running: set[asyncio.Task[Any]] = set()
        self._awaited: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs a coroutine; its exception is logged."""
        task = self._loop.create_task(coro)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    def finish(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs what somebody waits for: `rest` lets it end."""
        task = self.spawn(coro)
        self._awaited.add(task)
        task.add_done_callback(self._awaited.discard)
        return task

    @property
    def unfinished(self) -> int:
        """How many run that somebody waits for."""
        return len(self._awaited)

    def repeating(self, callback: Callable[[], object]) -> Callable[[], None]:
        """A function for a timer: calls back, and never twice at the same time.

        What the callback returns is awaited, if it can be.
        """
        current: asyncio.Task[Any] | None = None
        name = getattr(callback, "__qualname__", repr(callback))

        async def finish(waiting: Awaitable[Any]) -> None:
            await waiting

        def tick() -> None:
            nonlocal current
            if current is not None and not current.done():
                logger.warning("%stimer %s: still busy, one call left out", self._prefix, name)
                return
            try:
                waiting = callback()
            except Exception:
                self.errors += 1
                logger.exception("%stimer %s failed", self._prefix, name)
                return
            if inspect.isawaitable(waiting):
                current = self.spawn(finish(waiting))

        return tick

    async def rest(self) -> None:
        """Cancels all that nobody waits for, and waits for their ends."""
        await _cancel(self._running - self._awaited)

    async def cancel(self) -> None:
        """Cancels all and waits for their ends."""
        await _cancel(self._running)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors += 1
            text = "%stask %s failed"
            logger.error(text, self._prefix, task.get_coro(), exc_info=error)


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    running = list(tasks)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
