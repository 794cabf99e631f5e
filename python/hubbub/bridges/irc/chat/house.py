"""`House`: the chat, as the IRC front needs it. Asks the chat's own procedures, as its page does.

Here is who comes and goes, and what there is; messages are in `speaking`, moderation in `ruling`.
What comes of it is told by `telling`.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from hubbub.apps.chat import ChatService, wire
from hubbub.apps.chat.account import Account
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.chat.caller import IrcCaller
from hubbub.bridges.irc.chat.refusing import refusing
from hubbub.bridges.irc.chat.ruling import Ruling
from hubbub.bridges.irc.chat.speaking import Speaking
from hubbub.bridges.irc.chat.spelling import HELPER, is_chat_nick
from hubbub.bridges.irc.chat.who import NOT_HERE, Visit
from hubbub.bridges.irc.front.events import Person, Place
from hubbub.bridges.irc.front.face import Arrival, ChatRefused, Proof
from hubbub.bridges.irc.front.session import Session
from hubbub.log import logger

_ROOMS_LIMIT = 500


class House(Speaking, Ruling):
    """A chat for one front.

    Args:
        service: The chat.

    Attributes:
        is_closing: Whether the end has come, for this version of the code at least: nothing is
            written any more, for the next version may do so already. It sees the guests out.
    """

    def __init__(self, service: ChatService) -> None:
        super().__init__(service)
        self._most = 0
        self._origins: dict[str, set[object]] = {}
        """By which sessions people are here."""

        self.is_closing = False
        service.add_door(self._show_out)

    # Who comes and goes

    async def sign_in(self, account: str, password: str, address: str) -> Proof:
        """Who has an account, as they say and prove."""
        with refusing():
            proved = await self._service.sign_in.prove(account, password, address)
        return Proof(proved.nick, proved)

    async def enter(self, arrival: Arrival, origin: object) -> Person:
        """Lets somebody in: account holders under the nick of their account."""
        service = self._service
        with refusing(_400="bad-nick"):
            if arrival.proof is not None:
                account = self._proved(arrival.proof)
                service.came(account, stays=False)
            else:
                _check_nick(arrival.nick)
                account = await service.visitors.guest(arrival.nick, arrival.address)
        visit = self._who.visits.setdefault(account.user, Visit())
        visit.count += 1
        visit.ident, visit.realname = arrival.ident, arrival.realname
        self._origins.setdefault(account.user, set()).add(origin)
        await service.arrived(account)
        person = self._who.of_account(account)
        if origin not in self._origins.get(account.user, ()):
            await self.leave(person, "Signed out", origin)
            raise ChatRefused("failed", "You were signed out")
        for room in self._rooms(account.user):
            self._telling.arrived(room, account.user)
        self._telling.seen(person)
        return person

    def _proved(self, proof: Proof) -> Account:
        """Whose account it is now: a client takes its time between its proof and its coming in.

        Raises:
            ChatRefused: It is gone, or has another password.
        """
        assert isinstance(proof.of, Account)  # noqa: S101 - as `sign_in` has made it
        account = self._service.people.account(proof.of.user)
        if account is None:
            raise ChatRefused("failed", "This account is gone")
        if account.password != proof.of.password:
            raise ChatRefused("failed", "You were signed out")
        return account

    async def leave(self, person: Person, reason: str, origin: object) -> None:
        """Somebody's connection has ended; a guest is gone with it."""
        service, user = self._service, person.user
        visit = self._who.visits[user]
        visit.count -= 1
        origins = self._origins.get(user, set())
        origins.discard(origin)
        if not origins:
            self._origins.pop(user, None)
        if not visit.count:
            del self._who.visits[user]
        service.went(user, stays=False)
        account = service.people.account(user)
        if service.people.is_online(user):
            for room in self._telling.roster.rooms():
                self._telling.drop_if_deserted(room)
            return
        self._telling.gone(person, reason, origin)
        if self.is_closing or account is None or not account.guest:
            return
        if not service.store.here.has_session(user):
            try:
                await service.visitors.dismiss(account)
            except Refused as refused:
                logger.warning("irc: %s stays: %s", person.nick, refused.message)

    def _show_out(self, user: str) -> None:
        """Takes leave of somebody who is signed out, on all their sessions."""
        for origin in self._origins.pop(user, ()):
            # Who is only just coming in has not seen anything yet: `enter` turns them away.
            if isinstance(origin, Session) and origin.person is not None:
                self._service.app.spawn(origin.quit("Signed out"))

    async def rename(self, person: Person, nick: str, origin: object) -> None:
        """Gives a guest another nick; an account's owner changes it in the chat itself."""
        service = self._service
        account = service.people.account(person.user)
        if account is None or not account.guest:
            raise ChatRefused("bad-nick", "Your nick is your account's: change it in the chat")
        _check_nick(nick)
        with refusing(_400="bad-nick"):
            service.slow("actions_per_user", person.user, 5)
            if folded(nick) != folded(person.nick):
                await service.visitors.free(nick)
            service.people.check_free(nick, person.user)
            caller = IrcCaller(person.user, origin)
            await service.profile.renew(account, replace(account, nick=nick), origin=caller)
        self._telling.changed(person.user, origin)

    def set_away(self, person: Person, why: str, origin: object) -> None:
        """Notes that somebody is away, or with "" that they are back."""
        self._who.visits[person.user].away = why
        self._telling.changed(person.user, origin)

    # Rooms

    async def join(self, person: Person, room: str, origin: object) -> None:
        """Lets somebody into a room, and makes it if nobody has."""
        service, caller = self._service, IrcCaller(person.user, origin)
        found = self._found(room)
        with refusing(_403="not-allowed", _409="no-such-room"):
            if found is None:
                await service.rooms.create(caller, wire.CreateParams(room))
                return
            ban = found.bans.get(person.user)
            if ban is not None and ban.holds(service.now_ms()):
                raise ChatRefused("banned", "Cannot join channel (+b)")
            if not found.knows(person.user):
                raise ChatRefused("members-only", "Cannot join channel (+i)")
            if person.user in found.members:
                self._telling.arrived(found, person.user, origin)
            else:
                self._telling.follow(found, person.user)
                await service.rooms.join(caller, wire.RoomParams(found.id))

    async def part(self, person: Person, room: str, reason: str, origin: object) -> None:
        """Lets somebody leave a room."""
        caller = IrcCaller(person.user, origin, reason)
        with refusing():
            await self._service.rooms.leave(caller, wire.RoomParams(self._room(person, room).id))

    # What there is

    def place(self, person: Person, room: str) -> Place | None:
        """A room that somebody may see."""
        found = self._found(room)
        if found is None or not found.knows(person.user):
            return None
        return self._place(found)

    def _place(self, room: Room) -> Place:
        by, at_s = self._telling.topics.get(room.id, ("", 0))
        return Place(
            self._telling.channel(room),
            room.topic,
            by if room.topic else "",
            at_s,
            room.created // 1000,
            is_listed=room.kind == "open",
            is_closed=room.kind == "members",
            is_moderated=room.moderated,
        )

    def members(self, person: Person, room: str) -> Sequence[Person]:
        """Those who are in a room that somebody may see, and online."""
        found = self._found(room)
        if found is None or not found.knows(person.user):
            return ()
        there = self._telling.roster.present(found.id) or dict(self._who.members(found))
        return [self._who.person(user, role) for user, role in there.items()]

    def places(self, person: Person) -> Sequence[tuple[Place, int]]:
        """The rooms that anybody may see, with how many are there."""
        ids = self._service.store.here.rooms_for(person.user, _ROOMS_LIMIT)
        found = self._service.live.rooms(ids)
        return [
            (self._place(room), self._service.views.online(room.id))
            for room in found
            if room.kind != "direct"
        ]

    def crowd(self) -> tuple[int, int, int]:
        """How many people are there, in how many rooms one may be, and how many there were."""
        people = len(self._service.people.online)
        self._most = max(self._most, people)
        return people, self._service.store.here.open_rooms(), self._most

    def find(self, nick: str) -> Person | None:
        """Somebody who is there."""
        return self._who.person(HELPER) if folded(nick) == HELPER else self._who.find(nick)

    def addressee(self, nick: str) -> Person | None:
        """Somebody to whom something may be said: the owner of an account is told later."""
        found = self.find(nick)
        account = self._who.account(nick) if found is None else None
        if account is None or account.guest:
            return found
        person = self._who.of_account(account)
        return Person(person.user, person.nick, account=person.account, away=NOT_HERE)

    def people(self) -> Sequence[Person]:
        """Everybody who is there."""
        return [self._who.person(user) for user in self._service.people.online]

    def rooms_of(self, person: Person, seen_by: Person) -> Sequence[tuple[Place, Person]]:
        """The rooms that somebody is in, and another may see."""
        return [
            (self._place(room), self._who.person(person.user, room.members[person.user].role))
            for room in self._rooms(person.user)
            if room.kind == "open" or seen_by.user in room.members
        ]


def _check_nick(nick: str) -> None:
    """Whether a guest may be called so, as far as it has nothing to do with who is there.

    Raises:
        ChatRefused: Nobody may.
    """
    if folded(nick) == HELPER:
        raise ChatRefused("nick-taken", "Nickname is already in use")
    if not is_chat_nick(nick):
        raise ChatRefused("bad-nick", "Only letters, digits, _ and -")
