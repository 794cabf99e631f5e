"""The tables, and how an older file becomes one of today.

A version is a script that turns the file of the version before into its own. Scripts that were
published are never changed: a new one is added.
"""

import sqlite3
from pathlib import Path

from hubbub.errors import Failure

APPLICATION_ID = 0x48756221
"""Stands in the file's header, so that no other program's database is taken for ours."""

VERSIONS: tuple[str, ...] = (
    """
    create table accounts (
        user text primary key, nick text not null, guest integer not null, langs text not null,
        preferred text not null, password text not null, external integer not null,
        created integer not null, seen integer not null
    ) without rowid;
    create table names (key text primary key, user text not null) without rowid;
    create index names_of on names (user);
    create table sessions (
        hash blob primary key, user text not null, created integer not null, seen integer not null
    ) without rowid;
    create index sessions_of on sessions (user);

    create table rooms (
        id text primary key, kind text not null, name text not null, topic text not null,
        retention integer not null, moderated integer not null, created integer not null,
        seq integer not null, ts integer not null, floor integer not null, pair text unique
    ) without rowid;
    create table room_names (key text primary key, room text not null) without rowid;
    create table members (
        room text not null, user text not null, role text not null, muted integer not null,
        joined integer not null, read_seq integer not null default 0, primary key (room, user)
    ) without rowid;
    create index members_of on members (user);
    create table bans (
        room text not null, user text not null, by text not null, until integer not null,
        reason text not null, primary key (room, user)
    ) without rowid;
    create table invitations (
        room text not null, user text not null, primary key (room, user)
    ) without rowid;

    create table messages (
        number integer primary key, id text not null unique, room text not null,
        seq integer not null, ts integer not null, user text not null, nick text not null,
        kind text not null, text text not null, lang text not null, lang_source text not null,
        reply_to text not null, edited integer not null, deleted integer not null,
        mentions text not null, files text not null, via text not null, nonce text
    );
    create unique index messages_seq on messages (room, seq);
    create unique index messages_nonce on messages (user, nonce) where nonce is not null;
    create index messages_ts on messages (room, ts);
    create index messages_of on messages (user);
    create table reactions (
        message text not null, emoji text not null, user text not null, at integer not null,
        primary key (message, emoji, user)
    ) without rowid;
    create index reactions_of on reactions (user);
    create table translations (
        message text not null, lang text not null, text text not null, engine text not null,
        by text not null, primary key (message, lang)
    ) without rowid;
    create table mentions (
        user text not null, room text not null, seq integer not null,
        primary key (user, room, seq)
    ) without rowid;

    create table events (
        room text not null, seq integer not null, ts integer not null, type text not null,
        message text not null, data text not null, primary key (room, seq)
    ) without rowid;

    create virtual table search using fts5 (
        text, room, user, lang, content = '', tokenize = "unicode61 remove_diacritics 2"
    );
    """,
    """
    create index events_of on events (json_extract(data, '$.user')) where type = 'member';
    """,
    """
    create table mutes (
        room text not null, user text not null, until integer not null, primary key (room, user)
    ) without rowid;
    """,
)


class NewerDatabase(Failure):
    """The file is of a newer Hubbub than this one."""


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with what all of ours have in common; it may be used by any one thread.

    Raises:
        sqlite3.Error: The file cannot be opened, or is no database.
    """
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.execute("pragma busy_timeout = 5000")
        if not read_only:
            db.execute("pragma journal_mode = wal")
            # In WAL mode FULL means: a commit returns when it is on the disk.
            db.execute("pragma synchronous = full")
            # What was deleted is not there any more, rather than merely not found.
            db.execute("pragma secure_delete = on")
        db.execute("pragma mmap_size = 268435456")
    except BaseException:
        db.close()
        raise
    return db


def migrate(db: sqlite3.Connection, path: Path) -> None:
    """Makes the tables, or brings older ones up to date; all of it, or nothing.

    Raises:
        NewerDatabase: They are of a version that is not known here, or of another program.
        sqlite3.Error: The file is damaged, or cannot be written.
    """
    found, owner = _number(db, "user_version"), _number(db, "application_id")
    if owner not in (0, APPLICATION_ID) or found > len(VERSIONS):
        raise NewerDatabase(f"{path}: a database of another program, or of a newer version of ours")
    if found == len(VERSIONS):
        return
    scripts = "".join(VERSIONS[found:])
    db.executescript(
        f"begin immediate; {scripts} pragma user_version = {len(VERSIONS)};"
        f" pragma application_id = {APPLICATION_ID}; commit;"
    )


def _number(db: sqlite3.Connection, name: str) -> int:
    value: int = db.execute(f"pragma {name}").fetchone()[0]
    return value
