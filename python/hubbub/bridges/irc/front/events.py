"""What a chat tells the IRC front: people, rooms, and what happens there.

Names of rooms are without "#"; texts are in the chat's inline format. What somebody on IRC has
brought about has their session as its `origin`: it is their command's answer, and others' news.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["owner", "moderator", "voice", ""]
Kind = Literal["text", "action", "notice"]

PREFIXES: Mapping[Role, str] = {"owner": "@", "moderator": "@", "voice": "+", "": ""}
"""What stands before a nick, by role."""


@dataclass(frozen=True)
class Person:
    """Somebody, as others see them."""

    user: str
    """A stable id."""

    nick: str
    """As IRC spells it: ASCII, without blanks."""

    name: str = ""
    """As the chat, or they themselves, show it."""

    account: str = ""
    """The account they are signed in to; empty: a guest."""

    role: Role = ""
    """In the room that is spoken of."""

    away: str = ""
    """Why they are not there; empty: they are."""

    ident: str = "u"
    """What they call the user on their machine."""

    host: str = ""
    """What stands for where they are; empty: their id."""

    @property
    def source(self) -> str:
        """Whose line it is. Where people are is theirs to know: hosts are made of their ids."""
        return f"{self.nick}!~{self.ident}@{self.host or self.user}"


@dataclass(frozen=True)
class Place:
    """A room."""

    name: str
    topic: str = ""
    topic_by: str = ""
    topic_s: int = 0
    made_s: int = 0
    is_listed: bool = True
    is_closed: bool = False
    """Whether only those who are invited come in."""

    is_moderated: bool = False

    @property
    def modes(self) -> str:
        """What MODE says of it."""
        flags = (("i", self.is_closed), ("m", self.is_moderated), ("s", not self.is_listed))
        return "+" + "".join(sorted("nt" + "".join(flag for flag, on in flags if on)))


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
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """What else the sender's client has put on it."""

    is_edit: bool = False
    """Whether it is what a message, `reply_to`, says now."""

    only_for: frozenset[str] | None = None
    """The ids of those who are told, if not everybody is: it is in their language."""

    origin: object = None


@dataclass(frozen=True)
class Redacted:
    """A message was taken back, or away."""

    room: str
    person: Person
    id: str
    reason: str = ""
    to: str = ""
    origin: object = None


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
class Quit:
    """Somebody is gone from all their rooms."""

    person: Person
    rooms: frozenset[str]
    reason: str = ""
    origin: object = None


@dataclass(frozen=True)
class Changed:
    """Somebody is not what they were: another nick or account, away or back."""

    before: Person
    after: Person
    rooms: frozenset[str]
    """The rooms they are in."""

    origin: object = None


@dataclass(frozen=True)
class Seen:
    """Somebody has come online, or gone; for those who wait for them."""

    person: Person
    is_online: bool


@dataclass(frozen=True)
class TopicSet:
    """A room has another topic."""

    room: str
    by: Person
    topic: str
    only_for: object = None
    """The session that is told, if not everybody is."""

    origin: object = None


@dataclass(frozen=True)
class ModeSet:
    """A room has another rule, or somebody another place in it."""

    room: str
    by: Person | None
    change: str
    """Such as "+m" or "-o+v"."""

    params: tuple[str, ...] = ()
    origin: object = None


@dataclass(frozen=True)
class RoomRenamed:
    """A room is called otherwise."""

    before: str
    after: str


@dataclass(frozen=True)
class Invited:
    """Somebody may come into a room."""

    room: str
    person: Person
    by: Person
    origin: object = None


@dataclass(frozen=True)
class Reacted:
    """Somebody has reacted to a message, or took that back."""

    room: str
    person: Person
    id: str
    emoji: str
    on: bool = True
    to: str = ""
    about: str = ""
    """How the message begins, for those who cannot point at it."""

    origin: object = None


@dataclass(frozen=True)
class Typing:
    """Somebody is about to say something, or not any more."""

    room: str
    person: Person
    on: bool
    to: str = ""
    origin: object = None


@dataclass(frozen=True)
class Tagged:
    """Somebody's client has something to tell the others' clients."""

    room: str
    person: Person
    tags: Mapping[str, str]
    to: str = ""
    origin: object = None


Event = (
    Said
    | Redacted
    | Joined
    | Parted
    | Quit
    | Changed
    | Seen
    | TopicSet
    | ModeSet
    | RoomRenamed
    | Invited
    | Reacted
    | Typing
    | Tagged
)
