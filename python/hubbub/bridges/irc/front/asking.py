"""What is asked of people and of the server: who is there, who is who, and what this is."""

from collections.abc import Iterable

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.front.face import ChatRefused, Person
from hubbub.bridges.irc.front.names import is_nick, room_of
from hubbub.bridges.irc.front.registration import source_of, tell_motd, tell_tokens
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_PREFIXES = {"owner": "@", "moderator": "@", "voice": "+", "": ""}
_AWAY_LIMIT = 200
_WHOX_ORDER = "tcuihsnfdlaor"


async def nick(session: Session, line: Line) -> None:
    """NICK: another one."""
    wanted = line.param(0)
    if not wanted:
        session.out.reply("431", "No nickname given")
        return
    if not is_nick(wanted):
        raise ChatRefused("bad-nick", "Erroneous nickname")
    if wanted == session.me.nick:
        return
    before = source_of(session.me)
    session.person = await session.chat.rename(session.me, wanted, session)
    session.out.answer(Line("NICK", (session.me.nick,), before))
    session.out.nick = session.me.nick


async def who(session: Session, line: Line) -> None:
    """WHO #a, WHO nick, with WHOX's fields."""
    mask, fields = line.param(0), line.param(1)
    for person, room in _matching(session, mask):
        flags = ("G" if person.away else "H") + _PREFIXES[person.role]
        if fields.startswith("%"):
            _tell_whox(session, person, room, flags, fields[1:])
        else:
            session.out.reply(
                "352",
                room,
                "~u",
                person.user,
                session.info.server,
                person.nick,
                flags,
                f"0 {person.name or person.nick}",
            )
    session.out.reply("315", mask, "End of /WHO list")


def _matching(session: Session, mask: str) -> Iterable[tuple[Person, str]]:
    room = room_of(mask)
    if room is not None:
        place = session.chat.place(session.me, room)
        return [(one, f"#{place.name}") for one in place.members] if place is not None else []
    person = session.chat.find(mask)
    return [(person, "*")] if person is not None else []


def _tell_whox(session: Session, person: Person, room: str, flags: str, asked: str) -> None:
    fields, _, token = asked.partition(",")
    values = {
        "t": token or "0",
        "c": room,
        "u": "~u",
        "i": "255.255.255.255",
        "h": person.user,
        "s": session.info.server,
        "n": person.nick,
        "f": flags,
        "d": "0",
        "l": "0",
        "a": person.account or "0",
        "o": "n/a",
        "r": person.name or person.nick,
    }
    session.out.reply("354", *(values[one] for one in _WHOX_ORDER if one in fields))


async def whois(session: Session, line: Line) -> None:
    """WHOIS [server] nick."""
    wanted = line.params[-1] if line.params else ""
    if not wanted:
        session.out.reply("431", "No nickname given")
        return
    person = session.chat.find(wanted)
    if person is None:
        session.out.reply("401", wanted, "No such nick")
    else:
        out, it = session.out, person.nick
        out.reply("311", it, "~u", person.user, "*", person.name or it)
        rooms = session.chat.rooms_of(person, session.me)
        if rooms:
            out.reply("319", it, " ".join(f"#{place.name}" for place in rooms))
        if person.away:
            out.reply("301", it, person.away)
        out.reply("312", it, session.info.server, session.info.network)
        if person.account:
            out.reply("330", it, person.account, "is logged in as")
    session.out.reply("318", wanted, "End of /WHOIS list")


async def whowas(session: Session, line: Line) -> None:
    """WHOWAS: nobody keeps a record of who has gone."""
    wanted = line.param(0)
    session.out.reply("406", wanted, "There was no such nickname")
    session.out.reply("369", wanted, "End of WHOWAS")


async def away(session: Session, line: Line) -> None:
    """AWAY [:why]."""
    session.person = session.chat.set_away(session.me, line.param(0)[:_AWAY_LIMIT])
    if session.me.away:
        session.out.reply("306", "You have been marked as being away")
    else:
        session.out.reply("305", "You are no longer marked as being away")


async def userhost(session: Session, line: Line) -> None:
    """USERHOST nick nick."""
    found = [one for name in line.params[:5] if (one := session.chat.find(name)) is not None]
    session.out.reply(
        "302", " ".join(f"{one.nick}={'-' if one.away else '+'}~u@{one.user}" for one in found)
    )


async def ison(session: Session, line: Line) -> None:
    """ISON nick nick."""
    wanted = " ".join(line.params).split()
    found = [one.nick for name in wanted if (one := session.chat.find(name)) is not None]
    session.out.reply("303", " ".join(found))


async def lusers(session: Session, line: Line) -> None:
    """LUSERS."""
    rooms = session.chat.places(session.me)
    people = {folded(one.nick) for place in rooms for one in place.members}
    session.out.reply("251", f"There are {len(people)} people in the rooms, on 1 server")
    session.out.reply("254", str(len(rooms)), "channels formed")
    session.out.reply("255", "I have clients and 0 servers")


async def motd(session: Session, line: Line) -> None:
    """MOTD."""
    tell_motd(session.out, session.info)


async def version(session: Session, line: Line) -> None:
    """VERSION."""
    session.out.reply("351", session.info.version, session.info.server, "a chat, by IRC too")
    tell_tokens(session.out, session.info)


async def time(session: Session, line: Line) -> None:
    """TIME."""
    session.out.reply("391", session.info.server, session.out.time(session.now_ms()))


async def admin(session: Session, line: Line) -> None:
    """ADMIN."""
    session.out.reply("423", session.info.server, "No administrative info available")


async def info(session: Session, line: Line) -> None:
    """INFO."""
    session.out.reply("371", f"{session.info.network}: a chat, by IRC too")
    session.out.reply("374", "End of INFO list")


async def links(session: Session, line: Line) -> None:
    """LINKS: there is one server."""
    server = session.info.server
    session.out.reply("364", server, server, f"0 {session.info.network}")
    session.out.reply("365", "*", "End of /LINKS list")


async def stats(session: Session, line: Line) -> None:
    """STATS: told to the administrators of the server, elsewhere."""
    session.out.reply("219", line.param(0)[:1] or "*", "End of /STATS report")


async def help_(session: Session, line: Line) -> None:
    """HELP."""
    session.out.reply("524", "*", "Help is to be had in the chat itself")


async def oper(session: Session, line: Line) -> None:
    """OPER: nobody is, by IRC."""
    session.out.reply("491", "No O-lines for your host")


async def forbidden(session: Session, line: Line) -> None:
    """What operators do elsewhere."""
    session.out.reply("481", "Permission Denied- You're not an IRC operator")


COMMANDS = {
    "ADMIN": Command(admin),
    "AWAY": Command(away),
    "HELP": Command(help_),
    "INFO": Command(info),
    "ISON": Command(ison, 1),
    "KILL": Command(forbidden),
    "LINKS": Command(links),
    "LUSERS": Command(lusers),
    "MOTD": Command(motd),
    "NICK": Command(nick),
    "OPER": Command(oper, 2),
    "REHASH": Command(forbidden),
    "STATS": Command(stats),
    "TIME": Command(time),
    "USERHOST": Command(userhost, 1),
    "VERSION": Command(version),
    "WHO": Command(who, 1),
    "WHOIS": Command(whois),
    "WHOWAS": Command(whowas, 1),
}
"""What this file does."""
