"""`Ledger`: what a bridge must not forget: what waits, what is called how, who is blocked.

One SQLite file for all bridges of a chat. It is written in the loop's thread, because the order of
"noted" and "sent" is what keeps messages from being lost or doubled; a commit of its log waits for
no disk. What the power takes with it is told a second time.
"""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

from hubbub.bridges.link.remote import Delivery
from hubbub.errors import Failure

_SCRIPT = """
create table if not exists cursors (
    bridge text not null, room text not null, seq integer not null, primary key (bridge, room)
) without rowid;
create table if not exists queue (
    number integer primary key autoincrement, bridge text not null, channel text not null,
    at integer not null, sent integer not null default 0, data blob not null
);
create index if not exists queue_of on queue (bridge, channel, number);
create table if not exists names (
    bridge text not null, channel text not null, remote_id text not null, message text not null,
    at integer not null, primary key (bridge, channel, remote_id)
) without rowid;
create index if not exists names_of on names (bridge, message);
create index if not exists names_at on names (at);
create table if not exists people (
    bridge text not null, person text not null, user text not null, primary key (bridge, person)
) without rowid;
create table if not exists langs (
    bridge text not null, person text not null, langs text not null, primary key (bridge, person)
) without rowid;
create table if not exists blocks (
    bridge text not null, who text not null, primary key (bridge, who)
) without rowid;
create table if not exists paused (bridge text primary key) without rowid;
"""

_AGAIN_S = 0.05
_FOLD_EVERY_S = 30.0
_DECODE = msgspec.msgpack.Decoder(Delivery)


class LedgerFailure(Failure):
    """The file of the bridges cannot be used."""


class Ledger:
    """One file.

    Args:
        path: Where; its folder is there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db: sqlite3.Connection | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator["Ledger"]:
        """Waits until nobody else has the file, and has it.

        Two versions of the code, or two processes, overlap when one replaces the other.

        Raises:
            LedgerFailure: It cannot be opened.
        """
        try:
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LedgerFailure(f"{self.path}: {error.strerror}") from None
        folding: asyncio.Task[None] | None = None
        try:
            # Nobody tells when another process lets go.
            while not _locked(lock):  # noqa: ASYNC110
                await asyncio.sleep(_AGAIN_S)
            self._db = _connect(self.path)
            folding = asyncio.create_task(self._fold())
            yield self
        finally:
            if folding is not None:
                folding.cancel()
                await asyncio.wait([folding])
            if self._db is not None:
                self._db.close()
                self._db = None
            os.close(lock)

    async def _fold(self) -> None:
        """Folds the log into the file, beside the loop: this waits for the disk."""
        while True:
            await asyncio.sleep(_FOLD_EVERY_S)
            with suppress(sqlite3.Error):
                await asyncio.to_thread(_fold, self.path)

    @property
    def db(self) -> sqlite3.Connection:
        """The connection; each statement is a transaction of its own, or within `with`."""
        if self._db is None:
            raise LedgerFailure(f"{self.path}: not open")
        return self._db

    # What waits

    def cursor(self, bridge: str, room: str) -> int | None:
        """Up to which event of a room everything was taken."""
        found = self.db.execute(
            "select seq from cursors where bridge = ? and room = ?", (bridge, room)
        ).fetchone()
        return int(found[0]) if found else None

    def take(self, bridge: str, room: str, seq: int, delivery: Delivery | None) -> int:
        """Takes an event of a room, and what it comes to if it comes to anything.

        Returns:
            The number of the delivery; 0: there is none.
        """
        with self.db as db:
            db.execute("begin")
            number = self._put(db, bridge, delivery) if delivery is not None else 0
            db.execute("insert or replace into cursors values (?, ?, ?)", (bridge, room, seq))
        return number

    def _put(self, db: sqlite3.Connection, bridge: str, delivery: Delivery) -> int:
        row = (bridge, delivery.channel, delivery.ts_ms, msgspec.msgpack.encode(delivery))
        put = db.execute("insert into queue (bridge, channel, at, data) values (?, ?, ?, ?)", row)
        return put.lastrowid or 0

    def waiting(self, bridge: str, channel: str, after: int, limit: int) -> list[Delivery]:
        """The next deliveries of a channel."""
        rows = self.db.execute(
            "select number, data from queue where bridge = ? and channel = ? and number > ?"
            " order by number limit ?",
            (bridge, channel, after, limit),
        ).fetchall()
        return [msgspec.structs.replace(_DECODE.decode(data), number=n) for n, data in rows]

    def sending(self, number: int) -> None:
        """A delivery is about to be written."""
        self.db.execute("update queue set sent = 1 where number = ?", (number,))

    def unsent(self, number: int) -> None:
        """A delivery is not underway any more: the connection was lost before its answer."""
        self.db.execute("update queue set sent = 0 where number = ?", (number,))

    def take_uncertain(self, bridge: str) -> int:
        """Takes for delivered what was underway when a process was killed; returns how much."""
        return self.db.execute(
            "delete from queue where bridge = ? and sent = 1", (bridge,)
        ).rowcount

    def done(self, number: int) -> None:
        """A delivery need not be kept any longer."""
        self.db.execute("delete from queue where number = ?", (number,))

    def length(self, bridge: str) -> tuple[int, int]:
        """How many deliveries wait, and when the oldest of them was said."""
        count, oldest = self.db.execute(
            "select count(*), min(at) from queue where bridge = ?", (bridge,)
        ).fetchone()
        return int(count), int(oldest or 0)

    def shorten(self, bridge: str, limit: int, before_ms: int) -> int:
        """Gives up what is older, and the oldest beyond so many; returns how many."""
        with self.db as db:
            db.execute("begin")
            old = db.execute("delete from queue where bridge = ? and at < ?", (bridge, before_ms))
            more = db.execute(
                "delete from queue where number in (select number from queue where bridge = ?"
                " order by number desc limit -1 offset ?)",
                (bridge, limit),
            )
        return old.rowcount + more.rowcount

    # What is called how

    def name(self, bridge: str, channel: str, remote_id: str, message: str, at_ms: int) -> None:
        """A message of the chat is called so on the remote, too: its first name stays the first."""
        row = (bridge, channel, remote_id, message, at_ms)
        self.db.execute(
            "insert into names select ?1, ?2, ?3, ?4, max(?5, ifnull(max(at) + 1, 0)) from names"
            " where bridge = ?1 and message = ?4 on conflict do update"
            " set message = excluded.message, at = excluded.at where message <> excluded.message",
            row,
        )

    def message(self, bridge: str, channel: str, remote_id: str) -> str:
        """The chat's id of what the remote calls so; empty: nobody knows."""
        found = self.db.execute(
            "select message from names where bridge = ? and channel = ? and remote_id = ?",
            (bridge, channel, remote_id),
        ).fetchone()
        return str(found[0]) if found else ""

    def remote_ids(self, bridge: str, message: str) -> list[str]:
        """What the remote calls a message: its own name, then those of its edits."""
        rows = self.db.execute(
            "select remote_id from names where bridge = ? and message = ? order by at",
            (bridge, message),
        )
        return [remote_id for (remote_id,) in rows]

    def forget_names(self, before_ms: int) -> None:
        """Forgets how messages were called that nobody edits any more."""
        self.db.execute(
            "delete from names where at < ?1 and not exists (select 1 from names as later"
            " where later.bridge = names.bridge and later.message = names.message"
            " and later.at >= ?1)",
            (before_ms,),
        )

    # Who is who

    def user(self, bridge: str, person: str) -> str:
        """Who of the chat somebody on the remote was last; empty: nobody."""
        found = self.db.execute(
            "select user from people where bridge = ? and person = ?", (bridge, person)
        ).fetchone()
        return str(found[0]) if found else ""

    def know(self, bridge: str, person: str, user: str) -> None:
        """Somebody on the remote is this user of the chat."""
        row = (bridge, person, user)
        self.db.execute("insert or replace into people values (?, ?, ?)", row)

    def users(self, bridge: str) -> list[str]:
        """Everybody who was known."""
        rows = self.db.execute("select user from people where bridge = ?", (bridge,))
        return [user for (user,) in rows]

    def forget(self, bridge: str, user: str) -> None:
        """Somebody is nobody of the remote any more."""
        self.db.execute("delete from people where bridge = ? and user = ?", (bridge, user))

    def langs(self, bridge: str) -> dict[str, tuple[str, ...]]:
        """What people on the remote read, who have said so."""
        rows = self.db.execute("select person, langs from langs where bridge = ?", (bridge,))
        return {person: tuple(langs.split()) for person, langs in rows}

    def set_langs(self, bridge: str, person: str, langs: tuple[str, ...]) -> None:
        """Somebody has said what they read; nothing: they have nothing translated."""
        if langs:
            row = (bridge, person, " ".join(langs))
            self.db.execute("insert or replace into langs values (?, ?, ?)", row)
        else:
            row2 = (bridge, person)
            self.db.execute("delete from langs where bridge = ? and person = ?", row2)

    # What was ordered

    def blocks(self, bridge: str) -> list[str]:
        """Who is blocked."""
        rows = self.db.execute("select who from blocks where bridge = ? order by who", (bridge,))
        return [who for (who,) in rows]

    def block(self, bridge: str, who: str) -> None:
        """Somebody, or a domain, is not heard any more."""
        self.db.execute("insert or ignore into blocks values (?, ?)", (bridge, who))

    def unblock(self, bridge: str, who: str) -> None:
        """They are again."""
        self.db.execute("delete from blocks where bridge = ? and who = ?", (bridge, who))

    def is_paused(self, bridge: str) -> bool:
        """Whether a bridge was told to rest."""
        return bool(self.db.execute("select 1 from paused where bridge = ?", (bridge,)).fetchone())

    def pause(self, bridge: str, *, on: bool) -> None:
        """A bridge rests, or does not."""
        if on:
            self.db.execute("insert or ignore into paused values (?)", (bridge,))
        else:
            self.db.execute("delete from paused where bridge = ?", (bridge,))


def _connect(path: Path) -> sqlite3.Connection:
    try:
        db = sqlite3.connect(path, isolation_level=None)
        try:
            db.execute("pragma journal_mode = wal")
            db.execute("pragma synchronous = normal")
            # Folding waits for the disk, and is done in a thread of its own.
            db.execute("pragma wal_autocheckpoint = 0")
            db.executescript(_SCRIPT)
        except BaseException:
            db.close()
            raise
    except sqlite3.Error as error:
        raise LedgerFailure(f"{path}: {error}") from None
    return db


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _fold(path: Path) -> None:
    db = sqlite3.connect(path)
    try:
        db.execute("pragma wal_checkpoint(passive)")
    finally:
        db.close()
