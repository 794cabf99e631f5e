"""Signals of a server: the first one that ends it, those that ask for something else, the hurry.

What is done about them is `running`'s.
"""

import asyncio
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from types import TracebackType

ENDING = (signal.SIGINT, signal.SIGTERM)
"""Asks to stop; a second one asks to do so at once."""


class Signals:
    """Listens for signals while its `with` lasts; only the main thread hears them."""

    def __init__(self, orders: Mapping[signal.Signals, Callable[[], None]]) -> None:
        """Prepares it.

        Args:
            orders: What to call for signals that do not end anything.
        """
        self._loop = asyncio.get_running_loop()
        self._program = asyncio.current_task()
        self._orders = dict(orders)
        self._ending: asyncio.Future[signal.Signals | None] = self._loop.create_future()
        self._heard: list[signal.Signals] = []

    def __enter__(self) -> "Signals":
        """Begins to listen."""
        calls = dict.fromkeys(ENDING, self._end) | dict.fromkeys(self._orders, self._order)
        for number, call in calls.items():
            try:
                self._loop.add_signal_handler(number, call, number)
            except (RuntimeError, ValueError):
                # In another thread; there, whoever started us ends us.
                break
            self._heard.append(number)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Listens no more."""
        for number in self._heard:
            self._loop.remove_signal_handler(number)

    def is_ending(self) -> bool:
        """Whether the end has been asked for."""
        return self._ending.done()

    def end(self) -> None:
        """Asks for the end without a signal."""
        if not self._ending.done():
            self._ending.set_result(None)

    @contextmanager
    def when_ending(self, call: Callable[[], None]) -> Generator[None]:
        """Calls this, once, if the end is asked for while the `with` lasts, or has been before."""

        def ending(_: object) -> None:
            call()

        self._ending.add_done_callback(ending)
        try:
            yield
        finally:
            self._ending.remove_done_callback(ending)

    async def ending(self) -> signal.Signals | None:
        """Waits until the end is asked for; returns by which signal."""
        return await asyncio.shield(self._ending)

    def _end(self, number: signal.Signals) -> None:
        if not self._ending.done():
            self._ending.set_result(number)
        elif self._program is not None:
            self._program.cancel()

    def _order(self, number: signal.Signals) -> None:
        if not self._ending.done():
            self._orders[number]()
