"""`Message`: what somebody has said in a room, and what may be said at all (pure)."""

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from hubbub.apps.chat import refusals

Kind = Literal["text", "action", "notice"]
"""Said, done (`/me`), or told by a program that expects no answer."""

LangSource = Literal["user", "detected", "profile"]
"""Who says in what language it is: a person, a program, or the sender's habit."""

FILES_LIMIT = 10
URL_LIMIT = 2_000
NAME_LIMIT = 255
NONCE_LIMIT = 64
EMOJI_LIMIT = 32
REACTIONS_LIMIT = 50
"""How many different emoji one message bears."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_URL = re.compile(r"https?://[^\s\x00-\x20<>\"\\^`{|}\x7f]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@/])@([\w.'·-]*[\w])")


class Translated(Struct, frozen=True):
    """A text in another language, attached to a message and never in its place."""

    text: str
    engine: str
    by: Literal["client", "server"]


class FileLink(Struct, frozen=True, omit_defaults=True):
    """A file that lies elsewhere."""

    url: str
    name: str
    type: str = ""
    size: int = 0


class Via(Struct, frozen=True):
    """Where a bridged message came from."""

    bridge: str
    name: str


class Message(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One message as everybody sees it."""

    id: str
    room: str
    seq: int
    ts: int
    user: str
    nick: str
    kind: Kind
    text: str
    lang: str
    lang_source: LangSource
    reply_to: str = ""
    edited: int = 0
    deleted: int = 0
    mentions: tuple[str, ...] = ()
    reactions: Mapping[str, tuple[str, ...]] = {}
    translations: Mapping[str, Translated] = {}
    via: Via | None = None
    files: tuple[FileLink, ...] = ()


def checked_text(text: str, limit: int, *, may_be_empty: bool = False) -> str:
    """The text as it is kept.

    Line ends become line feeds; blanks at the end go. Everything else stays as it was typed: no
    markup is removed, because none is ever executed.

    Raises:
        Refused: There is nothing in it (400), a control character (400), or too much (413).
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").rstrip()
    if len(text) > limit:
        raise refusals.too_long("the message", len(text), limit)
    if _CONTROL.search(text):
        raise refusals.bad("the message contains a control character")
    if not text and not may_be_empty:
        raise refusals.bad("the message is empty")
    return text


def checked_files(files: tuple[FileLink, ...]) -> tuple[FileLink, ...]:
    """Links to files, each of which may be shown as a link.

    Raises:
        Refused: One is no http(s) address, or there are too many.
    """
    if len(files) > FILES_LIMIT:
        raise refusals.bad(f"at most {FILES_LIMIT} files")
    for file in files:
        if len(file.url) > URL_LIMIT or not _URL.fullmatch(file.url):
            raise refusals.bad("a file's url begins with http:// or https://")
        if not 0 < len(file.name) <= NAME_LIMIT or _CONTROL.search(file.name):
            raise refusals.bad("a file has a name")
        if len(file.type) > NAME_LIMIT or _CONTROL.search(file.type) or file.size < 0:
            raise refusals.bad("a file's type or size makes no sense")
    return files


def checked_emoji(emoji: str) -> str:
    """What somebody reacts with: anything short without blanks.

    Raises:
        Refused: It is not.
    """
    if not 0 < len(emoji) <= EMOJI_LIMIT or _CONTROL.search(emoji) or any(map(str.isspace, emoji)):
        raise refusals.bad("not a reaction")
    return emoji


def mentioned(text: str) -> list[str]:
    """The names that stand behind an @, as they were written; longest reading."""
    return list(dict.fromkeys(_MENTION.findall(text)))


def with_reaction(
    message: Message, emoji: str, user: str, *, on: bool
) -> dict[str, tuple[str, ...]]:
    """The reactions of a message after somebody has reacted or taken it back.

    Raises:
        Refused: There are too many different ones.
    """
    reactions = dict(message.reactions)
    users = [one for one in reactions.get(emoji, ()) if one != user]
    if on:
        users.append(user)
    if users:
        reactions[emoji] = tuple(users)
    else:
        reactions.pop(emoji, None)
    if len(reactions) > REACTIONS_LIMIT:
        raise refusals.bad(f"at most {REACTIONS_LIMIT} different reactions")
    return reactions
