"""Rooms and members as somebody sees them."""

from hubbub.apps.chat.live import Live
from hubbub.apps.chat.member import Member
from hubbub.apps.chat.people import People
from hubbub.apps.chat.room import Room
from hubbub.apps.chat.store import Store
from hubbub.apps.chat.wire import MemberInfo, MemberPage, RoomInfo


class Views:
    """Puts together what several know."""

    def __init__(self, store: Store, live: Live, people: People) -> None:
        self._store = store
        self._live = live
        self._people = people

    def info(self, room: Room, user: str) -> RoomInfo:
        """A room, and where somebody stands in it."""
        standing = self._store.here.standing(room.id, user)
        member = room.members.get(user)
        return RoomInfo(
            room.id,
            room.name,
            room.kind,
            room.topic,
            len(room.members),
            room.seq,
            room.ts,
            member is not None,
            member.role if member is not None else "",
            standing.unread,
            standing.mentions,
            standing.read_seq,
            online=self.online(room.id),
            retention=room.retention,
            moderated=room.moderated,
            invited=user in room.invited,
            peer=self._peer(room, user),
        )

    def online(self, id: str) -> int:  # noqa: A002
        """How many members of a room are online."""
        room = self._live.room(id)
        return sum(map(self._people.is_online, room.members)) if room is not None else 0

    def member(self, member: Member) -> MemberInfo:
        """A member as everybody sees them."""
        return MemberInfo(
            member.user,
            member.nick,
            member.langs,
            member.preferred,
            member.role,
            self._people.is_online(member.user),
            member.guest,
            member.muted_until,
        )

    def members(self, room: Room, after: str, limit: int) -> MemberPage:
        """A room's members: those online first, then by when they joined.

        Args:
            room: Which.
            after: Where to go on: the `next` of the page before.
            limit: How many.
        """
        online = [one for one in room.members.values() if self._people.is_online(one.user)]
        offline = [one for one in room.members.values() if not self._people.is_online(one.user)]
        everybody = online + offline
        first = int(after) if after.isascii() and after.isdigit() else 0
        shown = everybody[first : first + limit]
        is_all = first + limit >= len(everybody)
        return MemberPage(
            list(map(self.member, shown)), len(everybody), "" if is_all else str(first + limit)
        )

    def _peer(self, room: Room, user: str) -> MemberInfo | None:
        if room.kind != "direct":
            return None
        others = [one for one in room.members.values() if one.user != user]
        return self.member(others[0]) if others else None
