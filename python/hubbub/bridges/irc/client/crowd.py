"""`Crowd`: who is in which channel, from a server's lines to what a remote tells (pure)."""

from collections.abc import Callable
from dataclasses import dataclass, field

from hubbub.bridges.irc.client.isupport import Support
from hubbub.bridges.irc.line import Line
from hubbub.bridges.link import remote as net
from hubbub.bridges.link.remote import Person

_REFUSED_JOIN = {"403", "405", "407", "437", "471", "473", "474", "475", "476", "477", "489", "520"}
PEOPLE_LIMIT = 50_000
"""How many are remembered in one channel; a server that names more is not believed."""


@dataclass
class Channel:
    """One channel that we want to be in."""

    name: str
    members: dict[str, Person] = field(default_factory=dict[str, Person])
    topic: str | None = None
    is_entered: bool = False
    """Whether we have joined; its names may still be coming."""

    is_open: bool = False
    since: str = ""
    """When we have joined, as the server tells its time; empty: it does not."""

    past: int = 0
    """How much that was said before was played back to us since."""


class Crowd:
    """The channels of one connection.

    Args:
        support: What holds on this server.

    Attributes:
        nick: What we are called.
        source: How the server writes us: "nick!user@host", as soon as that was seen.
        own: Folded nicks that are ours, too.
    """

    def __init__(self, support: Support, channels: list[str]) -> None:
        self._support = support
        self.nick = ""
        self.source = ""
        self.own: set[str] = set()
        self.channels: dict[str, Channel] = {}
        for name in channels:
            self.channels[support.folded(name)] = Channel(name)
        self._handlers: dict[str, Callable[[Line], list[net.Told]]] = {
            "JOIN": self._join,
            "PART": self._part,
            "KICK": self._kick,
            "QUIT": self._quit,
            "NICK": self._nick,
            "353": self._names,
            "366": self._names_end,
            "332": self._topic_is,
            "TOPIC": self._topic,
            "ACCOUNT": self._account,
            "CHGHOST": self._chghost,
        }

    def channel(self, name: str) -> Channel | None:
        """A channel, by any spelling of its name."""
        return self.channels.get(self._support.folded(name))

    def want(self, name: str) -> None:
        """We want to be in a channel."""
        self.channels.setdefault(self._support.folded(name), Channel(name))

    def leave(self, name: str) -> bool:
        """We do not want to be in a channel any more; tells whether we are."""
        found = self.channels.pop(self._support.folded(name), None)
        return found is not None and found.is_entered

    def refold(self) -> None:
        """The server has said which names are the same."""
        self.channels = {self._support.folded(one.name): one for one in self.channels.values()}

    def is_own(self, nick: str) -> bool:
        """Whether somebody is ourselves."""
        key = self._support.folded(nick)
        return key == self._support.folded(self.nick) or key in self.own

    def is_me(self, nick: str) -> bool:
        """Whether somebody is this connection."""
        return self._support.folded(nick) == self._support.folded(self.nick)

    def person(self, source: str, account: str = "") -> Person:
        """Who has sent a line."""
        nick, _, rest = source.partition("!")
        nick, at, host = nick.partition("@") if not rest else (nick, "@", rest.partition("@")[2])
        return Person(self._support.folded(nick), nick, host if at else "", account)

    def hear(self, line: Line) -> list[net.Told]:
        """What a line says of who is where."""
        handler = self._handlers.get(line.command)
        if handler is not None:
            return handler(line)
        if line.command in _REFUSED_JOIN:
            found = self.channel(line.param(1))
            if found is not None and not found.is_entered:
                return [net.Shut(found.name, line.params[-1])]
        return []

    def _join(self, line: Line) -> list[net.Told]:
        account = line.param(1)
        account = "" if account == "*" else account or line.tags.get("account", "")
        person = self.person(line.source, account)
        told: list[net.Told] = []
        for name in line.param(0).split(","):
            found = self.channel(name)
            if found is None:
                continue
            if self.is_me(person.name):
                self.source = line.source
                found.is_entered, found.is_open = True, False
                found.members.clear()
                found.topic = None
                found.since, found.past = line.tags.get("time", ""), 0
            elif not self.is_own(person.name) and len(found.members) < PEOPLE_LIMIT:
                found.members[person.id] = person
                if found.is_open:
                    told.append(net.Came(found.name, person))
        return told

    def _out(self, found: Channel, id: str, told: net.Told) -> list[net.Told]:  # noqa: A002
        known = found.members.pop(id, None)
        return [told] if known is not None and found.is_open else []

    def _part(self, line: Line) -> list[net.Told]:
        person, reason = self.person(line.source), line.param(1)
        told: list[net.Told] = []
        for name in line.param(0).split(","):
            found = self.channel(name)
            if found is None:
                continue
            if self.is_me(person.name):
                told += self._shut(found, reason or "we were made to leave")
            else:
                went = net.Went(found.name, person.id, reason=reason)
                told += self._out(found, person.id, went)
        return told

    def _kick(self, line: Line) -> list[net.Told]:
        found = self.channel(line.param(0))
        if found is None:
            return []
        by, reason = self.person(line.source).name, line.param(2)
        told: list[net.Told] = []
        for nick in line.param(1).split(","):
            if self.is_me(nick):
                told += self._shut(found, f"kicked by {by}: {reason}")
            else:
                id_ = self._support.folded(nick)
                told += self._out(found, id_, net.Went(found.name, id_, "kick", by, reason))
        return told

    def _shut(self, found: Channel, reason: str) -> list[net.Told]:
        found.is_entered = found.is_open = False
        found.members.clear()
        return [net.Shut(found.name, reason)]

    def _quit(self, line: Line) -> list[net.Told]:
        id_ = self.person(line.source).id
        was = [one for one in self.channels.values() if one.members.pop(id_, None) is not None]
        return [net.Quit(id_, line.param(0))] if any(one.is_open for one in was) else []

    def _nick(self, line: Line) -> list[net.Told]:
        before, name = self.person(line.source), line.param(0)
        if self.is_me(before.name):
            self.nick = name
            self.source = f"{name}!{self.source.partition('!')[2]}" if self.source else ""
            return []
        if self.is_own(before.name):
            self.own.discard(before.id)
            self.own.add(self._support.folded(name))
            return []
        after = Person(self._support.folded(name), name, before.domain)
        is_seen = False
        for found in self.channels.values():
            known = found.members.pop(before.id, None)
            if known is not None:
                after = Person(after.id, name, before.domain or known.domain, known.account)
                found.members[after.id] = after
                is_seen = is_seen or found.is_open
        return [net.Renamed(before.id, after)] if is_seen else []

    def _names(self, line: Line) -> list[net.Told]:
        found = self.channel(line.param(2))
        if found is not None and found.is_entered and not found.is_open:
            for written in line.param(3).split():
                person = self.person(written.lstrip(self._support.prefixes))
                is_one = person.name and not self.is_own(person.name)
                if is_one and len(found.members) < PEOPLE_LIMIT:
                    found.members.setdefault(person.id, person)
        return []

    def _names_end(self, line: Line) -> list[net.Told]:
        found = self.channel(line.param(1))
        if found is None or not found.is_entered or found.is_open:
            return []
        found.is_open = True
        return [net.Opened(found.name, tuple(found.members.values()), found.topic)]

    def _topic_is(self, line: Line) -> list[net.Told]:
        found = self.channel(line.param(1))
        if found is not None:
            found.topic = line.param(2)
        return []

    def _topic(self, line: Line) -> list[net.Told]:
        found = self.channel(line.param(0))
        if found is None:
            return []
        found.topic = line.param(1)
        person = self.person(line.source)
        if not found.is_open or self.is_own(person.name):
            return []
        is_there = person.id in found.members
        return [net.TopicSet(found.name, person if is_there else None, found.topic)]

    def _account(self, line: Line) -> list[net.Told]:
        account = "" if line.param(0) == "*" else line.param(0)
        person = self.person(line.source, account)
        return self._again(person)

    def _chghost(self, line: Line) -> list[net.Told]:
        person = self.person(line.source)
        return self._again(Person(person.id, person.name, line.param(1)))

    def _again(self, person: Person) -> list[net.Told]:
        for found in self.channels.values():
            if person.id in found.members:
                found.members[person.id] = person
        return []
