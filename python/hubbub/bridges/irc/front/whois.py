"""Who is who: WHO, WHOIS, WHOWAS and their like."""

import re
from collections.abc import Iterable

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.front.events import PREFIXES, Person
from hubbub.bridges.irc.front.names import room_of
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_WHOX_ORDER = "tcuihsnfdlaor"
_MASKED_LIMIT = 200
"""How many a mask finds."""


async def who(session: Session, line: Line) -> None:
    """WHO #a, WHO nick, WHO mask*, with WHOX's fields."""
    mask, fields = line.param(0), line.param(1)
    for person, room in _matching(session, mask):
        flags = ("G" if person.away else "H") + PREFIXES[person.role]
        if fields.startswith("%"):
            _tell_whox(session, person, room, flags, fields[1:])
        else:
            session.out.reply(
                "352",
                room,
                f"~{person.ident}",
                person.host or person.user,
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
        if place is None or not (place.is_listed or session.in_room(place.name)):
            return []
        return [(one, f"#{place.name}") for one in session.chat.members(session.me, place.name)]
    if "*" in mask or "?" in mask:
        pattern = masked(mask)
        found = [one for one in session.chat.people() if pattern.fullmatch(folded(one.nick))]
        return [(one, "*") for one in found[:_MASKED_LIMIT]]
    person = session.chat.find(mask)
    return [(person, "*")] if person is not None else []


def masked(mask: str) -> re.Pattern[str]:
    """A mask with * and ?, as a pattern for folded names."""
    # Several * in a row mean one, and would take for ever.
    parts = re.split(r"([*?])", re.sub(r"\*+", "*", folded(mask)))
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts))


def _tell_whox(session: Session, person: Person, room: str, flags: str, asked: str) -> None:
    fields, _, token = asked.partition(",")
    values = {
        "t": token or "0",
        "c": room,
        "u": f"~{person.ident}",
        "i": "255.255.255.255",
        "h": person.host or person.user,
        "s": session.info.server,
        "n": person.nick,
        "f": flags,
        "d": "0",
        "l": "0",
        "a": person.account or "0",
        "o": "n/a",
        "r": person.name or person.nick,
    }
    told = [values[one] for one in _WHOX_ORDER if one in fields]
    if told:
        session.out.reply("354", *told)


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
        name = person.name or it
        out.reply("311", it, f"~{person.ident}", person.host or person.user, "*", name)
        rooms = session.chat.rooms_of(person, session.me)
        names = [f"{PREFIXES[there.role]}#{place.name}" for place, there in rooms]
        for told in out.listing("319", it, names=names):
            out.answer(told)
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


async def userhost(session: Session, line: Line) -> None:
    """USERHOST nick nick."""
    found = [one for name in line.params[:5] if (one := session.chat.find(name)) is not None]
    session.out.reply(
        "302",
        " ".join(
            f"{one.nick}={'-' if one.away else '+'}~{one.ident}@{one.host or one.user}"
            for one in found
        ),
    )


async def ison(session: Session, line: Line) -> None:
    """ISON nick nick."""
    wanted = " ".join(line.params).split()
    found = [one.nick for name in wanted if (one := session.chat.find(name)) is not None]
    session.out.reply("303", " ".join(found))


COMMANDS = {
    "ISON": Command(ison, 1),
    "USERHOST": Command(userhost, 1),
    "WHO": Command(who, 1),
    "WHOIS": Command(whois),
    "WHOWAS": Command(whowas, 1),
}
"""What this file does."""
