"""What happens in a room, as its members hear it (pure). `PROTOCOL.md` describes each.

Durable events have a `seq`: the room's next number, never given twice.
"""

from typing import Literal

from msgspec import Struct

from hubbub.apps.chat.member import Role
from hubbub.apps.chat.message import LangSource, Message

RoomKind = Literal["open", "unlisted", "members", "direct"]
"""Who finds a room and who may come in."""


class Event(Struct, frozen=True, omit_defaults=True, rename="camel", tag_field="type"):
    """Something that has happened."""

    seq: int = 0
    ts: int = 0


class Said(Event, frozen=True, tag="message"):
    """Somebody has said something."""

    message: Message | None = None
    nonce: str = ""
    """The sender's: by it, their page knows its own words again before its call is answered."""


class Edited(Event, frozen=True, tag="edit"):
    """A message has another text now."""

    id: str = ""
    text: str = ""
    lang: str = ""
    lang_source: LangSource | None = None
    edited: int = 0
    by: str = ""
    mentions: tuple[str, ...] = ()


class Deleted(Event, frozen=True, tag="delete"):
    """A message is gone; its place stays."""

    id: str = ""
    by: str = ""


class Reacted(Event, frozen=True, tag="react"):
    """Somebody has reacted to a message, or taken it back."""

    id: str = ""
    emoji: str = ""
    user: str = ""
    on: bool = False


class Corrected(Event, frozen=True, tag="lang"):
    """Somebody has said in what language a message is."""

    id: str = ""
    lang: str = ""
    lang_source: LangSource | None = None
    by: str = ""


class Attached(Event, frozen=True, tag="translation"):
    """A translation was attached to a message."""

    id: str = ""
    lang: str = ""
    text: str = ""
    engine: str = ""
    by: Literal["client", "server"] | None = None


class TopicSet(Event, frozen=True, tag="topic"):
    """The room is about something else."""

    topic: str = ""
    by: str = ""


class MemberSet(Event, frozen=True, tag="member"):
    """Somebody has come in, or is not what they were."""

    user: str = ""
    nick: str = ""
    guest: bool = False
    langs: tuple[str, ...] = ()
    preferred: str = ""
    role: Role = ""
    muted: int = 0
    joined: bool = False
    by: str = ""


class Parted(Event, frozen=True, tag="part"):
    """Somebody is no member any more."""

    user: str = ""
    kind: Literal["part", "kick", "ban"] | None = None
    by: str = ""
    reason: str = ""
    until: int = 0


class Unbanned(Event, frozen=True, tag="unban"):
    """Somebody may come back."""

    user: str = ""
    by: str = ""


class Invited(Event, frozen=True, tag="invite"):
    """Somebody may come in."""

    user: str = ""
    by: str = ""


class RoomSet(Event, frozen=True, tag="room"):
    """The room has another name, kind or rule."""

    name: str = ""
    kind: RoomKind | None = None
    retention: int = 0
    moderated: bool = False
    by: str = ""


class Erased(Event, frozen=True, tag="erase"):
    """A person is gone with all they have said."""

    user: str = ""


RoomEvent = (
    Said
    | Edited
    | Deleted
    | Reacted
    | Corrected
    | Attached
    | TopicSet
    | MemberSet
    | Parted
    | Unbanned
    | Invited
    | RoomSet
    | Erased
)
"""All durable events."""


class Typing(Event, frozen=True, tag="typing"):
    """Somebody is writing, or has stopped. Not durable, without `seq`."""

    user: str = ""
    on: bool = False


class Presence(Event, frozen=True, tag="presence"):
    """Who has come online and gone offline since the last of these. Not durable."""

    online: tuple[str, ...] = ()
    offline: tuple[str, ...] = ()
    count: int = 0


Heard = RoomEvent | Typing | Presence
"""Whatever those who listen to a chat hear."""
