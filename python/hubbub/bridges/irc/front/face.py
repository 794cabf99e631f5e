"""What the IRC front needs of a chat: an interface.

Whoever joins a chat to the front implements `Chat`, and tells the front what has happened
(`events`): what one session has brought about, too, with that session as its origin.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from hubbub.bridges.irc.front.events import Kind, Person, Place, Reacted, Said, Tagged, Typing
from hubbub.errors import HubbubError

Why = Literal[
    "bad-password",
    "bad-nick",
    "nick-taken",
    "no-such-nick",
    "no-such-room",
    "no-such-message",
    "not-in-room",
    "already-in-room",
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
class Proof:
    """That somebody has an account, as they have proved."""

    account: str
    """What it was called then."""

    of: object = None
    """What the chat needs to see whether it still holds."""


@dataclass(frozen=True)
class Arrival:
    """Somebody who wants in."""

    nick: str
    ident: str = "u"
    realname: str = ""
    address: str = ""
    """From where they come."""

    proof: Proof | None = None
    """What `Chat.sign_in` has returned for them; None: a guest."""


@dataclass(frozen=True)
class Saying:
    """A message that is to be said."""

    text: str
    room: str = ""
    to: str = ""
    kind: Kind = "text"
    reply_to: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Stretch:
    """Which part of a history is wanted. Ids, or times in ms as "@1700000000000"."""

    before: str = ""
    after: str = ""
    around: str = ""
    newest: bool = False
    """Of too many, those at the end, and not those at the beginning."""


@dataclass(frozen=True)
class Conversation:
    """A room or somebody with whom something was said."""

    room: str = ""
    nick: str = ""
    ts_ms: int = 0
    """When last."""


Flag = Literal["closed", "moderated", "unlisted"]


class Chat(Protocol):
    """A chat, for one front. Methods that change something raise `ChatRefused`.

    What has come of them is told the front before they return; they return nothing of it.
    """

    async def sign_in(self, account: str, password: str, address: str) -> Proof:
        """Who has an account, as they say and prove."""
        ...

    async def enter(self, arrival: Arrival, origin: object) -> Person:
        """Lets somebody in, unless their proof holds no more."""
        ...

    async def leave(self, person: Person, reason: str, origin: object) -> None:
        """Somebody's connection has ended."""
        ...

    async def rename(self, person: Person, nick: str, origin: object) -> None:
        """Gives somebody another nick."""
        ...

    def set_away(self, person: Person, why: str, origin: object) -> None:
        """Notes that somebody is away, or with "" that they are back."""
        ...

    async def join(self, person: Person, room: str, origin: object) -> None:
        """Lets somebody into a room, and makes it if nobody has."""
        ...

    async def part(self, person: Person, room: str, reason: str, origin: object) -> None:
        """Lets somebody leave a room."""
        ...

    async def invite(self, person: Person, room: str, nick: str, origin: object) -> None:
        """Lets somebody else into a room."""
        ...

    async def say(self, person: Person, saying: Saying, origin: object) -> None:
        """Says something in a room, or to somebody; returns when it is kept."""
        ...

    async def redact(self, person: Person, target: Reacted, reason: str, origin: object) -> None:
        """Takes a message back, or away: the one that the target names."""
        ...

    async def react(self, reaction: Reacted) -> None:
        """Reacts to a message."""
        ...

    def typing(self, typing: Typing) -> None:
        """Tells a room that somebody is typing."""
        ...

    def relay(self, tagged: Tagged) -> None:
        """Tells others what only clients understand."""
        ...

    async def set_topic(self, person: Person, room: str, topic: str, origin: object) -> None:
        """Gives a room another topic."""
        ...

    async def set_flag(
        self, person: Person, room: str, flag: Flag, origin: object, *, on: bool
    ) -> None:
        """Gives a room another rule."""
        ...

    async def set_role(
        self, person: Person, room: str, nick: str, mode: str, origin: object
    ) -> None:
        """Gives somebody in a room a role: "+o", "-o", "+v" or "-v"."""
        ...

    async def ban(self, person: Person, room: str, mask: str, origin: object, *, on: bool) -> None:
        """Keeps whoever a mask names out of a room, or not any longer."""
        ...

    def bans(self, person: Person, room: str) -> Sequence[tuple[str, str]]:
        """Who is kept out of a room: masks, and by whom."""
        ...

    async def kick(self, person: Person, room: str, nick: str, reason: str, origin: object) -> None:
        """Makes somebody leave a room."""
        ...

    async def history(
        self, person: Person, conversation: Conversation, wanted: Stretch, limit: int
    ) -> Sequence[Said]:
        """Messages of a conversation, ascending."""
        ...

    async def conversations(
        self, person: Person, after_ms: int, before_ms: int, limit: int
    ) -> Sequence[Conversation]:
        """Where something was said between two moments that somebody may read, ascending."""
        ...

    def place(self, person: Person, room: str) -> Place | None:
        """A room that somebody may see."""
        ...

    def members(self, person: Person, room: str) -> Sequence[Person]:
        """Those who are in a room that somebody may see, and online."""
        ...

    def places(self, person: Person) -> Sequence[tuple[Place, int]]:
        """The rooms that anybody may see, and those that they are in; with how many are there."""
        ...

    def crowd(self) -> tuple[int, int, int]:
        """How many people are there, in how many rooms one may be, and how many there were."""
        ...

    def find(self, nick: str) -> Person | None:
        """Somebody who is there."""
        ...

    def addressee(self, nick: str) -> Person | None:
        """Somebody to whom something may be said, there or not."""
        ...

    def acquaintance(self, person: Person, nick: str) -> Person | None:
        """The same, of somebody whose nick means somebody to those only who know them."""
        ...

    def people(self) -> Sequence[Person]:
        """Everybody who is there."""
        ...

    def rooms_of(self, person: Person, seen_by: Person) -> Sequence[tuple[Place, Person]]:
        """The rooms that somebody is in, and another may see; with them as they are there."""
        ...
