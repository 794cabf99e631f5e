"""MODE: who may do what in a room, and what a room is."""

from collections.abc import Iterator

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.front.channels import place_of
from hubbub.bridges.irc.front.face import ChatRefused, Flag
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_FLAGS: dict[str, Flag] = {"i": "closed", "m": "moderated", "s": "unlisted"}
_ALWAYS = "nt"
_WITH_NICK = "ov"
_CHANGES_LIMIT = 12


async def mode(session: Session, line: Line) -> None:
    """MODE #a, MODE #a +o nick, MODE nick."""
    target = line.param(0)
    if not target.startswith("#"):
        _of_person(session, line)
        return
    place = place_of(session, target)
    name = f"#{place.name}"
    if len(line.params) == 1:
        session.out.reply("324", name, place.modes)
        session.out.reply("329", name, str(place.made_s))
        return
    for change, param in list(_changes(line.params[1], line.params[2:]))[:_CHANGES_LIMIT]:
        letter = change[1]
        if letter == "b" and not param:
            _list_bans(session, place.name)
        elif letter not in "b" + _WITH_NICK + _ALWAYS and letter not in _FLAGS:
            session.out.reply("472", letter, "is unknown mode char to me")
        elif letter in _WITH_NICK and not param:
            session.out.reply("461", "MODE", "Not enough parameters")
        elif not session.in_room(place.name):
            raise ChatRefused("not-in-room", "You're not on that channel")
        elif letter not in _ALWAYS:
            await _change(session, place.name, change, param)


async def _change(session: Session, room: str, change: str, param: str) -> None:
    chat, me, letter, on = session.chat, session.me, change[1], change[0] == "+"
    if letter in _FLAGS:
        await chat.set_flag(me, room, _FLAGS[letter], session, on=on)
    elif letter == "b":
        await chat.ban(me, room, param, session, on=on)
    else:
        there = chat.find(param)
        if there is None:
            session.out.reply("401", param, "No such nick/channel")
        elif not any(one.user == there.user for one in chat.members(me, room)):
            session.out.reply("441", there.nick, f"#{room}", "They aren't on that channel")
        else:
            await chat.set_role(me, room, there.nick, change, session)


def _changes(letters: str, params: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each change with its sign, and what it is about."""
    sign, rest = "+", list(params)
    for letter in letters:
        if letter in "+-":
            sign = letter
        else:
            takes_one = letter in "b" + _WITH_NICK
            yield sign + letter, rest.pop(0) if takes_one and rest else ""


def _list_bans(session: Session, room: str) -> None:
    # Since when is not known; until when, nobody expects here.
    for mask, by in session.chat.bans(session.me, room):
        session.out.reply("367", f"#{room}", mask, by or "*")
    session.out.reply("368", f"#{room}", "End of channel ban list")


def _of_person(session: Session, line: Line) -> None:
    target = line.param(0)
    if session.chat.find(target) is None and folded(target) != folded(session.me.nick):
        session.out.reply("401", target, "No such nick/channel")
    elif folded(target) != folded(session.me.nick):
        session.out.reply("502", "Cant change mode for other users")
    elif len(line.params) == 1:
        session.out.reply("221", "+")
    elif any(letter not in "+-iw" for letter in line.params[1]):
        session.out.reply("501", "Unknown MODE flag")


COMMANDS = {"MODE": Command(mode, 1)}
"""What this file does."""
