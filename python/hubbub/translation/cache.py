"""Translations that were made already: by text and languages, never by reader.

In memory, and in a file if there is one: SQLite, in a thread of its own. A cache that fails is an
empty one.
"""

import asyncio
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from hubbub.log import logger

T = TypeVar("T")

_SCHEMA = """
create table if not exists translations (
    key blob primary key, lines text not null, engine text not null, source text not null,
    used_s integer not null
) without rowid;
create index if not exists by_use on translations (used_s);
"""
_TRIM_EVERY = 256


@dataclass(frozen=True)
class Cached:
    """A translation as it is kept."""

    lines: tuple[str, ...]
    """The lines that had words."""

    engine: str
    source: str


class Cache:
    """The newest translations.

    Args:
        entries: How many are kept in memory.
        path: The file for many more; None: none.
        file_entries: How many are kept in the file; those unused for longest go.
    """

    def __init__(
        self, entries: int = 10_000, path: Path | None = None, file_entries: int = 1_000_000
    ) -> None:
        self._limit = entries
        self._recent: OrderedDict[bytes, Cached] = OrderedDict()
        self._file = _File(path, file_entries) if path is not None else None

    def recent(self, key: bytes) -> Cached | None:
        """What is in memory."""
        found = self._recent.get(key)
        if found is not None:
            self._recent.move_to_end(key)
        return found

    async def find(self, key: bytes) -> Cached | None:
        """What is in memory or in the file."""
        found = self.recent(key)
        if found is None and self._file is not None:
            found = await self._file.find(key)
            if found is not None:
                self._remember(key, found)
        return found

    async def keep(self, key: bytes, cached: Cached) -> None:
        """Keeps a translation."""
        self._remember(key, cached)
        if self._file is not None:
            await self._file.keep(key, cached)

    async def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            await self._file.close()

    def __len__(self) -> int:
        """How many are in memory."""
        return len(self._recent)

    def _remember(self, key: bytes, cached: Cached) -> None:
        self._recent[key] = cached
        self._recent.move_to_end(key)
        while len(self._recent) > self._limit:
            self._recent.popitem(last=False)


class _File:
    """The same on disk. Everything happens in its one thread, so a slow disk holds nobody up."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="translation-cache")
        self._connection: sqlite3.Connection | None = None
        self._kept = 0
        self._is_broken = False

    async def find(self, key: bytes) -> Cached | None:
        def look(connection: sqlite3.Connection) -> Cached | None:
            row = connection.execute(
                "select lines, engine, source from translations where key = ?", (key,)
            ).fetchone()
            if row is None:
                return None
            with connection:
                connection.execute(
                    "update translations set used_s = ? where key = ?", (int(time.time()), key)
                )
            return Cached(tuple(msgspec.json.decode(row[0], type=list[str])), *row[1:])

        return await self._do(look)

    async def keep(self, key: bytes, cached: Cached) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute(
                    "insert or replace into translations values (?, ?, ?, ?, ?)",
                    (
                        key,
                        msgspec.json.encode(cached.lines).decode(),
                        cached.engine,
                        cached.source,
                        int(time.time()),
                    ),
                )
                self._kept += 1
                if self._kept % _TRIM_EVERY == 0:
                    self._trim(connection)

        await self._do(write)

    async def close(self) -> None:
        def end(connection: sqlite3.Connection) -> None:
            connection.close()
            self._connection = None

        if self._connection is not None:
            await self._do(end)
        self._thread.shutdown(wait=False)

    def _trim(self, connection: sqlite3.Connection) -> None:
        (count,) = connection.execute("select count(*) from translations").fetchone()
        if count > self._limit:
            connection.execute(
                "delete from translations where key in "
                "(select key from translations order by used_s limit ?)",
                (count - self._limit,),
            )

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        def within() -> T | None:
            try:
                return work(self._open())
            except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
                # Told once: the next texts would all say the same.
                if not self._is_broken:
                    logger.warning("translation cache: %s: %s", self._path, error)
                self._is_broken = True
                return None

        return await asyncio.get_running_loop().run_in_executor(self._thread, within)

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, check_same_thread=False)
            connection.execute("pragma journal_mode = wal")
            # Losing the last translations to a power cut costs asking once more.
            connection.execute("pragma synchronous = off")
            connection.executescript(_SCHEMA)
            self._connection = connection
        return self._connection
