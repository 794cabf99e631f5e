"""What a client hears: events of the chat as lines of IRC (pure)."""

from collections.abc import Iterator
from functools import lru_cache

from hubbub.bridges.irc import ctcp
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.formatting import to_irc
from hubbub.bridges.irc.front.face import (
    Event,
    Joined,
    Parted,
    Person,
    Reacted,
    Renamed,
    Said,
    TopicSet,
    Typing,
)
from hubbub.bridges.irc.front.registration import source_of
from hubbub.bridges.irc.front.session import Session
from hubbub.bridges.irc.line import Line, room_for_text

LANGUAGE_TAG = "+hubbub.chat/lang"
"""The language of a message, as a tag of ours."""

_ACTION_BYTES = len("\x01ACTION \x01")


def hear(session: Session, event: Event) -> None:
    """Tells one event, unless the client has brought it about itself."""
    if event.origin is session:
        return
    match event:
        case Said():
            if not event.room or session.in_room(event.room):
                for line in message_lines(session, event):
                    session.out.tell(line)
        case Joined():
            _joined(session, event)
        case Parted():
            _parted(session, event)
        case TopicSet() if session.in_room(event.room):
            source = source_of(event.by)
            session.out.tell(Line("TOPIC", (f"#{event.room}", event.topic), source))
        case Renamed():
            _renamed(session, event)
        case Reacted() if session.in_room(event.room) and session.caps("message-tags"):
            key = "+draft/react" if event.on else "+draft/unreact"
            tags = {key: event.emoji, "+reply": event.id, "+draft/reply": event.id}
            source = source_of(event.person)
            session.out.tell(Line("TAGMSG", (f"#{event.room}",), source, tags))
        case Typing() if session.in_room(event.room) and session.caps("message-tags"):
            tags = {"+typing": "active" if event.on else "done"}
            source = source_of(event.person)
            session.out.tell(Line("TAGMSG", (f"#{event.room}",), source, tags))
        case _:
            pass


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
    target = f"#{said.room}" if said.room else said.to
    source = source_of(said.sender)
    room = room_for_text(source, command, target)
    is_action = said.kind == "action"
    texts = _told(said.text, room - _ACTION_BYTES if is_action else room)
    common = {"time": session.out.time(said.ts_ms), **more}
    if said.sender.account:
        common["account"] = said.sender.account
    if said.lang:
        common[LANGUAGE_TAG] = said.lang
    for number, text in enumerate(texts):
        tags = dict(common)
        if number == 0:
            tags["msgid"] = said.id
            if said.reply_to:
                tags["+reply"] = tags["+draft/reply"] = said.reply_to
        words = ctcp.action(text) if is_action else text
        yield Line(command, (target, words), source, tags)


def join_line(session: Session, person: Person, room: str) -> Line:
    """Somebody's JOIN, as this client wants it."""
    params: tuple[str, ...] = (f"#{room}",)
    if session.caps("extended-join"):
        params = (f"#{room}", person.account or "*", person.name or person.nick)
    return Line(
        "JOIN", params, source_of(person), {"account": person.account} if person.account else {}
    )


def _joined(session: Session, event: Joined) -> None:
    if _is_me(session, event.person):
        # By another of their connections, or because somebody let them in.
        session.rooms[folded(event.room)] = event.room
        session.out.tell(join_line(session, event.person, event.room))
    elif session.in_room(event.room):
        session.out.tell(join_line(session, event.person, event.room))


def _parted(session: Session, event: Parted) -> None:
    if not session.in_room(event.room):
        return
    params: tuple[str, ...]
    if event.by is not None:
        params = (f"#{event.room}", event.person.nick, event.reason or event.by.nick)
        session.out.tell(Line("KICK", params, source_of(event.by)))
    else:
        params = (f"#{event.room}", event.reason) if event.reason else (f"#{event.room}",)
        session.out.tell(Line("PART", params, source_of(event.person)))
    if _is_me(session, event.person):
        session.rooms.pop(folded(event.room), None)


def _renamed(session: Session, event: Renamed) -> None:
    if _is_me(session, event.before):
        session.person = event.after
        session.out.nick = event.after.nick
    session.out.tell(Line("NICK", (event.after.nick,), source_of(event.before)))


def _is_me(session: Session, person: Person) -> bool:
    return session.person is not None and session.person.user == person.user
