"""Coming into rooms and leaving them, and what is asked of them."""

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.formatting import from_irc
from hubbub.bridges.irc.front.events import Place
from hubbub.bridges.irc.front.face import ChatRefused
from hubbub.bridges.irc.front.names import TOPIC_LIMIT, room_of
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.front.showing import tell_names, tell_topic
from hubbub.bridges.irc.line import Line

_JOIN_REFUSED = {"banned": "474", "members-only": "473", "slow-down": "437"}


async def join(session: Session, line: Line) -> None:
    """JOIN #a,#b; JOIN 0 leaves all."""
    if line.param(0) == "0":
        for left in list(session.rooms.values()):
            await session.chat.part(session.me, left, "", session)
        return
    for target in line.param(0).split(","):
        room = room_of(target)
        if room is None:
            session.out.reply("403", target, "No such channel")
        elif not session.in_room(room):
            try:
                await session.chat.join(session.me, room, session)
            except ChatRefused as refused:
                numeric = _JOIN_REFUSED.get(refused.why, "403")
                session.out.reply(numeric, target, refused.message)


async def part(session: Session, line: Line) -> None:
    """PART #a,#b :reason."""
    for target in line.param(0).split(","):
        room = room_of(target)
        place = session.chat.place(session.me, room) if room is not None else None
        # The chat knows more spellings of a room than IRC does.
        name = place.name if place is not None else room
        if name is not None and session.in_room(name):
            name = session.rooms[folded(name)]
            await session.chat.part(session.me, name, line.param(1), session)
        elif place is None:
            session.out.reply("403", target, "No such channel")
        else:
            session.out.reply("442", target, "You're not on that channel")


async def topic(session: Session, line: Line) -> None:
    """TOPIC #a [:topic]."""
    place = place_of(session, line.param(0))
    if len(line.params) < 2:
        if place.topic:
            tell_topic(session, place, session)
        else:
            session.out.reply("331", f"#{place.name}", "No topic is set")
        return
    if not session.in_room(place.name):
        raise ChatRefused("not-in-room", "You're not on that channel")
    wanted = from_irc(line.params[1])[:TOPIC_LIMIT]
    await session.chat.set_topic(session.me, place.name, wanted, session)


async def names(session: Session, line: Line) -> None:
    """NAMES #a."""
    for target in line.param(0).split(","):
        room = room_of(target)
        place = session.chat.place(session.me, room) if room is not None else None
        if place is not None and (place.is_listed or session.in_room(place.name)):
            tell_names(session, place, session)
        else:
            session.out.reply("366", target or "*", "End of /NAMES list")


async def kick(session: Session, line: Line) -> None:
    """KICK #a nick :reason."""
    place = place_of(session, line.param(0))
    if not session.in_room(place.name):
        raise ChatRefused("not-in-room", "You're not on that channel")
    there = session.chat.find(line.param(1))
    members = session.chat.members(session.me, place.name)
    if there is None:
        session.out.reply("401", line.param(1), "No such nick/channel")
    elif not any(one.user == there.user for one in members):
        session.out.reply("441", there.nick, f"#{place.name}", "They aren't on that channel")
    else:
        reason = line.param(2)[:TOPIC_LIMIT] or session.me.nick
        await session.chat.kick(session.me, place.name, there.nick, reason, session)


async def invite(session: Session, line: Line) -> None:
    """INVITE nick #a."""
    nick, target = line.param(0), line.param(1)
    if session.chat.find(nick) is None:
        session.out.reply("401", nick, "No such nick/channel")
        return
    try:
        place = place_of(session, target)
        if not session.in_room(place.name):
            raise ChatRefused("not-in-room", "You're not on that channel")
        await session.chat.invite(session.me, place.name, nick, session)
    except ChatRefused as refused:
        match refused.why:
            case "already-in-room":
                session.out.reply("443", nick, target, refused.message)
            case "no-such-room":
                session.out.reply("403", target, refused.message)
            case "not-in-room":
                session.out.reply("442", target, refused.message)
            case _:
                session.out.reply("482", target, refused.message)


async def list_rooms(session: Session, line: Line) -> None:
    """LIST."""
    wanted = {folded(name) for name in line.param(0).split(",") if name.startswith("#")}
    session.out.reply("321", "Channel", "Users  Name")
    for place, count in session.chat.places(session.me):
        is_seen = place.is_listed or session.in_room(place.name)
        if is_seen and (not wanted or folded(f"#{place.name}") in wanted):
            session.out.reply("322", f"#{place.name}", str(count), place.topic)
    session.out.reply("323", "End of /LIST")


def place_of(session: Session, target: str) -> Place:
    """The room that a channel's name means.

    Raises:
        ChatRefused: There is none that they may see.
    """
    room = room_of(target)
    place = session.chat.place(session.me, room) if room is not None else None
    if place is None:
        raise ChatRefused("no-such-room", "No such channel")
    return place


COMMANDS = {
    "INVITE": Command(invite, 2),
    "JOIN": Command(join, 1),
    "KICK": Command(kick, 2),
    "LIST": Command(list_rooms),
    "NAMES": Command(names),
    "PART": Command(part, 1),
    "TOPIC": Command(topic, 1),
}
"""What this file does."""
