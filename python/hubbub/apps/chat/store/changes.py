"""What events of a room change in the tables; runs within the writer's transaction."""

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from hubbub.apps.chat import events as ev
from hubbub.apps.chat import nick as names
from hubbub.apps.chat import search
from hubbub.apps.chat.events import RoomEvent
from hubbub.apps.chat.message import Message

Db = sqlite3.Connection

_encode = msgspec.json.Encoder().encode
_users = msgspec.json.Decoder(tuple[str, ...]).decode


@dataclass(frozen=True)
class Gone:
    """What was in a message, and is no more."""

    ts: int
    """When it was said."""

    text: str
    mentions: tuple[str, ...] = ()

    @classmethod
    def of(cls, ts: int, text: str, mentions: str) -> "Gone":
        """The same from its columns."""
        return cls(ts, text, _users(mentions))


def make_room(db: Db, room: str, kind: str, created: int, pair: str = "") -> None:
    """A room in which nothing has happened yet."""
    db.execute(
        "insert into rooms values (?, ?, '', '', 0, 0, ?, 0, ?, 0, ?)",
        (room, kind, created, created, pair or None),
    )


def keep(db: Db, room: str, events: Iterable[RoomEvent]) -> list[Gone]:
    """Stores what has happened in a room, in this order.

    Returns:
        What is gone with it.

    Raises:
        sqlite3.IntegrityError: Something else has happened there meanwhile.
    """
    gone: list[Gone] = []
    for event in events:
        if isinstance(event, ev.Said) and event.message is not None:
            _keep_message(db, event.message, event.nonce)
        else:
            gone += _KEEPS[type(event)](db, room, event) or ()
            _log(db, room, event)
        # Two who carry the same room would both give a number: the second fails here.
        moved = db.execute(
            "update rooms set seq = ?, ts = ? where id = ? and seq = ?",
            (event.seq, event.ts, room, event.seq - 1),
        )
        if moved.rowcount != 1:
            raise sqlite3.IntegrityError(f"the room has moved on: {room}")
    return gone


def index(db: Db, number: int, text: str, room: str, user: str, lang: str) -> None:
    """Makes a message findable."""
    db.execute(
        "insert into search (rowid, text, room, user, lang) values (?, ?, ?, ?, ?)",
        (number, *_searched(text, room, user, lang)),
    )


def unindex(db: Db, number: int, text: str, room: str, user: str, lang: str) -> None:
    """Takes out exactly what `index` has put in: the index itself does not know it."""
    db.execute(
        "insert into search (search, rowid, text, room, user, lang)"
        " values ('delete', ?, ?, ?, ?, ?)",
        (number, *_searched(text, room, user, lang)),
    )


def merge_index(db: Db, pages: int) -> bool:
    """Brings the index's parts together: what was taken out is not in the file then, either.

    Until then a part that was written earlier still has the words, and a later one says that they
    do not count.

    Args:
        db: The database.
        pages: How much is done at once; below 0 the first time, so that all parts are meant.

    Returns:
        Whether there is more to do.
    """
    before = db.total_changes
    db.execute("insert into search (search, rank) values ('merge', ?)", (pages,))
    # So SQLite's documentation: less than two changes, and nothing was left to merge.
    return db.total_changes - before >= 2


def _searched(text: str, room: str, user: str, lang: str) -> tuple[str, str, str, str]:
    return search.indexed(text), search.token(room), search.token(user), lang


def _keep_message(db: Db, message: Message, nonce: str) -> None:
    inserted = db.execute(
        "insert into messages values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, ?, ?, ?)",
        (
            message.id,
            message.room,
            message.seq,
            message.ts,
            message.user,
            message.nick,
            message.kind,
            message.text,
            message.lang,
            message.lang_source,
            message.reply_to,
            _encode(message.mentions).decode(),
            _encode(message.files).decode(),
            _encode(message.via).decode() if message.via else "",
            nonce or None,
        ),
    )
    _mention(db, message.room, message.seq, message.mentions)
    if inserted.lastrowid is not None:
        told = (message.text, message.room, message.user, message.lang)
        index(db, inserted.lastrowid, *told)


def _mention(db: Db, room: str, seq: int, users: Iterable[str]) -> None:
    rows = [(user, room, seq) for user in users]
    if rows:
        db.executemany("insert or ignore into mentions values (?, ?, ?)", rows)


def _log(db: Db, room: str, event: RoomEvent) -> None:
    """Keeps that it has happened; texts are not kept a second time (see `Reader.since`)."""
    message = str(getattr(event, "id", ""))
    slim = event
    if isinstance(event, ev.Edited | ev.Attached):
        slim = msgspec.structs.replace(event, text="")
    kind = str(type(event).__struct_config__.tag)
    db.execute(
        "insert into events values (?, ?, ?, ?, ?, ?)",
        (room, event.seq, event.ts, kind, message, _encode(slim).decode()),
    )


_Row = tuple[int, str, str, str, str, int, int, str]


def _found(db: Db, id: str) -> _Row | None:  # noqa: A002
    """What the index has of a message, its number in the room, its time, and who is mentioned.

    None: it has grown too old since it was decided what is done to it. Then nothing is, and that is
    no failure: what others have said meanwhile would not be stored either.
    """
    row: _Row | None = db.execute(
        "select number, text, room, user, lang, seq, ts, mentions from messages where id = ?",
        (id,),
    ).fetchone()
    return row


def _edit(db: Db, room: str, event: ev.Edited) -> list[Gone]:
    if (found := _found(db, event.id)) is None:
        return []
    number, text, place, user, lang, seq, ts, mentions = found
    unindex(db, number, text, place, user, lang)
    index(db, number, event.text, place, user, event.lang)
    db.execute(
        "update messages set text = ?, lang = ?, lang_source = ?, edited = ?, mentions = ?"
        " where number = ?",
        (
            event.text,
            event.lang,
            event.lang_source,
            event.edited,
            _encode(event.mentions).decode(),
            number,
        ),
    )
    db.execute("delete from translations where message = ?", (event.id,))
    db.execute("delete from mentions where room = ? and seq = ?", (room, seq))
    _mention(db, room, seq, event.mentions)
    return [Gone.of(ts, text, mentions)]


def _delete(db: Db, room: str, event: ev.Deleted) -> list[Gone]:
    return blank(db, event.id, event.ts)


def blank(db: Db, id: str, at: int) -> list[Gone]:  # noqa: A002
    """Takes everything out of a message that its sender has put in; its place stays."""
    if (found := _found(db, id)) is None:
        return []
    number, text, room, user, lang, seq, ts, mentions = found
    unindex(db, number, text, room, user, lang)
    db.execute(
        "update messages set text = '', mentions = '[]', files = '[]', via = '', deleted = ?"
        " where number = ?",
        (at, number),
    )
    # An empty text, so that one who unindexes it later takes out what is in.
    index(db, number, "", room, user, lang)
    db.execute("delete from reactions where message = ?", (id,))
    db.execute("delete from translations where message = ?", (id,))
    db.execute("delete from mentions where room = ? and seq = ?", (room, seq))
    return [Gone.of(ts, text, mentions)]


def _react(db: Db, room: str, event: ev.Reacted) -> None:
    if event.on:
        db.execute(
            "insert or ignore into reactions select id, ?, ?, ? from messages where id = ?",
            (event.emoji, event.user, event.ts, event.id),
        )
    else:
        db.execute(
            "delete from reactions where message = ? and emoji = ? and user = ?",
            (event.id, event.emoji, event.user),
        )


def _correct(db: Db, room: str, event: ev.Corrected) -> None:
    if (found := _found(db, event.id)) is None:
        return
    number, text, place, user, lang, *_ = found
    unindex(db, number, text, place, user, lang)
    index(db, number, text, place, user, event.lang)
    db.execute(
        "update messages set lang = ?, lang_source = ? where number = ?",
        (event.lang, event.lang_source, number),
    )
    db.execute("delete from translations where message = ?", (event.id,))


def _attach(db: Db, room: str, event: ev.Attached) -> None:
    db.execute(
        "insert or replace into translations select id, ?, ?, ?, ? from messages where id = ?",
        (event.lang, event.text, event.engine, event.by, event.id),
    )


def _set_topic(db: Db, room: str, event: ev.TopicSet) -> None:
    db.execute("update rooms set topic = ? where id = ?", (event.topic, room))


def _set_member(db: Db, room: str, event: ev.MemberSet) -> None:
    db.execute(
        # Whoever comes in has read what was said before: only what follows is news.
        "insert into members values (?, ?, ?, ?, ?, ?) on conflict (room, user)"
        " do update set role = excluded.role, muted = excluded.muted",
        (room, event.user, event.role, event.muted, event.ts, event.seq),
    )
    if event.joined:
        for table in ("invitations", "mutes"):
            db.execute(f"delete from {table} where room = ? and user = ?", (room, event.user))  # noqa: S608 - our own names


def _part(db: Db, room: str, event: ev.Parted) -> None:
    db.execute(
        # Nobody gets rid of a mute by leaving and coming back.
        "insert or replace into mutes select room, user, muted from members"
        " where room = ? and user = ? and muted > ?",
        (room, event.user, event.ts),
    )
    db.execute("delete from members where room = ? and user = ?", (room, event.user))
    if event.kind == "ban":
        db.execute(
            "insert or replace into bans values (?, ?, ?, ?, ?)",
            (room, event.user, event.by, event.until, event.reason),
        )
        db.execute("delete from invitations where room = ? and user = ?", (room, event.user))


def _unban(db: Db, room: str, event: ev.Unbanned) -> None:
    db.execute("delete from bans where room = ? and user = ?", (room, event.user))


def _invite(db: Db, room: str, event: ev.Invited) -> None:
    db.execute("insert or ignore into invitations values (?, ?)", (room, event.user))


def _set_room(db: Db, room: str, event: ev.RoomSet) -> None:
    db.execute("delete from room_names where room = ?", (room,))
    if event.kind != "direct":
        rows = [(key, room) for key in names.keys(event.name)]
        db.executemany("insert into room_names values (?, ?)", rows)
    db.execute(
        "update rooms set name = ?, kind = ?, retention = ?, moderated = ? where id = ?",
        (event.name, event.kind, event.retention, event.moderated, room),
    )


def _erase(db: Db, room: str, event: ev.Erased) -> list[Gone]:
    """What is left of a person in one room: nothing but the numbers of what they said."""
    rows = db.execute(
        "select id from messages where room = ? and user = ? and (deleted = 0 or nick <> '')",
        (room, event.user),
    ).fetchall()
    gone = [one for (message,) in rows for one in blank(db, message, event.ts)]
    db.execute(
        "update messages set nick = '', nonce = null where room = ? and user = ?",
        (room, event.user),
    )
    for table in ("members", "bans", "mutes", "invitations", "mentions"):
        db.execute(f"delete from {table} where room = ? and user = ?", (room, event.user))  # noqa: S608 - our own names
    # Each time they have come in, and each nick they have had, is told by one of these.
    db.execute(
        "delete from events where room = ? and type = 'member'"
        " and json_extract(data, '$.user') = ?",
        (room, event.user),
    )
    return gone


_KEEPS: dict[type, Callable[[Db, str, Any], list[Gone] | None]] = {
    ev.Edited: _edit,
    ev.Deleted: _delete,
    ev.Reacted: _react,
    ev.Corrected: _correct,
    ev.Attached: _attach,
    ev.TopicSet: _set_topic,
    ev.MemberSet: _set_member,
    ev.Parted: _part,
    ev.Unbanned: _unban,
    ev.Invited: _invite,
    ev.RoomSet: _set_room,
    ev.Erased: _erase,
}
