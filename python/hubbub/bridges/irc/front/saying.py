"""What is said: messages, actions, notices, tags, and taking a message back."""

from hubbub.bridges.irc import ctcp
from hubbub.bridges.irc.formatting import from_irc
from hubbub.bridges.irc.front.events import Kind, Person, Reacted, Tagged, Typing
from hubbub.bridges.irc.front.face import ChatRefused, Saying
from hubbub.bridges.irc.front.names import room_of
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_TYPING = ("+typing", "+draft/typing")
_REACTING = ("+draft/react", "+draft/unreact")
_REPLYING = ("+reply", "+draft/reply")


async def privmsg(session: Session, line: Line) -> None:
    """PRIVMSG and NOTICE."""
    is_notice = line.command == "NOTICE"
    if not line.param(0):
        if not is_notice:
            session.out.reply("411", f"No recipient given ({line.command})")
        return
    if not line.param(1):
        if not is_notice:
            session.out.reply("412", "No text to send")
        return
    text = line.params[1]
    kind: Kind = "notice" if is_notice else "text"
    if message := ctcp.parse(text):
        if message.command != "ACTION" or is_notice:
            return
        text, kind = message.text, "action"
    try:
        room, to = _target(session, line)
        saying = Saying(from_irc(text), room, to, kind, _reply_to(line), _client_tags(line))
        await session.chat.say(session.me, saying, session)
    except ChatRefused:
        # A notice is never answered, or two robots would talk for ever.
        if is_notice:
            return
        raise
    there = _addressee(session, to) if to and not is_notice else None
    if there is not None and there.away:
        session.out.reply("301", there.nick, there.away)


async def tagmsg(session: Session, line: Line) -> None:
    """TAGMSG: reactions and typing; other tags are for other clients of IRC."""
    tags = _client_tags(line)
    if not tags:
        return
    room, to = _target(session, line)
    react, unreact = (line.tags.get(key, "") for key in _REACTING)
    id_ = _reply_to(line)
    typing = next((line.tags[key] for key in _TYPING if line.tags.get(key)), "")
    if (react or unreact) and id_:
        emoji = react or unreact
        reaction = Reacted(room, session.me, id_, emoji, bool(react), to, origin=session)
        await session.chat.react(reaction)
    elif typing:
        session.chat.typing(Typing(room, session.me, typing == "active", to, session))
    else:
        session.chat.relay(Tagged(room, session.me, tags, to, session))


async def redact(session: Session, line: Line) -> None:
    """REDACT target msgid [:reason]."""
    try:
        room, to = _target(session, line)
    except ChatRefused as refused:
        session.out.fail("REDACT", "INVALID_TARGET", line.param(0), refused.message)
        return
    wanted = Reacted(room, session.me, line.param(1), "", to=to, origin=session)
    try:
        await session.chat.redact(session.me, wanted, line.param(2), session)
    except ChatRefused as refused:
        is_unknown = refused.why == "no-such-message"
        code = "UNKNOWN_MSGID" if is_unknown else "REDACT_FORBIDDEN"
        session.out.fail("REDACT", code, line.param(0), line.param(1), refused.message)


def _reply_to(line: Line) -> str:
    return next((line.tags[key] for key in _REPLYING if line.tags.get(key)), "")


def _client_tags(line: Line) -> dict[str, str]:
    """Tags that are meant for other clients; what a reply is to, the chat itself knows."""
    return {key: value for key, value in line.tags.items() if key.startswith("+")}


def _addressee(session: Session, nick: str) -> Person | None:
    chat = session.chat
    return chat.addressee(nick) or chat.acquaintance(session.me, nick)


def _target(session: Session, line: Line) -> tuple[str, str]:
    """The room, or the nick, that a message is for.

    Raises:
        ChatRefused: Neither.
    """
    target = line.param(0)
    if target.startswith("#"):
        room = room_of(target)
        place = session.chat.place(session.me, room) if room is not None else None
        if place is None:
            raise ChatRefused("no-such-room", "No such channel")
        if not session.in_room(place.name):
            raise ChatRefused("not-allowed", "Cannot send to channel")
        return place.name, ""
    person = _addressee(session, target)
    if person is None:
        raise ChatRefused("no-such-nick", "No such nick/channel")
    return "", person.nick


COMMANDS = {
    "NOTICE": Command(privmsg),
    "PRIVMSG": Command(privmsg),
    "REDACT": Command(redact, 2),
    "TAGMSG": Command(tagmsg, 1),
}
"""What this file does."""
