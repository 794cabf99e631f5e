"""What somebody wants of a room, before it is decided (pure)."""

from dataclasses import dataclass
from typing import Literal, Protocol

from hubbub.apps.chat.events import RoomKind
from hubbub.apps.chat.message import FileLink, Kind, LangSource, Message, Via

Action = Literal[
    "kick", "ban", "unban", "mute", "unmute", "voice", "devoice", "moderator", "owner", "member"
]
"""What is done to a person; "voice" to "member" give a role."""


class Caller(Protocol):
    """Whoever asks: a client of the hub, or somebody who comes by a bridge."""

    @property
    def user(self) -> str:
        """Who they are."""
        ...


@dataclass(frozen=True)
class Person:
    """Who commands, as a room has to know them."""

    user: str
    nick: str
    guest: bool = False
    langs: tuple[str, ...] = ()
    preferred: str = ""
    is_owner: bool = False
    """Whether all rooms obey them, except direct ones."""


@dataclass(frozen=True)
class Say:
    """Says something."""

    id: str
    text: str
    lang: str
    lang_source: LangSource
    kind: Kind = "text"
    reply_to: str = ""
    files: tuple[FileLink, ...] = ()
    via: Via | None = None
    nonce: str = ""


@dataclass(frozen=True)
class Edit:
    """Gives a message another text."""

    message: Message
    text: str
    lang: str
    lang_source: LangSource


@dataclass(frozen=True)
class Delete:
    """Takes a message back, or away."""

    message: Message


@dataclass(frozen=True)
class React:
    """Reacts to a message."""

    message: Message
    emoji: str
    on: bool


@dataclass(frozen=True)
class Correct:
    """Says in what language a message is."""

    message: Message
    lang: str


@dataclass(frozen=True)
class Attach:
    """Attaches a translation to a message."""

    message: Message
    lang: str
    text: str
    engine: str
    by: Literal["client", "server"]


@dataclass(frozen=True)
class Join:
    """Comes in."""


@dataclass(frozen=True)
class Leave:
    """Goes."""


@dataclass(frozen=True)
class Renew:
    """Tells the room of a new nick or new languages."""


@dataclass(frozen=True)
class Invite:
    """Lets somebody in."""

    user: str


@dataclass(frozen=True)
class Configure:
    """Changes what the room is; None: leave it."""

    name: str | None = None
    kind: RoomKind | None = None
    topic: str | None = None
    retention: int | None = None
    moderated: bool | None = None


@dataclass(frozen=True)
class Moderate:
    """Does something to somebody."""

    user: str
    action: Action
    reason: str = ""
    seconds: int = 0
    """How long a ban or a mute lasts; 0: until it is lifted."""


@dataclass(frozen=True)
class Erase:
    """Is gone with all they have said."""


Command = (
    Say
    | Edit
    | Delete
    | React
    | Correct
    | Attach
    | Join
    | Leave
    | Renew
    | Invite
    | Configure
    | Moderate
    | Erase
)
