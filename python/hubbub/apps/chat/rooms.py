"""The remote procedures about rooms, their members and their history."""

import asyncio
import secrets
import sqlite3
from typing import TYPE_CHECKING

from hubbub.apps.chat import commands as do
from hubbub.apps.chat import refusals, wire
from hubbub.apps.chat import search as looking
from hubbub.apps.chat.commands import Caller
from hubbub.apps.chat.ids import opaque
from hubbub.apps.chat.languages import checked_tag
from hubbub.apps.chat.message import checked_text
from hubbub.apps.chat.nick import checked_room_name
from hubbub.apps.chat.room import TOPIC_LIMIT, Room
from hubbub.apps.chat.store import Reader
from hubbub.apps.chat.store.changes import make_room
from hubbub.apps.chat.wire import Done, RoomInfo, RoomList

if TYPE_CHECKING:
    from hubbub.apps.chat.service import ChatService

ROOMS_LIMIT = 500
"""How many rooms a list shows."""

SYNC_LIMIT = 1_000
"""How many events are told one by one; who has missed more shows the room anew."""

RETENTION_MIN_S = 60
RETENTION_LIMIT_S = 100 * 365 * 86_400
REASON_LIMIT = 200
_NEWEST = 1 << 62


class Rooms:
    """What is done with rooms."""

    def __init__(self, chat: "ChatService") -> None:
        self._chat = chat
        for name, handler in (
            ("rooms.list", self.listed),
            ("rooms.create", self.create),
            ("rooms.join", self.join),
            ("rooms.leave", self.leave),
            ("rooms.open", self.open),
            ("rooms.settings", self.settings),
            ("rooms.invite", self.invite),
            ("direct.open", self.direct),
            ("history", self.history),
            ("sync", self.sync),
            ("search", self.search),
            ("members", self.members),
            ("bans", self.bans),
            ("moderate", self.moderate),
        ):
            chat.hub.rpc(name)(handler)

    def listed(self, client: Caller) -> RoomList:
        """The rooms somebody is in or may come into, the liveliest first."""
        chat = self._chat
        self._slow(client, 2)
        found = chat.live.rooms(chat.store.here.rooms_for(client.user, ROOMS_LIMIT))
        return RoomList([chat.views.info(room, client.user) for room in found])

    async def create(self, client: Caller, params: wire.CreateParams) -> RoomInfo:
        """Makes a room; who makes it owns it."""
        chat = self._chat
        person = chat.person(client)
        if (chat.config.rooms_by == "accounts" and person.guest) or (
            chat.config.rooms_by == "owners" and not person.is_owner
        ):
            raise refusals.forbidden("you may not make rooms here")
        name, topic = checked_room_name(params.name), _topic(params.topic)
        if chat.room_named(name) is not None:
            raise refusals.taken("a room is called so, or looks so")
        chat.slow("rooms_per_user", client.user)
        id, now = chat.new_room_id(), chat.now_ms()  # noqa: A001
        await chat.store.write(lambda db: make_room(db, id, params.kind, now))
        room = self._made(id)
        settings = do.Configure(name, params.kind, topic or None)
        await chat.live.carry_out_all([(room, do.Join()), (room, settings)], person, origin=client)
        return chat.views.info(self._made(id), client.user)

    async def join(self, client: Caller, params: wire.RoomParams) -> RoomInfo:
        """Comes into a room."""
        self._slow(client)
        room = self._chat.room_known(client, params.room)
        await self._chat.live.carry_out(room, do.Join(), self._chat.person(client), origin=client)
        return self._chat.views.info(room, client.user)

    async def leave(self, client: Caller, params: wire.RoomParams) -> Done:
        """Leaves a room."""
        self._slow(client)
        return await self._do(client, params.room, do.Leave())

    async def open(self, client: Caller, params: wire.OpenParams) -> wire.Opened:
        """All that is needed to show a room."""
        chat = self._chat
        self._slow(client, 2)
        room = chat.room_for(client, params.room)
        limit = _limited(params.limit, wire.OPEN_LIMIT)
        messages, seq = await chat.store.read(lambda reader: reader.newest(room.id, limit + 1))
        members = chat.views.members(room, "", wire.MEMBERS_LIMIT)
        info = chat.views.info(room, client.user)
        return wire.Opened(
            info,
            members.members,
            messages[-limit:],
            seq,
            info.last_read,
            len(messages) > limit,
            members.next,
        )

    async def settings(self, client: Caller, params: wire.SettingsParams) -> Done:
        """Changes what a room is."""
        self._slow(client)
        name = None if params.name is None else checked_room_name(params.name)
        if name is not None and self._chat.room_named(name) not in (None, params.room):
            raise refusals.taken("a room is called so, or looks so")
        if params.retention and not RETENTION_MIN_S <= params.retention <= RETENTION_LIMIT_S:
            raise refusals.bad("messages are kept for a minute at least; 0: for ever")
        if params.retention is not None and params.retention < 0:
            raise refusals.bad("messages are kept for a minute at least; 0: for ever")
        topic = None if params.topic is None else _topic(params.topic)
        command = do.Configure(name, params.kind, topic, params.retention, params.moderated)
        return await self._do(client, params.room, command)

    async def invite(self, client: Caller, params: wire.InviteParams) -> Done:
        """Lets somebody into a room."""
        self._slow(client)
        self._chat.people.person(params.user)
        return await self._do(client, params.room, do.Invite(params.user))

    async def direct(self, client: Caller, params: wire.UserParams) -> RoomInfo:
        """The conversation with somebody; made if there is none."""
        chat = self._chat
        self._slow(client)
        other = chat.people.person(params.user)
        if other.user == client.user:
            raise refusals.bad("a conversation takes two")
        pair = " ".join(sorted((client.user, other.user)))
        id = chat.store.here.room_by_pair(pair)  # noqa: A001
        if id is None:
            chat.slow("rooms_per_user", client.user)
            id = await self._make_direct(pair)  # noqa: A001
        room = self._made(id)
        room.invited.update((client.user, other.user))
        joined = [
            chat.live.carry_out(room, do.Join(), person) for person in (chat.person(client), other)
        ]
        await asyncio.gather(*joined)
        return chat.views.info(room, client.user)

    async def history(self, client: Caller, params: wire.HistoryParams) -> wire.Page:
        """A part of what was said."""
        chat = self._chat
        self._slow(client)
        room = chat.room_for(client, params.room)
        limit = _limited(params.limit, wire.OPEN_LIMIT)
        return await chat.store.read(lambda reader: _page(reader, room.id, params, limit))

    async def sync(self, client: Caller, params: wire.SyncParams) -> wire.Synced:
        """What has happened in a room since a number."""
        chat = self._chat
        self._slow(client)
        room = chat.room_for(client, params.room)
        after, user = params.after, client.user
        missed = await chat.store.read(
            lambda reader: reader.since(room.id, after, SYNC_LIMIT, user)
        )
        return wire.Synced(missed.events, missed.seq, not missed.is_all)

    async def search(self, client: Caller, params: wire.SearchParams) -> wire.Page:
        """Finds messages, the newest first."""
        chat = self._chat
        chat.slow("searches_per_user", client.user)
        query = looking.parse(params.q)
        if query.lang:
            checked_tag(query.lang)
        rooms = self._searched(client, params.room, query.in_room)
        user = ""
        if query.from_nick:
            account = chat.people.by_nick(query.from_nick)
            if account is None:
                return wire.Page([], False)
            user = account.user
        below = (
            int(params.before) if params.before.isascii() and params.before.isdigit() else _NEWEST
        )
        limit = _limited(params.limit, wire.OPEN_LIMIT)

        def ask(reader: Reader) -> wire.Page:
            found = reader.search(query, rooms, user, below, limit + 1)
            more = len(found) > limit
            shown = found[:limit]
            following = str(shown[-1][0]) if more else ""
            return wire.Page([message for _, message in shown], more, following)

        return await chat.store.read(ask)

    def members(self, client: Caller, params: wire.MembersParams) -> wire.MemberPage:
        """The members of a room."""
        self._slow(client)
        room = self._chat.room_for(client, params.room)
        limit = _limited(params.limit, wire.MEMBERS_LIMIT)
        return self._chat.views.members(room, params.after, limit)

    def bans(self, client: Caller, params: wire.RoomParams) -> wire.BanList:
        """Who may not come back, for moderators."""
        chat = self._chat
        self._slow(client)
        room = chat.room_for(client, params.room)
        if not room.is_moderator(chat.person(client)):
            raise refusals.forbidden("only a room's moderator may do that")
        told: list[wire.BanInfo] = []
        for ban in room.bans.values():
            account = chat.people.account(ban.user)
            nick = account.nick if account is not None else ""
            told.append(wire.BanInfo(ban.user, nick, ban.by, ban.until, ban.reason))
        return wire.BanList(told)

    async def moderate(self, client: Caller, params: wire.ModerateParams) -> Done:
        """Does something to somebody."""
        self._slow(client)
        if not 0 <= params.seconds <= RETENTION_LIMIT_S:
            raise refusals.bad("expected seconds")
        reason = checked_text(params.reason, REASON_LIMIT, may_be_empty=True)
        command = do.Moderate(params.user, params.action, reason, params.seconds)
        if params.action == "ban":
            self._chat.people.person(params.user)
        return await self._do(client, params.room, command)

    # Inside

    def _slow(self, client: Caller, count: float = 1) -> None:
        self._chat.slow("actions_per_user", client.user, count)

    async def _do(self, client: Caller, room: str, command: do.Command) -> Done:
        found = self._chat.room_for(client, room)
        await self._chat.live.carry_out(found, command, self._chat.person(client), origin=client)
        return Done()

    def _made(self, id: str) -> Room:  # noqa: A002
        room = self._chat.live.room(id)
        if room is None:
            raise refusals.no_such("room")
        return room

    async def _make_direct(self, pair: str) -> str:
        id, now = opaque("d", secrets.randbits), self._chat.now_ms()  # noqa: A001

        def write(db: sqlite3.Connection) -> None:
            if not db.execute("select 1 from rooms where pair = ?", (pair,)).fetchone():
                make_room(db, id, "direct", now, pair)

        await self._chat.store.write(write)
        return self._chat.store.here.room_by_pair(pair) or id

    def _searched(self, client: Caller, room: str, named: str) -> list[str]:
        """The rooms to look in: one, or all that somebody is in."""
        chat = self._chat
        if named:
            room = chat.room_named(named) or named
        if room:
            return [chat.room_for(client, room).id]
        rooms = chat.store.here.rooms_of(client.user)
        if not rooms:
            raise refusals.no_such("room")
        return rooms


def _page(reader: Reader, room: str, params: wire.HistoryParams, limit: int) -> wire.Page:
    if params.around or params.at:
        seq = (
            reader.seq_of(room, params.around) if params.around else reader.seq_at(room, params.at)
        )
        if seq is None:
            raise refusals.no_such("message")
        older = reader.before(room, seq, limit // 2)
        newer = reader.after(room, seq - 1, limit - limit // 2)
        return wire.Page(older + newer, len(older) == limit // 2)
    if params.after:
        seq = _seq(reader, room, params.after)
        messages = reader.after(room, seq, limit + 1)
        return wire.Page(messages[:limit], len(messages) > limit)
    seq = _seq(reader, room, params.before) if params.before else _NEWEST
    messages = reader.before(room, seq, limit + 1)
    return wire.Page(messages[-limit:], len(messages) > limit)


def _seq(reader: Reader, room: str, id: str) -> int:  # noqa: A002
    seq = reader.seq_of(room, id)
    if seq is None:
        raise refusals.no_such("message")
    return seq


def _topic(topic: str) -> str:
    return checked_text(topic, TOPIC_LIMIT, may_be_empty=True).replace("\n", " ")


def _limited(wanted: int, limit: int) -> int:
    return max(1, min(wanted, limit))
