"""From the loggers to a thread that writes: no line holds up the event loop.

A slow disk, a paused terminal or a full pipe stops whoever writes to it. Here that is a thread of
its own; what waits for it is bounded, and what finds no room is counted and told.
"""

import copy
import logging
import os
import threading
import weakref
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

QUEUE_LIMIT = 10_000
"""How many lines may wait to be written."""

_GATHER_S = 0.01
_BATCH_LIMIT = 1000
_PATIENCE_S = 2.0


class Sink(Protocol):
    """Where lines end up."""

    def write(self, records: Sequence[logging.LogRecord]) -> None:
        """Writes some lines at once. May block; must not log."""
        ...


class Relay(logging.Handler):
    """A handler that hands records to its thread."""

    def __init__(self, sink: Sink, limit: int = QUEUE_LIMIT) -> None:
        """Starts the thread.

        Args:
            sink: Where the lines end up.
            limit: How many may wait.
        """
        super().__init__()
        self._sink = sink
        self._limit = limit
        # Two counters, for two threads.
        self._without_room = 0
        self._unwritten = 0
        self._told = 0
        self._is_over = False
        self._is_stuck = False
        self._begin()
        _relays.add(self)

    @property
    def lost(self) -> int:
        """Lines that found no room, or could not be written."""
        return self._without_room + self._unwritten

    def emit(self, record: logging.LogRecord) -> None:
        """Takes one record; its message is made here, while its arguments are what they were."""
        if record.args or not isinstance(record.msg, str):
            message = _message(record)
            record = copy.copy(record)
            record.msg, record.args = message, None
        if self._is_over:
            self._write([record])
        elif self._queue.qsize() >= self._limit:
            self._without_room += 1
        else:
            self._queue.put(record)

    def flush(self) -> None:
        """Waits until what was logged so far is written, two seconds at most."""
        if self._is_over or threading.current_thread() is self._thread:
            return
        written = threading.Event()
        self._queue.put(written)
        self._is_urgent.set()
        self._is_stuck = not written.wait(_PATIENCE_S)

    def close(self) -> None:
        """Writes what is left and ends the thread; a later line is written where it is logged."""
        if not self._is_over and threading.current_thread() is not self._thread:
            self._queue.put(None)
            self._is_urgent.set()
            # A daemon: if nobody reads our pipe, the program ends all the same.
            self._thread.join(0 if self._is_stuck else _PATIENCE_S)
            self._is_over = not self._thread.is_alive()
        super().close()

    def _begin(self) -> None:
        self._queue: SimpleQueue[logging.LogRecord | threading.Event | None] = SimpleQueue()
        self._is_urgent = threading.Event()
        self._thread: threading.Thread = threading.Thread(
            target=self._run, name="hubbub-log", daemon=True
        )
        self._thread.start()

    def _run(self) -> None:
        ends = False
        while not ends:
            found = [self._queue.get()]
            # A burst is written at once: waking up for each line would take the GIL from the loop
            # each time.
            self._is_urgent.wait(_GATHER_S)
            self._is_urgent.clear()
            while len(found) < _BATCH_LIMIT:
                try:
                    found.append(self._queue.get_nowait())
                except Empty:
                    break
            self._write([one for one in found if isinstance(one, logging.LogRecord)])
            for one in found:
                if isinstance(one, threading.Event):
                    one.set()
            ends = None in found

    def _write(self, records: list[logging.LogRecord]) -> None:
        untold, self._told = self.lost - self._told, self.lost
        if untold:
            records.append(_about(untold))
        if not records:
            return
        try:
            self._sink.write(records)
        except (OSError, ValueError):
            # Told with the next lines, should the stream ever take some again.
            self._unwritten += len(records)

    def after_fork(self) -> None:
        """A forked child has the queue, but not the thread: it begins anew."""
        if not self._is_over:
            self._is_stuck = False
            self._begin()


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:  # noqa: BLE001 - as `logging` has it: no line ends who logs it
        where = f"{record.pathname}:{record.lineno}"
        return f"a line cannot be formatted: {type(error).__name__}: {where}: {record.msg!r:.200}"


def _about(lost: int) -> logging.LogRecord:
    text = "%d log lines were lost: they came faster than they could be written"
    return logging.LogRecord("hubbub", logging.WARNING, __file__, 0, text, (lost,), None)


_relays: "weakref.WeakSet[Relay]" = weakref.WeakSet()


def _after_fork() -> None:
    for relay in list(_relays):
        relay.after_fork()


os.register_at_fork(after_in_child=_after_fork)
