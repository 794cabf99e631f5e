"""A small chat in memory, and clients of a front before it that talk without sockets."""

from collections.abc import Sequence
from dataclasses import replace

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.front import ChatRefused, FrontInfo, Session, new_session
from hubbub.bridges.irc.front.face import (
    Event,
    Joined,
    Parted,
    Person,
    Place,
    Reacted,
    Renamed,
    Said,
    Saying,
    Stretch,
    TopicSet,
    Typing,
)
from hubbub.bridges.irc.line import Line, encode


class World:
    """A chat with rooms; whoever opens one owns it.

    Attributes:
        accounts: Passwords, by account.
        sessions: Who is told of events.
        said: Everything, in order.
        banned: Nicks that no room lets in.
        refuse: What the next saying is refused with.
    """

    def __init__(self) -> None:
        self.accounts = {"ada": "secret"}
        self.sessions: list[Session] = []
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, dict[str, Person]] = {}
        self.topics: dict[str, tuple[str, str, int]] = {}
        self.said: list[Said] = []
        self.reactions: list[Reacted] = []
        self.banned: set[str] = set()
        self.refuse: ChatRefused | None = None
        self.now_ms = 1_700_000_000_000

    def tell(self, event: Event) -> None:
        for session in self.sessions:
            session.hear(event)

    async def sign_in(self, nick: str, account: str, password: str) -> Person:
        if self.accounts.get(account) != password:
            raise ChatRefused("bad-password", "wrong password")
        return self._enter(Person(f"u-{account}", nick or account, account.title(), account))

    async def enter(self, nick: str) -> Person:
        if folded(nick) in self.people:
            raise ChatRefused("nick-taken", "Nickname is already in use")
        return self._enter(Person(f"g-{nick}", nick))

    def _enter(self, person: Person) -> Person:
        self.people[folded(person.nick)] = person
        return person

    async def leave(self, person: Person, reason: str, origin: object) -> None:
        self.people.pop(folded(person.nick), None)
        for room, members in self.rooms.items():
            if members.pop(person.user, None):
                self.tell(Parted(room, person, reason=reason, origin=origin))

    async def rename(self, person: Person, nick: str, origin: object) -> Person:
        if folded(nick) in self.people and folded(nick) != folded(person.nick):
            raise ChatRefused("nick-taken", "Nickname is already in use")
        del self.people[folded(person.nick)]
        after = self._enter(Person(person.user, nick, person.name, person.account))
        for members in self.rooms.values():
            if (member := members.get(person.user)) is not None:
                members[person.user] = replace(member, nick=nick)
        self.tell(Renamed(person, after, origin))
        return after

    def set_away(self, person: Person, why: str) -> Person:
        after = self._enter(replace(person, away=why))
        for members in self.rooms.values():
            if (member := members.get(person.user)) is not None:
                members[person.user] = replace(member, away=why)
        return after

    async def join(self, person: Person, room: str, origin: object) -> Place:
        if person.nick in self.banned:
            raise ChatRefused("banned", "Cannot join channel")
        name = next((one for one in self.rooms if folded(one) == folded(room)), room)
        members = self.rooms.setdefault(name, {})
        member = Person(
            person.user, person.nick, person.name, person.account, "" if members else "owner"
        )
        members[person.user] = member
        self.tell(Joined(name, member, origin))
        found = self.place(person, name)
        assert found is not None
        return found

    async def part(self, person: Person, room: str, reason: str, origin: object) -> None:
        member = self.rooms[room].pop(person.user)
        self.tell(Parted(room, member, reason=reason, origin=origin))

    async def say(self, person: Person, saying: Saying, origin: object) -> Said:
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
            origin,
        )
        self.said.append(said)
        if saying.room:
            self.tell(said)
        for session in self.sessions:
            if saying.to and session.person and session.me.nick == saying.to:
                session.hear(said)
        return said

    async def react(self, reaction: Reacted) -> None:
        self.reactions.append(reaction)
        self.tell(reaction)

    def typing(self, typing: Typing) -> None:
        self.tell(typing)

    async def set_topic(self, person: Person, room: str, topic: str, origin: object) -> None:
        if self.rooms[room][person.user].role != "owner":
            raise ChatRefused("not-allowed", "You're not channel operator")
        self.topics[room] = (topic, person.nick, self.now_ms // 1000)
        self.tell(TopicSet(room, person, topic, origin))

    async def kick(self, person: Person, room: str, nick: str, reason: str, origin: object) -> None:
        if self.rooms[room][person.user].role != "owner":
            raise ChatRefused("not-allowed", "You're not channel operator")
        kicked = next(one for one in self.rooms[room].values() if one.nick == nick)
        del self.rooms[room][kicked.user]
        self.tell(Parted(room, kicked, person, reason, origin))

    async def history(
        self, person: Person, room: str, wanted: Stretch, limit: int
    ) -> Sequence[Said]:
        there = [one for one in self.said if one.room == room]

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

    def place(self, person: Person, room: str) -> Place | None:
        for name, members in self.rooms.items():
            if folded(name) == folded(room):
                topic, by, at_s = self.topics.get(name, ("", "", 0))
                return Place(name, topic, by, at_s, 1_600_000_000, members=[*members.values()])
        return None

    def places(self, person: Person) -> Sequence[Place]:
        return [one for name in self.rooms if (one := self.place(person, name)) is not None]

    def find(self, nick: str) -> Person | None:
        return self.people.get(folded(nick))

    def rooms_of(self, person: Person, seen_by: Person) -> Sequence[Place]:
        return [one for one in self.places(seen_by) if person.user in self.rooms[one.name]]


class Client:
    """A client: what it sends is carried out, what it gets is kept."""

    def __init__(self, world: World) -> None:
        self.got: list[Line] = []
        self.is_cut = False
        self.session = new_session(
            world,
            FrontInfo(server="irc.test", network="Test", motd=("hello",)),
            now_ms=lambda: world.now_ms,
            write=self._write,
            close=self._close,
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
