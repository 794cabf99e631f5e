"""Where histories outlive the process: an interface, and SQLite behind it.

What is published to a persistent channel is on disk before anybody hears of it: whoever has seen a
publication will find it after a crash, and whoever was told "published" has not been lied to.
"""

import asyncio
import itertools
import queue
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hubbub.errors import Failure
from hubbub.log import logger

_SCHEMA = """
create table if not exists streams (
    channel text primary key, epoch text not null, offset integer not null
) without rowid;
create table if not exists publications (
    channel text not null, offset integer not null, at_s real not null,
    data blob not null, info blob, tags blob, key text,
    primary key (channel, offset)
) without rowid;
create table if not exists recent_keys (
    channel text not null, key text not null, offset integer not null, at_s real not null,
    primary key (channel, key)
) without rowid;
create index if not exists recent_keys_by_age on recent_keys (at_s);
create index if not exists keys on publications (channel, key) where key is not null;
-- Files of before have the keys beside the publications.
insert or replace into recent_keys
    select channel, key, offset, at_s from publications where key is not null order by offset;
update publications set key = null where key is not null;
"""
_BATCH_LIMIT = 1_000
_IDEMPOTENCY_S = 120.0
_TRIM_EVERY = 100
"""Publications between two looks at what a channel need not keep any more."""


class StorageFailure(Failure):
    """A publication could not be stored: nobody has heard of it.

    Attributes:
        reason: What the storage says.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"not stored: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class Entry:
    """A publication on its way to the disk; texts are JSON.

    Attributes:
        offset: Where its channel's stream stood, as far as memory knew.
    """

    channel: str
    epoch: str
    offset: int
    at_s: float
    data: bytes
    info: bytes | None
    tags: bytes | None
    key: str | None
    limit: int
    age_s: float


Kept = tuple[bytes, bytes | None, bytes | None, str | None, float]
"""Data, info, tags, key and time of a publication that was stored; the store knows keys itself."""


@dataclass(frozen=True)
class Stream:
    """What is known of a channel: where its stream ended, and its newest publications."""

    epoch: str
    offset: int
    publications: list[Kept]


Done = Callable[[int, bool, Exception | None], None]
"""Told the entry's offset and whether it is new, or why it could not be stored."""


class HistoryStore(Protocol):
    """Keeps publications, and gives them back."""

    def load(self, channel: str, limit: int, until: int | None = None) -> Stream | None:
        """What is kept of a channel, or was when it had come to an offset; None if nothing is."""
        ...

    def append(self, entry: Entry, done: Done) -> None:
        """Stores a publication behind all others of its channel; `done` is called in the loop."""
        ...

    def forget(self, channel: str) -> None:
        """Forgets the publications of a channel that were appended before; its stream goes on."""
        ...

    def close(self) -> None:
        """Stores what was appended, and ends."""
        ...


class SqliteHistory:
    """Histories in one SQLite file, written by a thread of its own, many in one transaction.

    Args:
        path: The file; its folder is made.
        loop: Where `done` is called.

    Raises:
        StorageFailure: The file cannot be opened, or is no database.
    """

    def __init__(self, path: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: queue.SimpleQueue[tuple[Entry, Done] | str | None] = queue.SimpleQueue()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._reader = _open(path)
            self._writer = _open(path)
        except (sqlite3.Error, OSError) as error:
            raise StorageFailure(f"{path}: {error}") from None
        self._thread = threading.Thread(target=self._write, name="hubbub-history", daemon=True)
        self._thread.start()

    def load(self, channel: str, limit: int, until: int | None = None) -> Stream | None:
        """What is kept of a channel, or was when it had come to an offset; None if nothing is."""
        found: tuple[str, int] | None = self._reader.execute(
            "select epoch, offset from streams where channel = ?", (channel,)
        ).fetchone()
        if found is None:
            return None
        epoch, newest = found
        offset = newest if until is None else min(until, newest)
        rows = self._reader.execute(
            "select offset, data, info, tags, null, at_s from publications"
            " where channel = ? and offset <= ? order by offset desc limit ?",
            (channel, offset, limit),
        ).fetchall()
        kept: list[Kept] = []
        for expected, row in zip(itertools.count(offset, -1), rows, strict=False):
            if row[0] != expected:
                # Of what was published while it was not persistent, nothing is here.
                break
            kept.append(row[1:])
        kept.reverse()
        return Stream(epoch, offset, kept)

    def append(self, entry: Entry, done: Done) -> None:
        """Stores a publication behind all others of its channel; `done` is called in the loop."""
        self._queue.put((entry, done))

    def forget(self, channel: str) -> None:
        """Forgets the publications of a channel that were appended before; its stream goes on."""
        self._queue.put(channel)

    def close(self) -> None:
        """Stores what was appended, and ends."""
        self._queue.put(None)
        self._thread.join()
        self._reader.close()
        self._writer.close()

    # In the writer's thread

    def _write(self) -> None:
        is_open = True
        while is_open:
            batch = [self._queue.get()]
            while len(batch) < _BATCH_LIMIT and not self._queue.empty():
                batch.append(self._queue.get())
            is_open = None not in batch
            entries: list[tuple[Entry, Done]] = []
            for one in batch:
                if isinstance(one, tuple):
                    entries.append(one)
                elif one is not None:
                    self._store(entries)
                    entries = []
                    self._forget(one)
            self._store(entries)

    def _forget(self, channel: str) -> None:
        try:
            self._forget_stream(channel)
        except sqlite3.Error as error:
            logger.error("history: %s is not forgotten: %s", channel, error)

    def _store(self, entries: list[tuple[Entry, Done]]) -> None:
        if not entries:
            return
        results: list[tuple[Done, int, bool, Exception | None]] = []
        try:
            self._writer.execute("begin immediate")
            ends: dict[str, tuple[str, int]] = {}
            results.extend((done, *self._insert(entry, ends), None) for entry, done in entries)
            self._trim_keys(entries)
            self._writer.execute("commit")
        except sqlite3.Error as error:
            logger.error("history: %s", error)
            if self._writer.in_transaction:
                self._writer.rollback()
            failure = StorageFailure(str(error))
            results = [(done, 0, False, failure) for _, done in entries]

        def tell() -> None:
            for done, offset, is_new, failure in results:
                try:
                    done(offset, is_new, failure)
                except Exception:
                    # The others of the batch are stored too, and have to be told.
                    logger.exception("history: stored, but not told")

        try:
            # One wake-up for the batch.
            self._loop.call_soon_threadsafe(tell)
        except RuntimeError:
            # The loop is gone, and with it whoever waited; what was stored is stored.
            logger.debug("history: %d publications stored after the end", len(results))

    def _insert(self, entry: Entry, ends: dict[str, tuple[str, int]]) -> tuple[int, bool]:
        if entry.key is not None:
            repeated = self._writer.execute(
                "select offset from recent_keys where channel = ? and key = ? and at_s > ?",
                (entry.channel, entry.key, entry.at_s - _IDEMPOTENCY_S),
            ).fetchone()
            if repeated is not None:
                return repeated[0], False
        offset = self._next_offset(entry, ends)
        ends[entry.channel] = (entry.epoch, offset)
        self._writer.execute(
            "insert or replace into streams values (?, ?, ?)",
            (entry.channel, entry.epoch, offset),
        )
        self._writer.execute(
            "insert or replace into publications values (?, ?, ?, ?, ?, ?, null)",
            (entry.channel, offset, entry.at_s, entry.data, entry.info, entry.tags),
        )
        if entry.key is not None:
            self._writer.execute(
                "insert or replace into recent_keys values (?, ?, ?, ?)",
                (entry.channel, entry.key, offset, entry.at_s),
            )
        if offset % _TRIM_EVERY == 0:
            self._writer.execute(
                "delete from publications where channel = ? and (offset <= ? or at_s < ?)",
                (entry.channel, offset - entry.limit, entry.at_s - entry.age_s),
            )
        return offset, True

    def _next_offset(self, entry: Entry, ends: dict[str, tuple[str, int]]) -> int:
        known = ends.get(entry.channel)
        if known is None:
            known = self._writer.execute(
                "select epoch, offset from streams where channel = ?", (entry.channel,)
            ).fetchone()
        if known is None:
            return entry.offset + 1
        epoch, offset = known
        if epoch != entry.epoch:
            self._forget_stream(entry.channel)
            return entry.offset + 1
        # Memory is ahead where the channel was not persistent for a while.
        return max(offset, entry.offset) + 1

    def _forget_stream(self, channel: str) -> None:
        self._writer.execute("delete from publications where channel = ?", (channel,))

    def _trim_keys(self, entries: list[tuple[Entry, Done]]) -> None:
        newest_s = max((entry.at_s for entry, _ in entries if entry.key is not None), default=None)
        if newest_s is not None:
            self._writer.execute(
                "delete from recent_keys where at_s <= ?", (newest_s - _IDEMPOTENCY_S,)
            )


def _open(path: Path) -> sqlite3.Connection:
    # The writer's is used by its own thread only, the reader's by the loop's.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("pragma busy_timeout = 5000")
    connection.executescript(_SCHEMA)
    return connection
