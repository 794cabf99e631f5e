"""What a client hears: events of the chat as lines of IRC (pure).

What IRC has no words for is told in other words; docs/irc.md has the rules.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from hubbub.bridges.irc import ctcp
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.formatting import to_irc
from hubbub.bridges.irc.front.events import (
    Changed,
    Event,
    Invited,
    Joined,
    ModeSet,
    Parted,
    Person,
    Quit,
    Reacted,
    Redacted,
    RoomRenamed,
    Said,
    Seen,
    Tagged,
    TopicSet,
    Typing,
)
from hubbub.bridges.irc.front.session import Session
from hubbub.bridges.irc.front.showing import join_line, show_room
from hubbub.bridges.irc.line import Line, room_for_text

LANGUAGE_TAG = "+hubbub.chat/lang"
"""The language of a message, as a tag of ours."""

EDIT_TAG = "+hubbub.chat/edit"
"""The message whose text this is now, as a tag of ours."""

_ACTION_BYTES = len("\x01ACTION \x01")
_EDIT_MARK = "(edited) "


def hear(session: Session, event: Event) -> None:
    """Tells one event; what the client itself has brought about is the answer to its command."""
    match event:
        case Said():
            _said(session, event)
        case Redacted():
            _redacted(session, event)
        case Joined():
            _joined(session, event)
        case Parted():
            _parted(session, event)
        case Quit():
            if any(map(session.in_room, event.rooms)):
                session.out.tell(Line("QUIT", (event.reason or "Quit",), event.person.source))
        case Changed():
            _changed(session, event)
        case Seen():
            session.seen(event.person, is_online=event.is_online)
        case TopicSet() if session.in_room(event.room) and event.only_for in (None, session):
            line = Line("TOPIC", (f"#{event.room}", event.topic), event.by.source)
            session.tell(line, event.origin)
        case ModeSet() if session.in_room(event.room):
            source = event.by.source if event.by is not None else session.info.server
            params = (f"#{event.room}", event.change, *event.params)
            session.tell(Line("MODE", params, source), event.origin)
        case RoomRenamed() if session.in_room(event.before):
            _room_renamed(session, event)
        case Invited():
            _invited(session, event)
        case Reacted():
            _reacted(session, event)
        case Typing():
            tags = {"+typing": "active" if event.on else "done"}
            _tagged(session, Tagged(event.room, event.person, tags, event.to, event.origin))
        case Tagged():
            _tagged(session, event)
        case _:
            pass


# What is said


def _said(session: Session, event: Said) -> None:
    is_mine = event.origin is session
    if is_mine and not session.caps("echo-message"):
        return
    if event.only_for is not None and session.me.user not in event.only_for:
        return
    if _concerns(session, event.room, event.to, event.sender):
        for line in message_lines(session, event):
            session.tell(line, event.origin)


def _concerns(session: Session, room: str, to: str, sender: Person) -> bool:
    """Whether something that is said there is for this client."""
    if room:
        return session.in_room(room)
    # What somebody has said by another of their clients is shown by those that expect echoes.
    is_copy = sender.user == session.me.user and session.caps("echo-message")
    return is_copy or folded(to) == folded(session.me.nick)


def _target(event: Said | Redacted | Reacted | Tagged) -> str:
    """For whom something is that was said: a channel, or a nick."""
    return f"#{event.room}" if event.room else event.to


@lru_cache(maxsize=256)
def _told(text: str, limit_bytes: int) -> tuple[str, ...]:
    """A text is taken apart once, however many hear it."""
    return tuple(to_irc(text, limit_bytes))


def message_lines(session: Session, said: Said, **more: str) -> Iterator[Line]:
    """A message as lines: as many as it takes, the first with its id.

    Args:
        session: Who is told.
        said: What was said.
        **more: More tags, such as `batch`.
    """
    command = "NOTICE" if said.kind == "notice" else "PRIVMSG"
    target = _target(said)
    source = said.sender.source
    room = room_for_text(source, command, target)
    is_action = said.kind == "action"
    mark = _EDIT_MARK if said.is_edit else ""
    texts = _told(mark + said.text, room - _ACTION_BYTES if is_action else room)
    common = {**_client_tags(said), "time": session.out.time(said.ts_ms), **more}
    if said.sender.account:
        common["account"] = said.sender.account
    for number, text in enumerate(texts):
        tags = dict(common)
        if number == 0 and said.id:
            tags["msgid"] = said.id
        if number > 0:
            for key in ("+reply", "+draft/reply"):
                tags.pop(key, None)
        yield Line(command, (target, ctcp.action(text) if is_action else text), source, tags)


def _client_tags(said: Said) -> Mapping[str, str]:
    tags = dict(said.tags)
    if said.lang:
        tags[LANGUAGE_TAG] = said.lang
    if said.reply_to:
        tags["+reply"] = tags["+draft/reply"] = said.reply_to
    if said.is_edit:
        tags[EDIT_TAG] = said.reply_to
    return tags


def _redacted(session: Session, event: Redacted) -> None:
    if not _concerns(session, event.room, event.to, event.person):
        return
    target = _target(event)
    if session.caps("draft/message-redaction"):
        params = (target, event.id, *((event.reason,) if event.reason else ()))
        session.tell(Line("REDACT", params, event.person.source), event.origin)
    elif event.origin is not session:
        words = "(has deleted a message)"
        session.tell(Line("NOTICE", (target, words), event.person.source), event.origin)


def _reacted(session: Session, event: Reacted) -> None:
    key = "+draft/react" if event.on else "+draft/unreact"
    if session.caps("message-tags"):
        tags = {key: event.emoji, "+reply": event.id, "+draft/reply": event.id}
        _tagged(session, Tagged(event.room, event.person, tags, event.to, event.origin))
    elif (
        event.on
        and event.origin is not session
        and _concerns(session, event.room, event.to, event.person)
    ):
        target = _target(event)
        words = f'({event.emoji} to "{event.about}")' if event.about else f"({event.emoji})"
        session.tell(Line("NOTICE", (target, words), event.person.source), event.origin)


def _tagged(session: Session, event: Tagged) -> None:
    if not session.caps("message-tags"):
        return
    if event.origin is session and not session.caps("echo-message"):
        return
    if _concerns(session, event.room, event.to, event.person):
        target = _target(event)
        tags = dict(event.tags)
        if event.person.account:
            tags["account"] = event.person.account
        session.tell(Line("TAGMSG", (target,), event.person.source, tags), event.origin)


# Who comes and goes


def _joined(session: Session, event: Joined) -> None:
    if session.is_me(event.person):
        # By their command, by another of their connections, or because somebody let them in.
        if not session.in_room(event.room):
            session.rooms[folded(event.room)] = event.room
            show_room(session, event.room, event.person, event.origin)
    elif session.in_room(event.room):
        session.tell(join_line(session, event.person, event.room), event.origin)
        if event.person.away and session.caps("away-notify"):
            line = Line("AWAY", (event.person.away,), event.person.source)
            session.tell(line, event.origin)
        if event.person.role:
            letter = "v" if event.person.role == "voice" else "o"
            params = (f"#{event.room}", f"+{letter}", event.person.nick)
            session.tell(Line("MODE", params, session.info.server), event.origin)


def _parted(session: Session, event: Parted) -> None:
    if not session.in_room(event.room):
        return
    target = f"#{event.room}"
    params: tuple[str, ...]
    if event.by is not None:
        params = (target, event.person.nick, event.reason or event.by.nick)
        session.tell(Line("KICK", params, event.by.source), event.origin)
    else:
        params = (target, event.reason) if event.reason else (target,)
        session.tell(Line("PART", params, event.person.source), event.origin)
    if session.is_me(event.person):
        session.rooms.pop(folded(event.room), None)


def _changed(session: Session, event: Changed) -> None:
    before, after = event.before, event.after
    is_me = session.is_me(before)
    if is_me:
        session.person = after
        session.out.nick = after.nick
    if not is_me and not any(map(session.in_room, event.rooms)):
        return
    if before.nick != after.nick:
        session.tell(Line("NICK", (after.nick,), before.source), event.origin)
    if before.account != after.account and session.caps("account-notify"):
        session.tell(Line("ACCOUNT", (after.account or "*",), after.source), event.origin)
    if before.away != after.away and not is_me and session.caps("away-notify"):
        params = (after.away,) if after.away else ()
        session.tell(Line("AWAY", params, after.source), event.origin)


def _room_renamed(session: Session, event: RoomRenamed) -> None:
    """IRC knows no such thing: they leave one, and are in the other."""
    del session.rooms[folded(event.before)]
    words = f"is #{event.after} now"
    session.out.tell(Line("PART", (f"#{event.before}", words), session.me.source))
    session.rooms[folded(event.after)] = event.after
    show_room(session, event.after, session.me)


def _invited(session: Session, event: Invited) -> None:
    tags = {"account": event.by.account} if event.by.account else {}
    line = Line("INVITE", (event.person.nick, f"#{event.room}"), event.by.source, tags)
    if event.origin is session:
        session.out.reply("341", event.person.nick, f"#{event.room}")
    elif session.is_me(event.person) or (
        session.in_room(event.room) and session.caps("invite-notify")
    ):
        session.tell(line, event.origin)
