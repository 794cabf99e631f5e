"""`Remote`: another network, as a bridge needs it, and what it tells (pure).

An adapter of a network implements `Remote`; `Link` owns it. The adapter connects, comes back by
itself when it is thrown out, and keeps no queue: what it is given and has not acknowledged when
the connection ends it is given again. Texts are in the chat's inline format in both directions
(`hubbub.markup`); what the network cannot bear is degraded by the adapter.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from msgspec import Struct

from hubbub.apps.chat.message import Kind

# What a remote is given


class Author(Struct, frozen=True):
    """Somebody of the chat, as remotes have to know them."""

    user: str
    """Who: stays the same when they are called otherwise. Empty: nobody, the room itself."""

    nick: str
    """What the chat calls them."""

    lang: str = ""
    """The language they prefer, if that is known."""

    guest: bool = False
    """Whether they have no account."""


class Quoted(Struct, frozen=True):
    """A message that another is about."""

    remote_id: str = ""
    """What the remote calls it, where that is known: by its first name, whatever it says now."""

    nick: str = ""
    """Of whom it is: what the remote itself calls them, where they are its own."""

    text: str = ""
    """What it says, or said."""

    is_remote: bool = False
    """Whether it was said on this remote."""

    edits: tuple[str, ...] = ()
    """What the remote calls its edits: where nobody can edit they are messages of their own."""

    @property
    def names(self) -> tuple[str, ...]:
        """Whatever the remote calls it."""
        return (self.remote_id, *self.edits) if self.remote_id else ()


class Say(Struct, frozen=True, tag="say"):
    """A message."""

    text: str
    lang: str = ""
    kind: Kind = "text"
    reply: Quoted | None = None
    """What it answers."""


class Edit(Struct, frozen=True, tag="edit"):
    """Another text for a message of the same author."""

    text: str
    before: Quoted
    lang: str = ""


class Retract(Struct, frozen=True, tag="retract"):
    """A message is taken back, or away: by its author, whose delivery it is, for they alone may."""

    before: Quoted
    by: Author | None = None
    """Who has done so in the chat, where that is somebody else."""


class React(Struct, frozen=True, tag="react"):
    """A reaction, or one that is taken back."""

    emoji: str
    to: Quoted
    on: bool = True


class SetTopic(Struct, frozen=True, tag="topic"):
    """The channel is about something else."""

    topic: str


What = Say | Edit | Retract | React | SetTopic


class Delivery(Struct, frozen=True):
    """Something that a remote shall tell in one of its channels, exactly once."""

    number: int
    """By which it is acknowledged; rises."""

    channel: str
    """The remote's name of the place, as the configuration writes it."""

    author: Author
    what: What
    message: str = ""
    """The chat's id of the message that it makes, or is about."""

    ts_ms: int = 0
    """When it was said in the chat."""


# What a remote tells


@dataclass(frozen=True)
class Person:
    """Somebody on a remote."""

    id: str
    """What tells them from others there: a folded nick, an occupant's id. Never shown."""

    name: str
    """What they are called there."""

    domain: str = ""
    """Where they come from, as far as it is seen: a host, a domain. The kill switch knows it."""

    account: str = ""
    """What they have proved to the remote to be, if anything."""


@dataclass(frozen=True)
class Up:
    """The remote is connected and knows who we are; channels follow, each with `Opened`."""


@dataclass(frozen=True)
class Down:
    """The connection is lost: all channels are shut, and nothing else will be acknowledged."""

    reason: str


@dataclass(frozen=True)
class Opened:
    """A channel was entered, for the first time or again; deliveries to it may begin.

    If the remote `remembers`, it has told before this what was said in our absence, and has
    acknowledged which uncertain deliveries are there.
    """

    channel: str
    people: tuple[Person, ...] = ()
    """Everybody who is there, without ourselves and our puppets."""

    topic: str | None = None
    """What it is about; None: that is not known."""


@dataclass(frozen=True)
class Shut:
    """We are no longer in a channel; the remote tries to come back by itself."""

    channel: str
    reason: str


@dataclass(frozen=True)
class Came:
    """Somebody came into a channel."""

    channel: str
    person: Person


@dataclass(frozen=True)
class Went:
    """Somebody left a channel."""

    channel: str
    person: str
    """Their id."""

    how: Literal["part", "kick", "ban"] = "part"
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Quit:
    """Somebody left the remote, and all channels with it."""

    person: str
    reason: str = ""


@dataclass(frozen=True)
class Renamed:
    """Somebody is called otherwise, and may have another id with it."""

    before: str
    person: Person


@dataclass(frozen=True)
class Said:
    """Somebody said something in a channel. What we have said ourselves is not told."""

    channel: str
    person: Person
    text: str
    remote_id: str = ""
    """What the remote calls the message; empty: it has no names for messages."""

    kind: Kind = "text"
    reply_to: str = ""
    """The remote's id of what it answers."""

    lang: str = ""
    """In which language, if the sender says so."""

    origin: str = ""
    """The mark of the bridge that has brought it there, if it bears one: see `Remote.mark`."""

    is_past: bool = False
    """Whether it was said while we were away: much of it at once is no flood."""


@dataclass(frozen=True)
class Edited:
    """Somebody gave a message of theirs another text."""

    channel: str
    person: Person
    before: str
    """The remote's id of the message; empty: their last one there."""

    text: str
    remote_id: str = ""
    """The id of the edit itself, by which the message may be called from now on."""

    lang: str = ""


@dataclass(frozen=True)
class Retracted:
    """A message was taken back, or away."""

    channel: str
    person: Person | None
    """By whom; None: by the remote's moderators."""

    remote_id: str
    is_vouched: bool = False
    """Whether the remote vouches that they may: it is theirs, or they rule there."""


@dataclass(frozen=True)
class Whisper:
    """Something that is told to one of the remote's people in private."""

    person: str
    """Their id."""

    channel: str
    """Where it belongs, as a translation of what was said there; or empty."""

    text: str
    lang: str = ""
    original: tuple[str, str] | None = None
    """Of what it is the translation, and in which language that is."""


@dataclass(frozen=True)
class Reacted:
    """Somebody reacted to a message, or took that back."""

    channel: str
    person: Person
    remote_id: str
    emoji: str
    on: bool = True


@dataclass(frozen=True)
class ReactedWith:
    """All of somebody's reactions to a message, in the place of those before (XEP-0444)."""

    channel: str
    person: Person
    remote_id: str
    emojis: tuple[str, ...]


@dataclass(frozen=True)
class TopicSet:
    """Somebody said what a channel is about."""

    channel: str
    person: Person | None
    topic: str


@dataclass(frozen=True)
class Asked:
    """Somebody said something to the bridge itself, in private: a command such as "lang fr,en"."""

    person: Person
    text: str


@dataclass(frozen=True)
class Sending:
    """The next thing that is done is to write a delivery: told before, never after.

    Whatever was told so and not acknowledged when this process was killed is uncertain.
    """

    number: int


@dataclass(frozen=True)
class Acknowledged:
    """The remote has what was delivered: its server has said so, or shown it."""

    number: int
    remote_id: str = ""
    """What the remote calls the message, where it has names for them."""


@dataclass(frozen=True)
class Rejected:
    """The remote will never take a delivery: what it says cannot be said there."""

    number: int
    reason: str


Told = (
    Up
    | Down
    | Opened
    | Shut
    | Came
    | Went
    | Quit
    | Renamed
    | Said
    | Edited
    | Retracted
    | Reacted
    | ReactedWith
    | TopicSet
    | Asked
    | Sending
    | Acknowledged
    | Rejected
)
"""Whatever a remote tells, in the order in which it happened."""


class Remote(Protocol):
    """One account, or one gateway, on another network.

    All methods but `run` return at once, whether the remote is connected or not.
    """

    @property
    def mark(self) -> str:
        """What our messages bear where the network lets them, so that a loop is known by it."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether coming back it learns what was said meanwhile, our own words included.

        If so, uncertain deliveries that it does not acknowledge before `Opened` are delivered
        again; otherwise they are taken for delivered.
        """
        ...

    async def run(self, tell: Callable[[Told], None]) -> None:
        """Connects, and stays connected until it is cancelled; takes leave then.

        Args:
            tell: Told of everything, in the loop and in order; it neither waits nor raises.
        """
        ...

    def join(self, channels: Sequence[str]) -> None:
        """Says in which channels to be, all of them; from now on, and after each reconnection."""
        ...

    def deliver(self, delivery: Delivery) -> None:
        """Tells something in a channel that is open.

        There is one at a time underway in a channel. It is answered by `Acknowledged` or
        `Rejected`; where the connection is lost or the channel shut before, by neither.
        """
        ...

    def present(self, channel: str, authors: Sequence[Author]) -> None:
        """Says who of the chat is online in a channel, all of them: those who may have puppets."""
        ...

    def whisper(self, whisper: Whisper) -> None:
        """Tells somebody on the remote something in private, if they are there; may be lost."""
        ...
