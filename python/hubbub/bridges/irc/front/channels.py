"""What is done in rooms: coming, going, talking, topics, modes."""

from collections.abc import Sequence

from hubbub.bridges.irc import ctcp
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.formatting import from_irc
from hubbub.bridges.irc.front.face import (
    ChatRefused,
    Kind,
    Person,
    Place,
    Reacted,
    Said,
    Saying,
    Typing,
)
from hubbub.bridges.irc.front.hearing import join_line, message_lines
from hubbub.bridges.irc.front.names import TOPIC_LIMIT, room_of
from hubbub.bridges.irc.front.registration import source_of
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_NAMES_ROOM_BYTES = 380
_PREFIXES = {"owner": "@", "moderator": "@", "voice": "+", "": ""}


async def join(session: Session, line: Line) -> None:
    """JOIN #a,#b; JOIN 0 leaves all."""
    if line.param(0) == "0":
        for left in list(session.rooms.values()):
            await _leave(session, left, "")
        return
    for target in line.param(0).split(","):
        room = room_of(target)
        if room is None:
            session.out.reply("403", target, "No such channel")
            continue
        if session.in_room(room):
            continue
        try:
            place = await session.chat.join(session.me, room, session)
        except ChatRefused as refused:
            numeric = {"banned": "474", "members-only": "473"}.get(refused.why, "403")
            session.out.reply(numeric, target, refused.message)
            continue
        session.rooms[folded(place.name)] = place.name
        session.out.answer(join_line(session, session.me, place.name))
        if place.topic:
            _tell_topic(session, place)
        _tell_names(session, place)


async def part(session: Session, line: Line) -> None:
    """PART #a,#b :reason."""
    for target in line.param(0).split(","):
        room = room_of(target)
        if room is None:
            session.out.reply("403", target, "No such channel")
        elif not session.in_room(room):
            session.out.reply("442", target, "You're not on that channel")
        else:
            await _leave(session, session.rooms[folded(room)], line.param(1))


async def _leave(session: Session, room: str, reason: str) -> None:
    await session.chat.part(session.me, room, reason, session)
    session.rooms.pop(folded(room), None)
    params = (f"#{room}", reason) if reason else (f"#{room}",)
    session.out.answer(Line("PART", params, source_of(session.me)))


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
        said = await _say(session, line, from_irc(text), kind)
    except ChatRefused:
        # A notice is never answered, or two robots would talk for ever.
        if is_notice:
            return
        raise
    if session.caps("echo-message"):
        for one in message_lines(session, said):
            session.out.answer(one)
    there = session.chat.find(said.to) if said.to and not is_notice else None
    if there is not None and there.away:
        session.out.reply("301", there.nick, there.away)


async def _say(session: Session, line: Line, text: str, kind: Kind) -> Said:
    room, to = _target(session, line)
    saying = Saying(text, room, to, kind, _reply_to(line))
    return await session.chat.say(session.me, saying, session)


def _reply_to(line: Line) -> str:
    return line.tags.get("+reply") or line.tags.get("+draft/reply", "")


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
    person = session.chat.find(target)
    if person is None:
        raise ChatRefused("no-such-nick", "No such nick/channel")
    return "", person.nick


async def tagmsg(session: Session, line: Line) -> None:
    """TAGMSG: reactions and typing; other tags are passed over."""
    room, _ = _target(session, line)
    if not room:
        return
    for key, on in (("+draft/react", True), ("+draft/unreact", False)):
        if line.tags.get(key) and _reply_to(line):
            reaction = Reacted(room, session.me, _reply_to(line), line.tags[key], on, session)
            await session.chat.react(reaction)
    if typing := line.tags.get("+typing") or line.tags.get("+draft/typing", ""):
        session.chat.typing(Typing(room, session.me, typing == "active", session))
    if session.caps("echo-message", "message-tags"):
        tags = {key: value for key, value in line.tags.items() if key.startswith("+")}
        session.out.answer(Line("TAGMSG", (f"#{room}",), source_of(session.me), tags))


async def topic(session: Session, line: Line) -> None:
    """TOPIC #a [:topic]."""
    place = _place(session, line.param(0))
    if len(line.params) < 2:
        if place.topic:
            _tell_topic(session, place)
        else:
            session.out.reply("331", f"#{place.name}", "No topic is set")
        return
    if not session.in_room(place.name):
        raise ChatRefused("not-in-room", "You're not on that channel")
    wanted = from_irc(line.params[1])[:TOPIC_LIMIT]
    await session.chat.set_topic(session.me, place.name, wanted, session)
    session.out.answer(Line("TOPIC", (f"#{place.name}", wanted), source_of(session.me)))


async def names(session: Session, line: Line) -> None:
    """NAMES #a."""
    for target in line.param(0).split(","):
        room = room_of(target)
        place = session.chat.place(session.me, room) if room is not None else None
        if place is not None:
            _tell_names(session, place)
        else:
            session.out.reply("366", target, "End of /NAMES list")


async def kick(session: Session, line: Line) -> None:
    """KICK #a nick :reason."""
    place = _place(session, line.param(0))
    nick = line.param(1)
    if not session.in_room(place.name):
        raise ChatRefused("not-in-room", "You're not on that channel")
    there = next((one for one in place.members if folded(one.nick) == folded(nick)), None)
    if there is None:
        session.out.reply("441", nick, f"#{place.name}", "They aren't on that channel")
        return
    reason = line.param(2) or session.me.nick
    await session.chat.kick(session.me, place.name, there.nick, reason, session)
    params = (f"#{place.name}", there.nick, reason)
    session.out.answer(Line("KICK", params, source_of(session.me)))


async def mode(session: Session, line: Line) -> None:
    """MODE: what is set is told; who may do what is set in the chat itself."""
    target = line.param(0)
    if not target.startswith("#"):
        if folded(target) != folded(session.me.nick):
            session.out.reply("502", "Cant change mode for other users")
        elif len(line.params) == 1:
            session.out.reply("221", "+")
        return
    place = _place(session, target)
    wanted = line.param(1).lstrip("+")
    if not wanted:
        session.out.reply("324", f"#{place.name}", "+nt")
        session.out.reply("329", f"#{place.name}", str(place.made_s))
    elif wanted == "b" and len(line.params) == 2:
        session.out.reply("368", f"#{place.name}", "End of channel ban list")
    elif wanted.lstrip("-")[:1] in "biklmnostv":
        session.out.reply("482", f"#{place.name}", "Roles are given in the chat itself")
    else:
        session.out.reply("472", wanted[:1], "is unknown mode char to me")


async def list_rooms(session: Session, line: Line) -> None:
    """LIST."""
    wanted = {folded(name) for name in line.param(0).split(",") if name.startswith("#")}
    session.out.reply("321", "Channel", "Users  Name")
    for place in session.chat.places(session.me):
        if place.is_listed and (not wanted or folded(f"#{place.name}") in wanted):
            session.out.reply("322", f"#{place.name}", str(len(place.members)), place.topic)
    session.out.reply("323", "End of /LIST")


def _place(session: Session, target: str) -> Place:
    room = room_of(target)
    place = session.chat.place(session.me, room) if room is not None else None
    if place is None:
        raise ChatRefused("no-such-room", "No such channel")
    return place


def _tell_topic(session: Session, place: Place) -> None:
    session.out.reply("332", f"#{place.name}", place.topic)
    session.out.reply("333", f"#{place.name}", place.topic_by or "*", str(place.topic_s))


def _tell_names(session: Session, place: Place) -> None:
    for words in _packed([_listed(session, one) for one in place.members]):
        session.out.reply("353", "=" if place.is_listed else "@", f"#{place.name}", words)
    session.out.reply("366", f"#{place.name}", "End of /NAMES list")


def _listed(session: Session, person: Person) -> str:
    name = source_of(person) if session.caps("userhost-in-names") else person.nick
    return _PREFIXES[person.role] + name


def _packed(words: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= _NAMES_ROOM_BYTES:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


COMMANDS = {
    "JOIN": Command(join, 1),
    "KICK": Command(kick, 2),
    "LIST": Command(list_rooms),
    "MODE": Command(mode, 1),
    "NAMES": Command(names, 1),
    "NOTICE": Command(privmsg),
    "PART": Command(part, 1),
    "PRIVMSG": Command(privmsg),
    "TAGMSG": Command(tagmsg, 1),
    "TOPIC": Command(topic, 1),
}
"""What this file does."""
