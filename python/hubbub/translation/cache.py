"""Translations that were made already: by text and languages, never by reader.

In memory, and in a file if there is one: SQLite, in a thread of its own. A cache that fails is an
empty one.
"""

import asyncio
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
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
_VERSION = 1

TEXT_BYTES = 16
"""With so many bytes that stand for its text a key begins: by them a text is forgotten."""

_LAST = b"\xff" * 64


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
        self._recent: OrderedDict[bytes, dict[bytes, Cached]] = OrderedDict()
        """By text, then by key."""

        self._count = 0
        self._file = _File(path, file_entries) if path is not None else None

    def recent(self, key: bytes) -> Cached | None:
        """What is in memory."""
        text = key[:TEXT_BYTES]
        found = self._recent.get(text, {}).get(key)
        if found is not None:
            self._recent.move_to_end(text)
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

    def forget(self, texts: Collection[bytes]) -> None:
        """Forgets texts, in all languages: in memory now, in the file as soon as it can be.

        Args:
            texts: What their keys begin with.
        """
        for text in texts:
            self._count -= len(self._recent.pop(text, ()))
        if self._file is not None:
            self._file.forget(texts)

    async def close(self) -> None:
        """Closes the file."""
        if self._file is not None:
            await self._file.close()

    def __len__(self) -> int:
        """How many are in memory."""
        return self._count

    def _remember(self, key: bytes, cached: Cached) -> None:
        text = key[:TEXT_BYTES]
        of_text = self._recent.setdefault(text, {})
        self._count += key not in of_text
        of_text[key] = cached
        self._recent.move_to_end(text)
        while self._count > self._limit:
            _, oldest = self._recent.popitem(last=False)
            self._count -= len(oldest)


class _File:
    """The same on disk. Everything happens in its one thread, so a slow disk holds nobody up."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="translation-cache")
        self._connection: sqlite3.Connection | None = None
        self._kept = 0
        self._is_broken = self._is_closed = False

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

    def forget(self, texts: Collection[bytes]) -> None:
        def delete(connection: sqlite3.Connection) -> None:
            before = connection.total_changes
            with connection:
                connection.executemany(
                    "delete from translations where key between ? and ?",
                    ((text, text + _LAST) for text in texts),
                )
            if connection.total_changes != before:
                # The log would still have them.
                connection.execute("pragma wal_checkpoint(truncate)")

        if not self._is_closed:
            self._thread.submit(self._within, delete)

    async def close(self) -> None:
        def end(connection: sqlite3.Connection) -> None:
            connection.close()
            self._connection = None

        self._is_closed = True
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
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._within, work)

    def _within(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        try:
            return work(self._open())
        except (sqlite3.Error, OSError, msgspec.MsgspecError) as error:
            # Told once: the next texts would all say the same.
            if not self._is_broken:
                logger.warning("translation cache: %s: %s", self._path, error)
            self._is_broken = True
            return None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, check_same_thread=False)
            connection.execute("pragma journal_mode = wal")
            # Losing the last translations to a power cut costs asking once more.
            connection.execute("pragma synchronous = off")
            # What was forgotten is not there any more, rather than merely not found.
            connection.execute("pragma secure_delete = on")
            if connection.execute("pragma user_version").fetchone()[0] < _VERSION:
                # Keys were others: what is there would neither be found nor forgotten.
                connection.execute("drop table if exists translations")
                connection.execute(f"pragma user_version = {_VERSION}")
            connection.executescript(_SCHEMA)
            self._connection = connection
        return self._connection
