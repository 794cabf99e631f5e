"""CHATHISTORY: what was said before (IRCv3 draft/chathistory)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from hubbub.bridges.irc.front.face import Said, Stretch
from hubbub.bridges.irc.front.hearing import message_lines
from hubbub.bridges.irc.front.names import HISTORY_LIMIT, room_of
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


class _Bad(Exception):
    def __init__(self, code: str, *context: str) -> None:
        super().__init__(code)
        self.code = code
        self.context = context


async def chathistory(session: Session, line: Line) -> None:
    """CHATHISTORY LATEST, BEFORE, AFTER, AROUND or BETWEEN."""
    kind = line.param(0).upper()
    try:
        room = _room(session, kind, line.param(1))
        said = await _found(session, kind, room, line.params[2:])
    except _Bad as bad:
        session.out.fail("CHATHISTORY", bad.code, *bad.context, _WORDS[bad.code])
        return
    with session.out.batch("chathistory", f"#{room}") as batch:
        more = {"batch": batch} if batch else {}
        for one in said:
            for answer in message_lines(session, one, **more):
                session.out.answer(answer)


_WORDS = {
    "INVALID_MSGREFTYPE": "That is no msgid and no timestamp",
    "INVALID_PARAMS": "That is no question",
    "INVALID_TARGET": "Messages of this target cannot be had",
}


def _room(session: Session, kind: str, target: str) -> str:
    if kind not in ("LATEST", "BEFORE", "AFTER", "AROUND", "BETWEEN"):
        raise _Bad("INVALID_PARAMS", kind)
    room = room_of(target)
    place = session.chat.place(session.me, room) if room is not None else None
    if place is None or not session.in_room(place.name):
        raise _Bad("INVALID_TARGET", kind, target)
    return place.name


async def _found(session: Session, kind: str, room: str, params: Sequence[str]) -> Sequence[Said]:
    if len(params) != (3 if kind == "BETWEEN" else 2):
        raise _Bad("INVALID_PARAMS", kind)
    limit = _limit(kind, params[-1])
    references = [_reference(kind, one) for one in params[:-1] if (kind, one) != ("LATEST", "*")]
    match kind, references:
        case "BEFORE", [before]:
            wanted = Stretch(before=before, newest=True)
        case "AFTER", [after]:
            wanted = Stretch(after=after)
        case "AROUND", [around]:
            wanted = Stretch(around=around)
        case "BETWEEN", [first, last]:
            forwards = Stretch(after=first, before=last)
            found = await session.chat.history(session.me, room, forwards, limit)
            if found:
                return found
            # They may be named in the other order: then the newest count.
            wanted = Stretch(after=last, before=first, newest=True)
        case _:
            wanted = Stretch(after=references[0] if references else "", newest=True)
    return await session.chat.history(session.me, room, wanted, limit)


def _limit(kind: str, written: str) -> int:
    if not (written.isascii() and written.isdigit()):
        raise _Bad("INVALID_PARAMS", kind)
    return min(HISTORY_LIMIT, int(written[:9])) or HISTORY_LIMIT


def _reference(kind: str, written: str) -> str:
    """An id, or a time as the chat's face writes it."""
    what, _, value = written.partition("=")
    if what == "msgid" and value:
        return value
    if what == "timestamp" and _TIME.fullmatch(value):
        try:
            at = datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        except ValueError:
            raise _Bad("INVALID_MSGREFTYPE", kind, written) from None
        return f"@{round(at.timestamp() * 1000)}"
    raise _Bad("INVALID_MSGREFTYPE", kind, written)


COMMANDS = {"CHATHISTORY": Command(chathistory, 1)}
"""What this file does."""
