"""What becomes of a delivery on IRC: docs/bridges.md has the rules (pure)."""

import re
from collections.abc import Set
from dataclasses import dataclass

from hubbub.bridges.irc.ctcp import action
from hubbub.bridges.irc.formatting import stripped, to_irc
from hubbub.bridges.irc.line import Line, fitted, room_for_text
from hubbub.bridges.irc.splitting import graphemes
from hubbub.bridges.link.remote import (
    Author,
    Delivery,
    Edit,
    Quoted,
    React,
    Retract,
    Say,
    SetTopic,
)
from hubbub.bridges.wording import excerpt

MARK_TAG = "+hubbub.chat/bridge"
LANG_TAG = "+hubbub.chat/lang"
EDIT_TAG = "+hubbub.chat/edit"
LINES_LIMIT = 40
"""How many lines one message becomes at most; what does not fit is said to be missing."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b]")
_INVISIBLE = "\u200b"
_UNKNOWN_SOURCE = f"{'n' * 30}!{'u' * 11}@{'h' * 63}"


@dataclass(frozen=True)
class Voice:
    """Who speaks on a connection, and what its server bears.

    Attributes:
        source: How the server writes them; empty: that was not seen yet.
        caps: What was agreed.
        mark: By which what we say is known.
        is_own: Whether the author speaks; otherwise the bridge does, for them.
        munge: Whether nicks are parted.
    """

    source: str
    caps: Set[str]
    mark: str
    is_own: bool = False
    munge: bool = True


def lines_of(delivery: Delivery, voice: Voice, topic_limit: int = 390) -> list[Line]:
    """The lines that tell a delivery; none: it cannot be told."""
    channel, author = delivery.channel, delivery.author
    match delivery.what:
        case Say() as said:
            text = said.text
            tags = {LANG_TAG: said.lang} if said.lang else {}
            if said.reply is not None:
                text = _answering(text, said.reply)
                tags |= _replying(said.reply)
            return _spoken(channel, author, voice, text, said.kind, tags)
        case Edit() as edit:
            tags = {EDIT_TAG: edit.before.remote_id} if edit.before.remote_id else {}
            tags |= _replying(edit.before)
            return _spoken(channel, author, voice, f"(edited) {edit.text}", "text", tags)
        case Retract() as retract:
            if is_redacted(retract, voice.caps):
                # Its edits are lines of their own, and say it, too.
                return [Line("REDACT", (channel, name)) for name in retract.before.names]
            return _retracted(channel, retract.by or author, voice, retract.before)
        case React() as reaction:
            return _reacted(channel, author, voice, reaction)
        case SetTopic(topic):
            words = " ".join(_CONTROL.sub(" ", topic).split())
            cut = words.encode()[:topic_limit].decode("utf-8", "ignore")
            return [fitted(Line("TOPIC", (channel, cut)))]


def is_redacted(retract: Retract, caps: Set[str]) -> bool:
    """Whether a message is taken back itself, and not only said to be."""
    before = retract.before
    has_name = bool(before.remote_id) and not before.is_remote
    return has_name and "draft/message-redaction" in caps


def shown(nick: str, *, munge: bool) -> str:
    """A nick of the chat in a line; parted, so that it highlights nobody."""
    clean = _CONTROL.sub("", nick) or "?"
    if not munge:
        return clean
    first, *rest = graphemes(clean)
    return f"{first}{_INVISIBLE}{''.join(rest)}"


def _spoken(
    channel: str, author: Author, voice: Voice, text: str, kind: str, tags: dict[str, str]
) -> list[Line]:
    before = ""
    if not voice.is_own and author.nick:
        nick = shown(author.nick, munge=voice.munge)
        before = f"* {nick} " if kind == "action" else f"<{nick}> "
    is_action = kind == "action" and voice.is_own
    command = "NOTICE" if kind == "notice" else "PRIVMSG"
    # An action needs nine more bytes: 0x01, "ACTION ", 0x01.
    room = room_for_text(voice.source or _UNKNOWN_SOURCE, command, channel)
    room -= len(before.encode()) + (9 if is_action else 0)
    pieces = to_irc(text, room) or [stripped(text)[:room]]
    if len(pieces) > LINES_LIMIT:
        left_out = len(pieces) - LINES_LIMIT + 1
        pieces = [*pieces[: LINES_LIMIT - 1], f"… ({left_out} more lines)"]
    lines: list[Line] = []
    for piece in pieces:
        said = action(piece) if is_action else f"{before}{piece}"
        # The first line is the message: by its id it is answered.
        lines.append(Line(command, (channel, said), tags=_tags(voice, {} if lines else tags)))
    return lines


def _retracted(channel: str, author: Author, voice: Voice, before: Quoted) -> list[Line]:
    about = f': "{excerpt(stripped(before.text))}"' if before.text else ""
    return _spoken(channel, author, voice, f"(has deleted a message{about})", "notice", {})


def _reacted(channel: str, author: Author, voice: Voice, reaction: React) -> list[Line]:
    to = reaction.to
    if voice.is_own and to.remote_id and "message-tags" in voice.caps:
        key = "+draft/react" if reaction.on else "+draft/unreact"
        tags = {key: reaction.emoji, "+draft/reply": to.remote_id}
        return [Line("TAGMSG", (channel,), tags=_tags(voice, tags))]
    if not reaction.on:
        # Nobody is told twice of what was small.
        return []
    about = f' to "{excerpt(to.text)}"' if to.text else ""
    return _spoken(channel, author, voice, f"({reaction.emoji}{about})", "notice", {})


def _answering(text: str, quoted: Quoted) -> str:
    """An answer names whom it is for, as has always been done on IRC."""
    if not quoted.nick or text.lower().lstrip("@").startswith(quoted.nick.lower()):
        return text
    if text.startswith((">", "```")):
        return f"{quoted.nick}:\n{text}"
    return f"{quoted.nick}: {text}"


def _replying(quoted: Quoted) -> dict[str, str]:
    if not quoted.remote_id:
        return {}
    return {"+reply": quoted.remote_id, "+draft/reply": quoted.remote_id}


def _tags(voice: Voice, tags: dict[str, str]) -> dict[str, str]:
    if "message-tags" not in voice.caps:
        return {}
    return {MARK_TAG: voice.mark, **{key: value for key, value in tags.items() if value}}
