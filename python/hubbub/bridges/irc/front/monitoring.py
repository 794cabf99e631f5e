"""MONITOR: to be told when somebody comes and goes (IRCv3 monitor)."""

from collections.abc import Iterable

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.front.names import MONITOR_LIMIT, packed
from hubbub.bridges.irc.front.outbox import WORDS_LIMIT_BYTES
from hubbub.bridges.irc.front.session import Command, Session, Watched
from hubbub.bridges.irc.line import Line


async def monitor(session: Session, line: Line) -> None:
    """MONITOR + a,b; - a,b; C; L; S."""
    match line.param(0).upper():
        case "+":
            _watch(session, _nicks(line))
        case "-":
            for nick in _nicks(line):
                session.watched.pop(folded(nick), None)
        case "C":
            session.watched.clear()
        case "L":
            _list(session, "732", (one.nick for one in session.watched.values()))
            session.out.reply("733", "End of MONITOR list")
        case "S":
            _tell(session, [one.nick for one in session.watched.values()])
        case _:
            session.out.reply("461", "MONITOR", "Not enough parameters")


def _watch(session: Session, nicks: list[str]) -> None:
    for at, nick in enumerate(nicks):
        if folded(nick) not in session.watched and len(session.watched) >= MONITOR_LIMIT:
            _tell(session, nicks[:at])
            rest = packed(nicks[at:], ",", WORDS_LIMIT_BYTES - len(str(MONITOR_LIMIT)))[0]
            session.out.reply("734", str(MONITOR_LIMIT), rest, "Monitor list is full.")
            return
        is_online = session.chat.find(nick) is not None
        session.watched[folded(nick)] = Watched(nick, is_online)
    _tell(session, nicks)


def _tell(session: Session, nicks: Iterable[str]) -> None:
    here: list[str] = []
    gone: list[str] = []
    for nick in nicks:
        person = session.chat.find(nick)
        if person is not None:
            here.append(person.source)
        else:
            gone.append(nick)
    _list(session, "730", here)
    _list(session, "731", gone)


def _list(session: Session, numeric: str, names: Iterable[str]) -> None:
    for line in session.out.listing(numeric, names=names, separator=","):
        session.out.answer(line)


def _nicks(line: Line) -> list[str]:
    return list({folded(one): one for one in line.param(1).split(",") if one}.values())


COMMANDS = {"MONITOR": Command(monitor, 1)}
"""What this file does."""
