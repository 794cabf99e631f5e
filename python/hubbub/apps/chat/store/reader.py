"""What is asked of the tables; each answer is of one moment."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from hubbub.apps.chat.account import Account
from hubbub.apps.chat.ids import first_at
from hubbub.apps.chat.member import Ban, Member
from hubbub.apps.chat.message import FileLink, Message, Translated, Via
from hubbub.apps.chat.room import Room
from hubbub.apps.chat.search import Query, expression

_COLUMNS = ", ".join(
    f"messages.{name}"
    for name in (
        *("id", "room", "seq", "ts", "user", "nick", "kind", "text", "lang", "lang_source"),
        *("reply_to", "edited", "deleted", "mentions", "files", "via"),
    )
)
_ALIVE = " and deleted = 0"
_ACCOUNT = "user, nick, guest, langs, preferred, password, external, created, seen"
_langs = msgspec.json.Decoder(tuple[str, ...])
_files = msgspec.json.Decoder(tuple[FileLink, ...])
_via = msgspec.json.Decoder(Via)


@dataclass(frozen=True)
class Standing:
    """Where somebody stands in a room."""

    read_seq: int
    unread: int
    mentions: int


@dataclass(frozen=True)
class Missed:
    """What has happened in a room since a number: events as JSON, in order.

    Attributes:
        is_all: Whether that is all; otherwise it has to be shown anew.
    """

    events: list[Raw]
    seq: int
    is_all: bool


NARROW_ROOMS = 3
"""So many rooms are asked of the index at once."""

NEWEST_MATCHES = 2_000
"""How many matches are looked through for those in the right rooms."""

UNREAD_LIMIT = 100
"""Where counting ends: nobody reads the difference."""


class Reader:
    """A connection that only reads."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    def close(self) -> None:
        """Ends it."""
        self.db.close()

    # People

    def account(self, user: str) -> Account | None:
        """One person."""
        return self._account("user = ?", user)

    def account_by_name(self, keys: Sequence[str]) -> Account | None:
        """Whoever has a name that looks like one of these."""
        return self._account("user in (select user from names where key in (?, ?)) limit 1", *keys)

    def session(self, digest: bytes) -> tuple[str, int] | None:
        """Whose session it is, and when it was last used."""
        return self._one("select user, seen from sessions where hash = ?", digest)

    def has_session(self, user: str) -> bool:
        """Whether some browser is signed in as somebody."""
        return self._one("select 1 from sessions where user = ? limit 1", user) is not None

    def _account(self, where: str, *values: object) -> Account | None:
        row = self._one(f"select {_ACCOUNT} from accounts where {where}", *values)  # noqa: S608 - our own words
        if row is None:
            return None
        user, nick, guest, langs, preferred, password, external, created, seen = row
        return Account(
            user,
            nick,
            bool(guest),
            _langs.decode(langs),
            preferred,
            password,
            bool(external),
            created,
            seen,
        )

    # Rooms

    def room(self, id: str) -> Room | None:  # noqa: A002
        """A room with its members, as it is on the disk."""
        self.db.execute("begin")
        try:
            row = self._one(
                "select kind, name, topic, retention, moderated, created, seq, ts from rooms"
                " where id = ?",
                id,
            )
            if row is None:
                return None
            kind, name, topic, retention, moderated, created, seq, ts = row
            members = {
                user: Member(
                    user, nick, bool(guest), _langs.decode(langs), preferred, role, muted, joined
                )
                for user, nick, guest, langs, preferred, role, muted, joined in self.db.execute(
                    "select user, nick, guest, langs, preferred, role, muted, joined"
                    " from members join accounts using (user) where room = ? order by joined",
                    (id,),
                )
            }
            bans = {
                user: Ban(user, by, until, reason)
                for user, by, until, reason in self.db.execute(
                    "select user, by, until, reason from bans where room = ?", (id,)
                )
            }
            muted_away = self.db.execute("select user, until from mutes where room = ?", (id,))
            invited = {
                user
                for (user,) in self.db.execute("select user from invitations where room = ?", (id,))
            }
            return Room(
                id,
                kind,
                name,
                topic,
                retention,
                bool(moderated),
                created,
                seq,
                ts,
                members,
                bans,
                dict(muted_away.fetchall()),
                invited,
            )
        finally:
            self.db.execute("commit")

    def room_by_name(self, keys: Sequence[str]) -> str | None:
        """The room whose name looks like one of these."""
        found = self._one("select room from room_names where key in (?, ?) limit 1", *keys)
        return found[0] if found else None

    def room_by_pair(self, pair: str) -> str | None:
        """The conversation of two."""
        found = self._one("select id from rooms where pair = ?", pair)
        return found[0] if found else None

    def open_rooms(self) -> int:
        """How many rooms anybody may come into."""
        return self._number("select count(*) from rooms where kind = 'open' and name <> ''")

    def rooms_of(self, user: str) -> list[str]:
        """The rooms somebody is a member of."""
        rows = self.db.execute("select room from members where user = ?", (user,))
        return [room for (room,) in rows]

    def rooms_for(self, user: str, limit: int) -> list[str]:
        """Theirs, those they are invited to, and the open ones, the liveliest first."""
        rows = self.db.execute(
            "select id from rooms where id in (select room from members where user = ?1)"
            " or id in (select room from invitations where user = ?1)"
            " or (kind = 'open' and name <> '') order by ts desc limit ?2",
            (user, limit),
        )
        return [room for (room,) in rows]

    def places_of(self, user: str) -> list[str]:
        """The rooms somebody is in, or has been in, or has said something in."""
        rows = self.db.execute(
            "select room from members where user = ?1"
            " union select distinct room from messages where user = ?1"
            " union select room from events"
            " where type = 'member' and json_extract(data, '$.user') = ?1",
            (user,),
        )
        return [room for (room,) in rows]

    def forgetful(self) -> list[tuple[str, int]]:
        """Rooms that do not keep everything, and for how many seconds they do."""
        return self.db.execute("select id, retention from rooms where retention > 0").fetchall()

    def older(
        self, room: str, before: int, limit: int
    ) -> list[tuple[int, int, str, str, str, str, int, str]]:
        """The oldest messages of a room from before a moment: what is known of them elsewhere."""
        return self.db.execute(
            "select number, seq, id, text, user, lang, ts, mentions from messages"
            " where room = ? and ts < ? order by ts, seq limit ?",
            (room, before, limit),
        ).fetchall()

    def old_guests(self, before: int, made_before: int, limit: int) -> list[str]:
        """Guests who have a nick and do not come back; bridges see their own people out.

        Args:
            before: Those who were last seen before this moment.
            made_before: And those who have no session, if they were made before this one.
            limit: How many.
        """
        rows = self.db.execute(
            "select user from accounts where guest and not external and (seen < ? or created < ?"
            " and not exists (select 1 from sessions where sessions.user = accounts.user))"
            " and exists (select 1 from names where names.user = accounts.user) limit ?",
            (before, made_before, limit),
        )
        return [user for (user,) in rows]

    def standing(self, room: str, user: str) -> Standing:
        """What somebody has not read of a room."""
        found = self._one("select read_seq from members where room = ? and user = ?", room, user)
        if found is None:
            return Standing(0, 0, 0)
        read_seq: int = found[0]
        unread = self._count(
            "select 1 from messages where room = ? and seq > ? and user <> ? and deleted = 0",
            room,
            read_seq,
            user,
        )
        mentions = self._count(
            "select 1 from mentions where user = ? and room = ? and seq > ?", user, room, read_seq
        )
        return Standing(read_seq, unread, mentions)

    def _count(self, query: str, *values: object) -> int:
        return self._number(f"select count(*) from ({query} limit {UNREAD_LIMIT})", *values)  # noqa: S608 - our own words

    def _number(self, query: str, *values: object) -> int:
        found = self._one(query, *values)
        return int(found[0]) if found else 0

    # Messages

    def message(self, id: str) -> Message | None:  # noqa: A002
        """One message."""
        return next(iter(self._messages("id = ?", "", (id,))), None)

    def said(self, user: str, nonce: str) -> Message | None:
        """What somebody has said with this nonce."""
        return next(iter(self._messages("user = ? and nonce = ?", "", (user, nonce))), None)

    def newest(self, room: str, limit: int) -> tuple[list[Message], int]:
        """The newest messages, oldest first, and the room's number at the same moment."""
        self.db.execute("begin")
        try:
            found = self._one("select seq from rooms where id = ?", room)
            messages = self._messages("room = ?", "order by seq desc limit ?", (room, limit))
            return messages[::-1], found[0] if found else 0
        finally:
            self.db.execute("commit")

    def before(self, room: str, seq: int, limit: int, *, alive: bool = False) -> list[Message]:
        """The messages before a number, oldest first.

        Args:
            room: Which room.
            seq: The number.
            limit: How many, of those next to it.
            alive: Whether those that were deleted are left out.
        """
        where = "room = ? and seq < ?" + _ALIVE * alive
        return self._messages(where, "order by seq desc limit ?", (room, seq, limit))[::-1]

    def after(self, room: str, seq: int, limit: int, *, alive: bool = False) -> list[Message]:
        """The messages after a number, oldest first; see `before`."""
        where = "room = ? and seq > ?" + _ALIVE * alive
        return self._messages(where, "order by seq limit ?", (room, seq, limit))

    def seq_at(self, room: str, ts: int) -> int:
        """The number of the first message from a moment on; beyond the last if there is none."""
        found = self._one(
            "select seq from messages where room = ? and ts >= ? order by ts, seq limit 1", room, ts
        )
        return found[0] if found else 1 << 62

    def seq_of(self, room: str, id: str) -> int | None:  # noqa: A002
        """The number of a message in a room."""
        found = self._one("select seq from messages where id = ? and room = ?", id, room)
        return found[0] if found else None

    def search(
        self, query: Query, rooms: Sequence[str], user: str, below: int, limit: int
    ) -> list[tuple[int, Message]]:
        """What is found, newest first, each with its number for the next page.

        Args:
            query: What is looked for.
            rooms: In which rooms; at least one.
            user: By whom; empty: by anybody.
            below: Only numbers below this one.
            limit: How many.
        """
        if query.before_ms:
            below = min(below, self.number_before(query.before_ms))
        wide = expression(query, user=user)
        if len(rooms) > NARROW_ROOMS and wide:
            # Mostly what was said last is in rooms that the asker is in: then a look at the newest
            # matches is enough. Else the index has to bring the lists of all rooms together.
            found, is_all = self._search_newest(wide, rooms, query, below, limit)
            if is_all:
                return found
        return self._found(
            "select number, %s from search join messages on number = search.rowid"
            " where search match ? and search.rowid < ? and ts >= ? and (? = 0 or ts < ?)"
            " and deleted = 0 order by search.rowid desc limit ?",
            (
                *(expression(query, rooms, user), below, query.after_ms),
                *(query.before_ms, query.before_ms, limit),
            ),
        )

    def _search_newest(
        self, wide: str, rooms: Sequence[str], query: Query, below: int, limit: int
    ) -> tuple[list[tuple[int, Message]], bool]:
        """What is found among the newest matches, and whether there is no need to look further."""
        matches = [
            number
            for (number,) in self.db.execute(
                "select rowid from search where search match ? and rowid < ?"
                " order by rowid desc limit ?",
                (wide, below, NEWEST_MATCHES),
            )
        ]
        numbers, marks = ", ".join(map(str, matches)), ", ".join("?" * len(rooms))
        found = self._found(
            f"select number, %s from messages where number in ({numbers})"  # noqa: S608 - numbers
            f" and +room in ({marks}) and ts >= ? and (? = 0 or ts < ?) and deleted = 0"
            " order by number desc limit ?",
            (*rooms, query.after_ms, query.before_ms, query.before_ms, limit),
        )
        return found, len(matches) < NEWEST_MATCHES or len(found) >= limit

    def _found(self, statement: str, values: tuple[object, ...]) -> list[tuple[int, Message]]:
        rows = self.db.execute(statement % _COLUMNS, values).fetchall()
        numbers = [row[0] for row in rows]
        return list(zip(numbers, self._whole([row[1:] for row in rows]), strict=True))

    def number_before(self, ts: int) -> int:
        """A number such that no message from this moment on has a lesser one."""
        # Ids begin with the time, so the index on them is one by time over all rooms.
        found = self._one(
            "select number from messages where id < ? order by id desc limit 1", first_at(ts)
        )
        return found[0] + 1 if found else 0

    def since(self, room: str, seq: int, limit: int, user: str | None) -> Missed:
        """What has happened in a room after a number, in its order, at most so much.

        A message comes as it is now, with all that has happened to it since: whoever applies the
        events in order ends where everybody else is.

        Args:
            room: Which room.
            seq: The number that the asker knows.
            limit: How many events at most.
            user: Who asks: what they have said has their nonce with it; None: everything has its
                sender's.
        """
        self.db.execute("begin")
        try:
            found = self._one("select seq, floor from rooms where id = ?", room)
            now, floor = found or (0, 0)
            if seq < floor or seq > now or now - seq > limit:
                return Missed([], now, False)
            nonces = dict(
                self.db.execute(
                    "select seq, nonce from messages where room = ? and seq > ?"
                    " and user = coalesce(?, user) and nonce is not null",
                    (room, seq, user),
                ).fetchall()
            )
            told = {
                one.seq: _event("message", one.seq, one.ts, message=one, nonce=nonces.get(one.seq))
                for one in self.after(room, seq, limit)
            }
            told.update(self._events(room, seq))
            return Missed([told[number] for number in sorted(told)], now, True)
        finally:
            self.db.execute("commit")

    def _events(self, room: str, seq: int) -> Iterator[tuple[int, Raw]]:
        rows = self.db.execute(
            "select seq, ts, type, message, data from events where room = ? and seq > ?",
            (room, seq),
        ).fetchall()
        for number, ts, kind, message, data in rows:
            if kind == "edit":
                yield from self._edit(number, ts, message)
            elif kind == "translation":
                yield from self._translation(number, ts, message, msgspec.json.decode(data))
            else:
                yield number, Raw(data.encode())

    def _edit(self, number: int, ts: int, id: str) -> Iterator[tuple[int, Raw]]:  # noqa: A002
        message = self.message(id)
        if message is not None and not message.deleted:
            yield (
                number,
                _event(
                    "edit",
                    number,
                    ts,
                    id=id,
                    text=message.text,
                    lang=message.lang,
                    langSource=message.lang_source,
                    edited=message.edited,
                    by=message.user,
                    mentions=message.mentions,
                ),
            )

    def _translation(
        self,
        number: int,
        ts: int,
        id: str,  # noqa: A002
        data: dict[str, Any],
    ) -> Iterator[tuple[int, Raw]]:
        found = self._one(
            "select text, engine, by from translations where message = ? and lang = ?",
            id,
            data["lang"],
        )
        if found is not None:
            text, engine, by = found
            told = {"id": id, "lang": data["lang"], "text": text, "engine": engine, "by": by}
            yield number, _event("translation", number, ts, **told)

    def _messages(self, where: str, order: str, values: tuple[object, ...]) -> list[Message]:
        query = f"select {_COLUMNS} from messages where {where} {order}"  # noqa: S608 - our own words
        return self._whole(self.db.execute(query, values).fetchall())

    def _whole(self, rows: list[tuple[Any, ...]]) -> list[Message]:
        """Rows as messages, with what hangs on them."""
        if not rows:
            return []
        ids = [row[0] for row in rows]
        marks = ", ".join("?" * len(ids))
        reactions: dict[str, dict[str, tuple[str, ...]]] = {}
        for message, emoji, user in self.db.execute(
            "select message, emoji, user from reactions"  # noqa: S608 - question marks
            f" where message in ({marks}) order by at",
            ids,
        ):
            of = reactions.setdefault(message, {})
            of[emoji] = (*of.get(emoji, ()), user)
        translations: dict[str, dict[str, Translated]] = {}
        for message, lang, text, engine, by in self.db.execute(
            f"select message, lang, text, engine, by from translations where message in ({marks})",  # noqa: S608 - question marks
            ids,
        ):
            translations.setdefault(message, {})[lang] = Translated(text, engine, by)
        return [
            replace(
                _message(row),
                reactions=reactions.get(row[0], {}),
                translations=translations.get(row[0], {}),
            )
            for row in rows
        ]

    def _one(self, query: str, *values: object) -> tuple[Any, ...] | None:
        return cast("tuple[Any, ...] | None", self.db.execute(query, values).fetchone())


def _message(row: tuple[Any, ...]) -> Message:
    (id, room, seq, ts, user, nick, kind, text, lang, lang_source, *rest) = row  # noqa: A001
    reply_to, edited, deleted, mentions, files, via = rest
    return Message(
        id,
        room,
        seq,
        ts,
        user,
        nick,
        kind,
        text,
        lang,
        lang_source,
        reply_to,
        edited,
        deleted,
        mentions=_langs.decode(mentions),
        via=_via.decode(via) if via else None,
        files=_files.decode(files),
    )


def _event(kind: str, seq: int, ts: int, **rest: object) -> Raw:
    said = {name: value for name, value in rest.items() if value not in ("", 0, (), None)}
    return Raw(msgspec.json.encode({"type": kind, "seq": seq, "ts": ts, **said}))
