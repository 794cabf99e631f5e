"""`Roster`: who of a remote is where, as the remote tells it, and who of the chat each is."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from hubbub.bridges.link.remote import Person


@dataclass(eq=False)
class Visitor:
    """Somebody of a remote, as long as they are there."""

    person: Person
    wanted: set[str] = field(default_factory=set[str])
    """The channels that they are in."""

    present: set[str] = field(default_factory=set[str])
    """The channels in whose rooms they are."""

    put_out: set[str] = field(default_factory=set[str])
    """The channels out of whose rooms the chat has put them: they stay out until they come anew."""

    user: str = ""
    """Who of the chat they are; empty: nobody yet."""

    speaking: Counter[str] = field(default_factory=Counter[str])
    """How much of what they have said in each channel is not said in the chat yet: until it is,
    they are there, be it that they have left."""

    past: int = 0
    """How much of that they have said while the bridge was away: it is no flood."""

    last: dict[str, str] = field(default_factory=dict[str, str])
    """Their last message in each channel."""

    is_away: bool = False
    """Whether the remote is not seen at the moment, and they with it."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Roster:
    """Everybody of one remote. What is told of them holds at once; the chat follows (`people`)."""

    def __init__(self) -> None:
        self.visitors: dict[str, Visitor] = {}
        self.users: dict[str, Visitor] = {}
        self.dirty: dict[Visitor, None] = {}

    def visitor(self, person: Person) -> Visitor:
        """Somebody, as they are now."""
        found = self.visitors.get(person.id)
        if found is None:
            found = self.visitors[person.id] = Visitor(person)
        elif found.person != person:
            is_renamed = found.person.name != person.name
            # What is not told now stays as it was told before.
            found.person = Person(
                person.id,
                person.name,
                person.domain or found.person.domain,
                person.account or found.person.account,
            )
            if is_renamed:
                self.dirty[found] = None
        return found

    def opened(self, channel: str, people: tuple[Person, ...]) -> None:
        """Exactly these are in a channel."""
        here = {person.id for person in people}
        for visitor in list(self.visitors.values()):
            if channel in visitor.wanted and visitor.person.id not in here:
                self.went(channel, visitor.person.id)
        for person in people:
            self.came(channel, person)

    def came(self, channel: str, person: Person) -> Visitor:
        """Somebody is in a channel."""
        visitor = self.visitor(person)
        if channel not in visitor.wanted:
            visitor.wanted.add(channel)
            visitor.put_out.discard(channel)
            self.dirty[visitor] = None
        if visitor.is_away:
            self.dirty[visitor] = None
        return visitor

    def went(self, channel: str, id: str) -> None:  # noqa: A002
        """Somebody is not in a channel any more."""
        visitor = self.visitors.get(id)
        if visitor is not None and channel in visitor.wanted:
            visitor.wanted.discard(channel)
            self._changed(visitor)

    def quit(self, id: str) -> None:  # noqa: A002
        """Somebody is nowhere any more."""
        visitor = self.visitors.get(id)
        if visitor is not None:
            visitor.wanted.clear()
            self._changed(visitor)

    def shut(self, channel: str) -> None:
        """Nobody is seen in a channel any more."""
        for visitor in list(self.visitors.values()):
            self.went(channel, visitor.person.id)

    def renamed(self, before: str, person: Person) -> None:
        """Somebody has another name; whoever had it is gone."""
        visitor = self.visitors.pop(before, None)
        if visitor is None:
            return
        if person.id != before:
            self.quit(person.id)
        visitor.person = Person(
            person.id,
            person.name,
            person.domain or visitor.person.domain,
            person.account or visitor.person.account,
        )
        self.visitors[person.id] = visitor
        self.dirty[visitor] = None

    def _changed(self, visitor: Visitor) -> None:
        self.dirty[visitor] = None
        if not visitor.wanted and self.visitors.get(visitor.person.id) is visitor:
            # Whoever comes next under this name may be somebody else.
            del self.visitors[visitor.person.id]
