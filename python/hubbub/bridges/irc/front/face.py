"""What the IRC front needs of a chat: an interface, and the facts and events that cross it.

Whoever joins a chat to the front implements `Chat`, and tells each session what it is to hear.
Names of rooms are without "#"; texts are in the chat's inline format.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from hubbub.errors import HubbubError

Role = Literal["owner", "moderator", "voice", ""]
Kind = Literal["text", "action", "notice"]
Why = Literal[
    "bad-password",
    "bad-nick",
    "nick-taken",
    "no-such-nick",
    "no-such-room",
    "not-in-room",
    "members-only",
    "banned",
    "not-allowed",
    "too-long",
    "slow-down",
    "failed",
]


class ChatRefused(HubbubError):
    """The chat will not.

    Attributes:
        why: For which reason.
        message: In words.
    """

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why
        self.message = message


@dataclass(frozen=True)
class Person:
    """Somebody, as others see them."""

    user: str
    """A stable id."""

    nick: str
    """As IRC spells it: ASCII, without blanks."""

    name: str = ""
    """As the chat shows it."""

    account: str = ""
    """The account they are signed in to; empty: a guest."""

    role: Role = ""
    """In the room that is spoken of."""

    away: str = ""
    """Why they are not there; empty: they are."""


@dataclass(frozen=True)
class Place:
    """A room."""

    name: str
    topic: str = ""
    topic_by: str = ""
    topic_s: int = 0
    made_s: int = 0
    is_listed: bool = True
    members: Sequence[Person] = ()


@dataclass(frozen=True)
class Said:
    """A message, in a room or to somebody."""

    id: str
    ts_ms: int
    sender: Person
    text: str
    room: str = ""
    to: str = ""
    """The nick it is for, if it is for one."""

    kind: Kind = "text"
    reply_to: str = ""
    lang: str = ""
    origin: object = None
    """The session through which it was said, which hears of it by its own command."""


@dataclass(frozen=True)
class Saying:
    """A message that is to be said."""

    text: str
    room: str = ""
    to: str = ""
    kind: Kind = "text"
    reply_to: str = ""


@dataclass(frozen=True)
class Joined:
    """Somebody has come into a room."""

    room: str
    person: Person
    origin: object = None


@dataclass(frozen=True)
class Parted:
    """Somebody has left a room, or was made to."""

    room: str
    person: Person
    by: Person | None = None
    reason: str = ""
    origin: object = None


@dataclass(frozen=True)
class TopicSet:
    """A room has another topic."""

    room: str
    by: Person
    topic: str
    origin: object = None


@dataclass(frozen=True)
class Renamed:
    """Somebody has another nick."""

    before: Person
    after: Person
    origin: object = None


@dataclass(frozen=True)
class Reacted:
    """Somebody has reacted to a message, or took that back."""

    room: str
    person: Person
    id: str
    emoji: str
    on: bool = True
    origin: object = None


@dataclass(frozen=True)
class Typing:
    """Somebody is about to say something, or not any more."""

    room: str
    person: Person
    on: bool
    origin: object = None


Event = Said | Joined | Parted | TopicSet | Renamed | Reacted | Typing


@dataclass(frozen=True)
class Stretch:
    """Which part of a history is wanted. Ids, or times in ms as "@1700000000000"."""

    before: str = ""
    after: str = ""
    around: str = ""
    newest: bool = False
    """Of too many, those at the end, and not those at the beginning."""


class Chat(Protocol):
    """A chat, for one front. Methods that change something raise `ChatRefused`."""

    async def sign_in(self, nick: str, account: str, password: str) -> Person:
        """Lets somebody in with the password of an account."""
        ...

    async def enter(self, nick: str) -> Person:
        """Lets a guest in."""
        ...

    async def leave(self, person: Person, reason: str, origin: object) -> None:
        """Somebody's connection has ended."""
        ...

    async def rename(self, person: Person, nick: str, origin: object) -> Person:
        """Gives somebody another nick."""
        ...

    def set_away(self, person: Person, why: str) -> Person:
        """Notes that somebody is away, or with "" that they are back."""
        ...

    async def join(self, person: Person, room: str, origin: object) -> Place:
        """Lets somebody into a room, and makes it if nobody has."""
        ...

    async def part(self, person: Person, room: str, reason: str, origin: object) -> None:
        """Lets somebody leave a room."""
        ...

    async def say(self, person: Person, saying: "Saying", origin: object) -> Said:
        """Says something in a room, or to somebody; returns when it is kept."""
        ...

    async def react(self, reaction: Reacted) -> None:
        """Reacts to a message."""
        ...

    def typing(self, typing: Typing) -> None:
        """Tells a room that somebody is typing."""
        ...

    async def set_topic(self, person: Person, room: str, topic: str, origin: object) -> None:
        """Gives a room another topic."""
        ...

    async def kick(self, person: Person, room: str, nick: str, reason: str, origin: object) -> None:
        """Makes somebody leave a room."""
        ...

    async def history(
        self, person: Person, room: str, wanted: Stretch, limit: int
    ) -> Sequence[Said]:
        """Messages of a room, ascending."""
        ...

    def place(self, person: Person, room: str) -> Place | None:
        """A room that somebody may see."""
        ...

    def places(self, person: Person) -> Sequence[Place]:
        """The rooms that anybody may see."""
        ...

    def find(self, nick: str) -> Person | None:
        """Somebody who is there."""
        ...

    def rooms_of(self, person: Person, seen_by: Person) -> Sequence[Place]:
        """The rooms that somebody is in, and another may see."""
        ...
