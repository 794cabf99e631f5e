"""A small chat in memory, and clients of a front before it that talk without sockets."""

from collections.abc import Sequence
from dataclasses import replace

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.front import ChatRefused, FrontInfo, Gateway, Session, new_session
from hubbub.bridges.irc.front.events import (
    Changed,
    Event,
    Invited,
    Joined,
    ModeSet,
    Parted,
    Person,
    Place,
    Quit,
    Reacted,
    Redacted,
    Role,
    Said,
    Seen,
    Tagged,
    TopicSet,
    Typing,
)
from hubbub.bridges.irc.front.face import Arrival, Conversation, Flag, Proof, Saying, Stretch
from hubbub.bridges.irc.line import Line, encode


class World:
    """A chat with rooms; whoever opens one owns it.

    Attributes:
        accounts: Passwords, by account.
        sessions: Who is told of events.
        said: Everything, in order.
        banned: Nicks that no room lets in.
        refuse: What the next saying is refused with.
        arrivals: Who has come in, and from where.
    """

    def __init__(self) -> None:
        self.accounts = {"ada": "secret"}
        self.sessions: list[Session] = []
        self.online: dict[str, Person] = {}
        self.rooms: dict[str, dict[str, Person]] = {}
        self.topics: dict[str, tuple[str, str, int]] = {}
        self.flags: dict[str, set[str]] = {}
        self.invited: set[tuple[str, str]] = set()
        self.said: list[Said] = []
        self.reactions: list[Reacted] = []
        self.banned: set[str] = set()
        self.refuse: ChatRefused | None = None
        self.arrivals: list[Arrival] = []
        self.now_ms = 1_700_000_000_000

    def tell(self, event: Event) -> None:
        for session in self.sessions:
            session.hear(event)

    async def sign_in(self, account: str, password: str, address: str) -> Proof:
        if self.accounts.get(account) != password:
            raise ChatRefused("bad-password", "wrong password")
        return Proof(account)

    async def enter(self, arrival: Arrival, origin: object) -> Person:
        self.arrivals.append(arrival)
        name, ident = arrival.realname, arrival.ident
        if arrival.proof is not None:
            account = arrival.proof.account
            return self._enter(Person(f"u-{account}", account, name, account, ident=ident))
        if folded(arrival.nick) in self.online:
            raise ChatRefused("nick-taken", "Nickname is already in use")
        return self._enter(Person(f"g-{arrival.nick}", arrival.nick, name, ident=ident))

    def _enter(self, person: Person) -> Person:
        self.online[folded(person.nick)] = person
        self.tell(Seen(person, is_online=True))
        return person

    def _named(self, person: Person) -> frozenset[str]:
        return frozenset(room for room, there in self.rooms.items() if person.user in there)

    async def leave(self, person: Person, reason: str, origin: object) -> None:
        self.online.pop(folded(person.nick), None)
        self.tell(Quit(person, self._named(person), reason, origin))
        for members in self.rooms.values():
            members.pop(person.user, None)
        self.tell(Seen(person, is_online=False))

    async def rename(self, person: Person, nick: str, origin: object) -> None:
        if folded(nick) in self.online and folded(nick) != folded(person.nick):
            raise ChatRefused("nick-taken", "Nickname is already in use")
        self._change(person, replace(person, nick=nick), origin)

    def _change(self, before: Person, after: Person, origin: object) -> None:
        del self.online[folded(before.nick)]
        self.online[folded(after.nick)] = after
        for members in self.rooms.values():
            if (member := members.get(before.user)) is not None:
                members[before.user] = replace(after, role=member.role)
        self.tell(Changed(before, after, self._named(before), origin))

    def set_away(self, person: Person, why: str, origin: object) -> None:
        self._change(person, replace(person, away=why), origin)

    async def join(self, person: Person, room: str, origin: object) -> None:
        if person.nick in self.banned:
            raise ChatRefused("banned", "Cannot join channel (+b)")
        name = next((one for one in self.rooms if folded(one) == folded(room)), room)
        if "closed" in self.flags.get(name, ()) and (name, person.user) not in self.invited:
            raise ChatRefused("members-only", "Cannot join channel (+i)")
        members = self.rooms.setdefault(name, {})
        member = replace(person, role="" if members else "owner")
        members[person.user] = member
        self.tell(Joined(name, member, origin))

    async def part(self, person: Person, room: str, reason: str, origin: object) -> None:
        member = self.rooms[room].pop(person.user)
        self.tell(Parted(room, member, reason=reason, origin=origin))

    async def invite(self, person: Person, room: str, nick: str, origin: object) -> None:
        guest = self.online[folded(nick)]
        if guest.user in self.rooms[room]:
            raise ChatRefused("already-in-room", "is already on channel")
        self._check(person, room)
        self.invited.add((room, guest.user))
        self.tell(Invited(room, guest, person, origin))

    async def say(self, person: Person, saying: Saying, origin: object) -> None:
        if self.refuse is not None:
            raise self.refuse
        self.now_ms += 1000
        said = Said(
            f"M{len(self.said)}",
            self.now_ms,
            person,
            saying.text,
            saying.room,
            saying.to,
            saying.kind,
            saying.reply_to,
            "en",
            saying.tags,
            origin=origin,
        )
        self.said.append(said)
        self.tell(said)

    async def redact(self, person: Person, target: Reacted, reason: str, origin: object) -> None:
        if not any(one.id == target.id for one in self.said):
            raise ChatRefused("no-such-message", "there is no such message")
        self.tell(Redacted(target.room, person, target.id, reason, target.to, origin))

    async def react(self, reaction: Reacted) -> None:
        self.reactions.append(reaction)
        self.tell(reaction)

    def typing(self, typing: Typing) -> None:
        self.tell(typing)

    def relay(self, tagged: Tagged) -> None:
        self.tell(tagged)

    def _check(self, person: Person, room: str) -> None:
        if self.rooms[room][person.user].role != "owner":
            raise ChatRefused("not-allowed", "You're not channel operator")

    async def set_topic(self, person: Person, room: str, topic: str, origin: object) -> None:
        self._check(person, room)
        self.topics[room] = (topic, person.nick, self.now_ms // 1000)
        self.tell(TopicSet(room, person, topic, origin=origin))

    async def set_flag(
        self, person: Person, room: str, flag: Flag, origin: object, *, on: bool
    ) -> None:
        self._check(person, room)
        flags = self.flags.setdefault(room, set())
        (flags.add if on else flags.discard)(flag)
        letter = {"closed": "i", "moderated": "m", "unlisted": "s"}[flag]
        self.tell(ModeSet(room, person, ("+" if on else "-") + letter, (), origin))

    async def set_role(
        self, person: Person, room: str, nick: str, mode: str, origin: object
    ) -> None:
        self._check(person, room)
        roles: dict[str, Role] = {"+o": "moderator", "+v": "voice"}
        user = self.online[folded(nick)].user
        self.rooms[room][user] = replace(self.rooms[room][user], role=roles.get(mode, ""))
        self.tell(ModeSet(room, person, mode, (nick,), origin))

    async def ban(self, person: Person, room: str, mask: str, origin: object, *, on: bool) -> None:
        self._check(person, room)
        nick = mask.partition("!")[0]
        (self.banned.add if on else self.banned.discard)(nick)
        self.tell(ModeSet(room, person, "+b" if on else "-b", (f"{nick}!*@*",), origin))

    def bans(self, person: Person, room: str) -> Sequence[tuple[str, str]]:
        return [(f"{nick}!*@*", "ada") for nick in sorted(self.banned)]

    async def kick(self, person: Person, room: str, nick: str, reason: str, origin: object) -> None:
        self._check(person, room)
        kicked = next(one for one in self.rooms[room].values() if one.nick == nick)
        del self.rooms[room][kicked.user]
        self.tell(Parted(room, kicked, person, reason, origin))

    async def history(
        self, person: Person, conversation: Conversation, wanted: Stretch, limit: int
    ) -> Sequence[Said]:
        nicks = {folded(person.nick), folded(conversation.nick)}
        there = [
            one
            for one in self.said
            if (one.room and one.room == conversation.room)
            or (one.to and {folded(one.to), folded(one.sender.nick)} == nicks)
        ]

        def at(reference: str) -> float:
            if reference.startswith("@"):
                return int(reference[1:])
            return next((one.ts_ms for one in there if one.id == reference), 0)

        if wanted.around:
            middle = at(wanted.around)
            before = [one for one in there if one.ts_ms < middle][-(limit // 2) :]
            return [*before, *[one for one in there if one.ts_ms >= middle]][:limit]
        found = [
            one
            for one in there
            if (not wanted.after or one.ts_ms > at(wanted.after))
            and (not wanted.before or one.ts_ms < at(wanted.before))
        ]
        return found[-limit:] if wanted.newest else found[:limit]

    async def conversations(
        self, person: Person, after_ms: int, before_ms: int, limit: int
    ) -> Sequence[Conversation]:
        last = {one.room: one.ts_ms for one in self.said if one.room}
        return [
            Conversation(room, ts_ms=at) for room, at in last.items() if after_ms < at < before_ms
        ][:limit]

    def place(self, person: Person, room: str) -> Place | None:
        for name in self.rooms:
            if folded(name) == folded(room):
                topic, by, at_s = self.topics.get(name, ("", "", 0))
                flags = self.flags.get(name, set())
                return Place(
                    name,
                    topic,
                    by,
                    at_s,
                    1_600_000_000,
                    "unlisted" not in flags,
                    "closed" in flags,
                    "moderated" in flags,
                )
        return None

    def members(self, person: Person, room: str) -> Sequence[Person]:
        return [*self.rooms[room].values()]

    def places(self, person: Person) -> Sequence[tuple[Place, int]]:
        found = [(self.place(person, name), len(there)) for name, there in self.rooms.items()]
        return [(place, count) for place, count in found if place is not None]

    def crowd(self) -> tuple[int, int, int]:
        return len(self.online), len(self.rooms), len(self.online)

    def find(self, nick: str) -> Person | None:
        return self.online.get(folded(nick))

    def addressee(self, nick: str) -> Person | None:
        return self.find(nick)

    def acquaintance(self, person: Person, nick: str) -> Person | None:
        return None

    def people(self) -> Sequence[Person]:
        return [*self.online.values()]

    def rooms_of(self, person: Person, seen_by: Person) -> Sequence[tuple[Place, Person]]:
        return [
            (place, self.rooms[place.name][person.user])
            for place, _ in self.places(seen_by)
            if person.user in self.rooms[place.name]
        ]


class Client:
    """A client: what it sends is carried out, what it gets is kept."""

    def __init__(self, world: World, gateways: tuple[Gateway, ...] = ()) -> None:
        self.got: list[Line] = []
        self.is_cut = False
        self.session = new_session(
            world,
            FrontInfo(server="irc.test", network="Test", motd=("hello",)),
            now_ms=lambda: world.now_ms,
            write=self._write,
            close=self._close,
            address="127.0.0.1",
            gateways=gateways,
        )
        world.sessions.append(self.session)

    def _write(self, line: Line) -> None:
        encode(line)  # whatever is said can be said in one line
        self.got.append(line)

    def _close(self) -> None:
        self.is_cut = True

    async def send(self, *lines: str) -> list[Line]:
        """Sends lines; returns what has come since the last ones."""
        for line in lines:
            await self.session.receive(line.encode())
        return self.take()

    def take(self) -> list[Line]:
        """What has come."""
        got, self.got = self.got, []
        return got


async def entered(world: World, nick: str, *caps: str) -> Client:
    """A client that is in."""
    client = Client(world)
    if caps:
        await client.send("CAP LS 302", f"CAP REQ :{' '.join(caps)}")
    await client.send(f"NICK {nick}", f"USER {nick} 0 * :Real {nick}", "CAP END")
    assert client.session.person is not None
    return client


def told(lines: Sequence[Line]) -> list[str]:
    """The lines without tags, as they stand on the wire."""
    return [encode(Line(one.command, one.params, one.source)).decode() for one in lines]
