"""What clients ask and what they are answered, as JSON (pure). `PROTOCOL.md` describes it."""

from typing import Literal

from msgspec import Raw, Struct

from hubbub.apps.chat.commands import Action
from hubbub.apps.chat.events import RoomKind
from hubbub.apps.chat.member import Role
from hubbub.apps.chat.message import FileLink, Kind, Message

OPEN_LIMIT = 200
"""How many messages one answer holds at most."""

MEMBERS_LIMIT = 500
"""How many members one answer holds at most."""


class Params(Struct, frozen=True, rename="camel"):
    """Parameters of a remote procedure; unknown ones are ignored."""


class RoomParams(Params, frozen=True):
    """A room."""

    room: str


class CreateParams(Params, frozen=True):
    """A new room."""

    name: str
    kind: Literal["open", "unlisted", "members"] = "open"
    topic: str = ""


class OpenParams(Params, frozen=True):
    """A room to be shown."""

    room: str
    limit: int = 50


class SettingsParams(Params, frozen=True):
    """What shall be different; what is missing stays."""

    room: str
    name: str | None = None
    kind: Literal["open", "unlisted", "members"] | None = None
    topic: str | None = None
    retention: int | None = None
    moderated: bool | None = None


class UserParams(Params, frozen=True):
    """A person."""

    user: str


class InviteParams(Params, frozen=True):
    """A person to be let in."""

    room: str
    user: str


class SayParams(Params, frozen=True):
    """Something to be said."""

    room: str
    text: str = ""
    nonce: str = ""
    kind: Kind = "text"
    reply_to: str = ""
    lang: str = ""
    files: tuple[FileLink, ...] = ()


class EditParams(Params, frozen=True):
    """Another text for a message."""

    room: str
    id: str
    text: str
    lang: str = ""


class MessageParams(Params, frozen=True):
    """A message in a room."""

    room: str
    id: str


class ReactParams(Params, frozen=True):
    """A reaction, or no longer."""

    room: str
    id: str
    emoji: str
    on: bool = True


class LangParams(Params, frozen=True):
    """What language a message is in."""

    room: str
    id: str
    lang: str


class AttachParams(Params, frozen=True):
    """A translation that a client has made, for everybody."""

    room: str
    id: str
    lang: str
    text: str
    engine: str


class TypingParams(Params, frozen=True):
    """Whether somebody is writing."""

    room: str
    on: bool = True


class HistoryParams(Params, frozen=True):
    """A part of a room's history: exactly one of before, after, around, at; none: the end."""

    room: str
    before: str = ""
    after: str = ""
    around: str = ""
    at: int = 0
    limit: int = 50


class SyncParams(Params, frozen=True):
    """What has happened since."""

    room: str
    after: int


class SearchParams(Params, frozen=True):
    """What is looked for."""

    q: str
    room: str = ""
    before: str = ""
    """The `next` of the page before."""

    limit: int = 30


class MembersParams(Params, frozen=True):
    """Members of a room, from one on."""

    room: str
    after: str = ""
    """The `next` of the page before."""

    limit: int = MEMBERS_LIMIT


class ModerateParams(Params, frozen=True):
    """Something to be done to somebody."""

    room: str
    user: str
    action: Action
    reason: str = ""
    seconds: int = 0


class MeParams(Params, frozen=True):
    """What shall be different about oneself."""

    nick: str | None = None
    langs: tuple[str, ...] | None = None
    preferred: str | None = None
    password: str | None = None
    """A new one."""

    old_password: str = ""


class EraseParams(Params, frozen=True):
    """A proof that it is meant."""

    password: str = ""


class ExportParams(Params, frozen=True):
    """A room to be saved."""

    room: str
    format: Literal["jsonl", "html"] = "jsonl"


class Answer(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a remote procedure returns."""


class MemberInfo(Answer, frozen=True):
    """A member as everybody sees them."""

    user: str
    nick: str
    langs: tuple[str, ...]
    preferred: str
    role: Role
    online: bool
    guest: bool = False
    muted: int = 0


class RoomInfo(Answer, frozen=True):
    """A room as a list shows it, and where the asker stands in it."""

    id: str
    name: str
    kind: RoomKind
    topic: str
    members: int
    seq: int
    ts: int
    joined: bool
    role: Role
    unread: int
    mentions: int
    last_read: int
    online: int = 0
    retention: int = 0
    moderated: bool = False
    invited: bool = False
    peer: MemberInfo | None = None
    """In a conversation of two, the other one."""


class RoomList(Answer, frozen=True):
    """Rooms."""

    rooms: list[RoomInfo]


class Opened(Answer, frozen=True):
    """All that is needed to show a room."""

    room: RoomInfo
    members: list[MemberInfo]
    messages: list[Message]
    seq: int
    last_read: int
    more: bool
    next: str = ""
    """If there are more members: where `members` goes on."""


class Sent(Answer, frozen=True):
    """A message, now that it is on disk."""

    message: Message


class Page(Answer, frozen=True):
    """Messages, oldest first in a history, newest first in a search."""

    messages: list[Message]
    more: bool
    next: str = ""


class Synced(Answer, frozen=True):
    """What has happened since; with `reset`, too much: open the room anew."""

    events: list[Raw]
    seq: int
    reset: bool = False


class MemberPage(Answer, frozen=True):
    """Members, those online first."""

    members: list[MemberInfo]
    count: int
    next: str = ""


class BanInfo(Answer, frozen=True):
    """Somebody who may not come back."""

    user: str
    nick: str
    by: str
    until: int
    reason: str = ""


class BanList(Answer, frozen=True):
    """All of them."""

    bans: list[BanInfo]


class Link(Answer, frozen=True):
    """Where something can be fetched, as seen from the page."""

    url: str


class Done(Answer, frozen=True):
    """It is done."""
