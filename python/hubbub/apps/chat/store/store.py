"""`Store`: the file, opened and looked after; whoever writes to it and whoever reads."""

import asyncio
import math
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from hubbub.apps.chat.store import backup
from hubbub.apps.chat.store.failure import DatabaseDamaged, StoreFailure
from hubbub.apps.chat.store.reader import Reader
from hubbub.apps.chat.store.schema import connect, migrate
from hubbub.apps.chat.store.writer import Done, Lease, Write, Writer

T = TypeVar("T")

READERS = 2
"""Threads that read; each has a connection of its own."""


class Store:
    """One database file.

    Args:
        path: The file; its folder is made.

    Raises:
        DatabaseDamaged: It is no database, or a broken one.
        NewerDatabase: It is not ours, or not yet.
        StoreFailure: It cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        loop = asyncio.get_running_loop()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            db = connect(path)
            try:
                backup.check(db)
                migrate(db, path)
                self.here = Reader(connect(path, read_only=True))
                """For what is found at once, by its key: used by the loop's thread."""
            except BaseException:
                db.close()
                raise
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
                raise StoreFailure(f"{path}: {error}") from None
            raise DatabaseDamaged(str(path), str(error), backup.whole_copy(path)) from None
        except OSError as error:
            raise StoreFailure(f"{path}: {error.strerror}") from None
        self._writer = Writer(db, loop)
        self._readers = threading.local()
        self._open: list[Reader] = []
        self._pool = ThreadPoolExecutor(READERS, "hubbub-chat-reader")

    async def read(self, ask: Callable[[Reader], T]) -> T:
        """Asks something off the loop: whatever may take its time."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._ask, ask)

    def submit(self, write: Write, done: Done, leases: tuple[Lease, ...] = ()) -> None:
        """Has something written; `done` is told in the loop, in the order of submission."""
        self._writer.submit(write, done, leases)

    async def write(self, write: Write) -> None:
        """Writes something and waits until it is on the disk.

        Raises:
            StoreFailure: It is not.
        """
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(failure: StoreFailure | None) -> None:
            if waiting.done():
                return
            if failure is None:
                waiting.set_result(None)
            else:
                waiting.set_exception(failure)

        self._writer.submit(write, done)
        await waiting

    async def back_up(self) -> Path:
        """Makes a copy beside the file; the one before is replaced when the new one is whole."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, backup.copy, self.path)

    def backup_age_s(self) -> float:
        """How old the copy is; there is none: as old as can be."""
        try:
            return time.time() - backup.copy_of(self.path).stat().st_mtime
        except OSError:
            return math.inf

    def close(self) -> None:
        """Writes what was submitted, and ends."""
        self._writer.finish()
        self._pool.shutdown()
        for reader in (self.here, *self._open):
            reader.close()
        # The last, because only one that writes can fold the log into the file.
        self._writer.close()

    def _ask(self, ask: Callable[[Reader], T]) -> T:
        reader: Reader | None = getattr(self._readers, "mine", None)
        if reader is None:
            reader = Reader(connect(self.path, read_only=True))
            self._readers.mine = reader
            self._open.append(reader)
        return ask(reader)
