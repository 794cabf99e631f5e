"""The thread that writes: many changes in one transaction, one wait for the disk for all of them.

A change is told done only after the commit that holds it. Changes of one room build on each other;
when one fails, those behind it were decided on something that never happened, and fail with it:
they share a lease, which is broken then.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass

from hubbub.apps.chat.store.failure import StoreFailure
from hubbub.log import logger

Write = Callable[[sqlite3.Connection], None]
"""Changes something, within the writer's transaction."""

Done = Callable[[StoreFailure | None], None]
"""Told, in the loop and in order, what became of it."""

BATCH_LIMIT = 1_000


class Lease:
    """What changes that build on each other have in common."""

    __slots__ = ("is_broken",)

    def __init__(self) -> None:
        self.is_broken = False


@dataclass(frozen=True)
class _Job:
    write: Write
    leases: tuple[Lease, ...]
    done: Done


class Writer:
    """Writes to one connection, which is its own from now on.

    Args:
        db: The connection.
        loop: Where `done` is called.
    """

    def __init__(self, db: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._db = db
        self._loop = loop
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="hubbub-chat", daemon=True)
        self._thread.start()

    def submit(self, write: Write, done: Done, leases: tuple[Lease, ...] = ()) -> None:
        """Has something written behind all that was submitted before."""
        self._queue.put(_Job(write, leases, done))

    def finish(self) -> None:
        """Writes what was submitted; nothing more is."""
        self._queue.put(None)
        self._thread.join()

    def close(self) -> None:
        """Gives the connection up, when it has finished."""
        self._db.close()

    # In the writer's thread

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch = [self._queue.get()]
            while len(batch) < BATCH_LIMIT and not self._queue.empty():
                batch.append(self._queue.get())
            is_open = None not in batch
            jobs = [one for one in batch if one is not None]
            if jobs:
                self._carry_out(jobs)

    def _carry_out(self, jobs: list[_Job]) -> None:
        outcomes: list[tuple[_Job, StoreFailure | None]] = []
        try:
            self._db.execute("begin immediate")
            outcomes.extend((job, self._write(job)) for job in jobs)
            self._db.execute("commit")
        except sqlite3.Error as error:
            logger.error("chat: not stored: %s", error)
            self._roll_back()
            failure = StoreFailure(str(error))
            outcomes = [(job, failure) for job in jobs]
        for job, failed in outcomes:
            if failed is not None:
                for lease in job.leases:
                    lease.is_broken = True

        def tell() -> None:
            for job, outcome in outcomes:
                job.done(outcome)

        try:
            # One wake-up for the batch.
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:
            # The loop is gone, and with it whoever waited; what was stored is stored.
            logger.debug("chat: %d changes stored after the end", len(outcomes))

    def _write(self, job: _Job) -> StoreFailure | None:
        if any(lease.is_broken for lease in job.leases):
            return StoreFailure("what came before was not stored")
        self._db.execute("savepoint job")
        try:
            job.write(self._db)
        except sqlite3.IntegrityError as error:
            # It contradicts what is there: its own mistake, the others go on.
            return self._undo(job, str(error))
        except sqlite3.Error:
            raise
        except Exception as error:
            logger.exception("chat: a change failed")
            return self._undo(job, str(error))
        self._db.execute("release job")
        return None

    def _undo(self, job: _Job, reason: str) -> StoreFailure:
        self._db.execute("rollback to job")
        for lease in job.leases:
            lease.is_broken = True
        return StoreFailure(reason)

    def _roll_back(self) -> None:
        try:
            if self._db.in_transaction:
                self._db.rollback()
        except sqlite3.Error as error:
            logger.error("chat: not rolled back: %s", error)
