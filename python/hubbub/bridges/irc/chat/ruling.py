"""`Ruling`: who may do what in a room, as MODE, KICK and INVITE say it. A part of `House`."""

from collections.abc import Sequence

from msgspec.structs import replace

from hubbub.apps.chat import wire
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.chat.caller import IrcCaller
from hubbub.bridges.irc.chat.places import Places
from hubbub.bridges.irc.chat.refusing import refusing
from hubbub.bridges.irc.front.events import Person
from hubbub.bridges.irc.front.face import ChatRefused, Flag

_ACTIONS = {"+o": "moderator", "-o": "member", "+v": "voice", "-v": "devoice"}


class Ruling(Places):
    """What moderators do, by the chat's own procedures."""

    async def invite(self, person: Person, room: str, nick: str, origin: object) -> None:
        """Lets somebody else into a room."""
        found, account = self._room(person, room), self._who.account(nick)
        if account is None:
            raise ChatRefused("no-such-nick", "No such nick/channel")
        if account.user in found.members:
            raise ChatRefused("already-in-room", "is already on channel")
        with refusing():
            params = wire.InviteParams(found.id, account.user)
            if account.user in found.invited:
                self._telling.invited(found, account.user, person.user, origin)
            await self._service.rooms.invite(IrcCaller(person.user, origin), params)

    async def set_topic(self, person: Person, room: str, topic: str, origin: object) -> None:
        """Gives a room another topic."""
        found = self._room(person, room)
        if topic == found.topic:
            # Nothing changes, so the chat tells nothing: who asks is answered.
            if not self._is_moderator(person, found):
                raise ChatRefused("not-allowed", "You're not channel operator")
            self._telling.same_topic(found, person, origin)
            return
        await self._settings(person, room, origin, topic=topic)

    def _is_moderator(self, person: Person, room: Room) -> bool:
        return room.is_moderator(self._service.people.person(person.user))

    async def set_flag(
        self, person: Person, room: str, flag: Flag, origin: object, *, on: bool
    ) -> None:
        """Gives a room another rule. A room that is closed is not listed anyway."""
        kind = self._room(person, room).kind
        if flag == "moderated":
            await self._settings(person, room, origin, moderated=on)
        elif flag == "closed":
            if on or kind == "members":
                await self._settings(person, room, origin, kind="members" if on else "open")
        elif on or kind == "unlisted":
            await self._settings(person, room, origin, kind="unlisted" if on else "open")

    async def _settings(self, person: Person, room: str, origin: object, **what: object) -> None:
        found = self._room(person, room)
        with refusing():
            params = replace(wire.SettingsParams(found.id), **what)
            await self._service.rooms.settings(IrcCaller(person.user, origin), params)

    async def set_role(
        self, person: Person, room: str, nick: str, mode: str, origin: object
    ) -> None:
        """Gives somebody in a room a role; a voice is nothing to whom has more."""
        found, account = self._room(person, room), self._who.account(nick)
        member = found.members.get(account.user) if account is not None else None
        if member is None:
            raise ChatRefused("no-such-nick", "No such nick/channel")
        has_more = member.role in ("owner", "moderator")
        is_less = mode == "-v" and member.role != "voice"
        if (mode[1] == "v" and has_more) or is_less or (mode == "-o" and not has_more):
            return
        if mode == "+o" and has_more:
            return
        await self._moderate(person, found, member.user, _ACTIONS[mode], "", origin)

    async def kick(self, person: Person, room: str, nick: str, reason: str, origin: object) -> None:
        """Makes somebody leave a room."""
        found, account = self._room(person, room), self._who.account(nick)
        user = account.user if account is not None else ""
        await self._moderate(person, found, user, "kick", reason, origin)

    async def ban(self, person: Person, room: str, mask: str, origin: object, *, on: bool) -> None:
        """Keeps whoever a mask names out of a room, or not any longer: always one person."""
        found = self._room(person, room)
        user = self._masked(found, mask)
        if user is None:
            raise ChatRefused("no-such-nick", "Bans are of people: name a nick")
        await self._moderate(person, found, user, "ban" if on else "unban", "", origin)

    def bans(self, person: Person, room: str) -> Sequence[tuple[str, str]]:
        """Who is kept out of a room, for its moderators."""
        found = self._room(person, room)
        if not self._is_moderator(person, found):
            return ()
        return [
            (self._telling.mask(one.user), self._who.person(one.by).nick)
            for one in found.bans.values()
        ]

    async def _moderate(
        self, person: Person, room: Room, user: str, action: str, reason: str, origin: object
    ) -> None:
        params = replace(wire.ModerateParams(room.id, user, "kick"), action=action, reason=reason)
        with refusing():
            await self._service.rooms.moderate(IrcCaller(person.user, origin, reason), params)

    def _masked(self, room: Room, mask: str) -> str | None:
        nick, _, rest = mask.partition("!")
        host = (rest or mask).rpartition("@")[2] if "@" in mask else ""
        account = self._who.account(nick) if nick and "*" not in nick else None
        if account is not None:
            return account.user
        users = [*room.bans, *room.members]
        return next((one for one in users if host and self._who.person(one).host == host), None)
