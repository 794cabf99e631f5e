"""CHATHISTORY: what was said before (IRCv3 draft/chathistory)."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from hubbub.bridges.irc.front.events import Said
from hubbub.bridges.irc.front.face import ChatRefused, Conversation, Stretch
from hubbub.bridges.irc.front.hearing import message_lines
from hubbub.bridges.irc.front.names import HISTORY_LIMIT, room_of
from hubbub.bridges.irc.front.session import Command, Session
from hubbub.bridges.irc.line import Line

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_KINDS = ("LATEST", "BEFORE", "AFTER", "AROUND", "BETWEEN")


class _Bad(Exception):
    def __init__(self, code: str, *context: str) -> None:
        super().__init__(code)
        self.code = code
        self.context = context


_WORDS = {
    "INVALID_MSGREFTYPE": "That is no msgid and no timestamp",
    "INVALID_PARAMS": "That is no question",
    "INVALID_TARGET": "Messages of this target cannot be had",
}


async def chathistory(session: Session, line: Line) -> None:
    """CHATHISTORY LATEST, BEFORE, AFTER, AROUND, BETWEEN or TARGETS."""
    kind = line.param(0).upper()
    try:
        if kind == "TARGETS":
            await _targets(session, line.params[1:])
            return
        target, conversation = _conversation(session, kind, line.param(1))
        said = await _found(session, kind, conversation, line.params[2:])
    except _Bad as bad:
        session.out.fail("CHATHISTORY", bad.code, *bad.context, _WORDS[bad.code])
        return
    except ChatRefused:
        words = _WORDS["INVALID_TARGET"]
        session.out.fail("CHATHISTORY", "INVALID_TARGET", kind, line.param(1), words)
        return
    with session.out.batch("chathistory", target) as batch:
        more = {"batch": batch} if batch else {}
        for one in said:
            for answer in message_lines(session, one, **more):
                session.out.answer(answer)


def _conversation(session: Session, kind: str, target: str) -> tuple[str, Conversation]:
    if kind not in _KINDS:
        raise _Bad("INVALID_PARAMS", kind)
    if not target.startswith("#"):
        person = session.chat.find(target)
        if not target or (person is None and not target.isprintable()):
            raise _Bad("INVALID_TARGET", kind, target)
        return target, Conversation(nick=person.nick if person is not None else target)
    room = room_of(target)
    place = session.chat.place(session.me, room) if room is not None else None
    if place is None or not session.in_room(place.name):
        raise _Bad("INVALID_TARGET", kind, target)
    return f"#{place.name}", Conversation(place.name)


async def _found(
    session: Session, kind: str, conversation: Conversation, params: Sequence[str]
) -> Sequence[Said]:
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
            found = await session.chat.history(session.me, conversation, forwards, limit)
            if found:
                return found
            # They may be named in the other order: then the newest count.
            wanted = Stretch(after=last, before=first, newest=True)
        case _:
            wanted = Stretch(after=references[0] if references else "", newest=True)
    return await session.chat.history(session.me, conversation, wanted, limit)


async def _targets(session: Session, params: Sequence[str]) -> None:
    if len(params) != 3:
        raise _Bad("INVALID_PARAMS", "TARGETS")
    moments = sorted(_moment(one) for one in params[:2])
    limit = _limit("TARGETS", params[2])
    found = await session.chat.conversations(session.me, moments[0], moments[1], limit)
    with session.out.batch("draft/chathistory-targets") as batch:
        tags = {"batch": batch} if batch else {}
        for one in found:
            target = f"#{one.room}" if one.room else one.nick
            params = ("TARGETS", target, session.out.time(one.ts_ms))
            session.out.answer(Line("CHATHISTORY", params, session.info.server, tags))


def _moment(written: str) -> int:
    reference = _reference("TARGETS", written)
    if not reference.startswith("@"):
        raise _Bad("INVALID_PARAMS", "TARGETS")
    return int(reference[1:])


def _limit(kind: str, written: str) -> int:
    if not (written.isascii() and written.isdigit()):
        raise _Bad("INVALID_PARAMS", kind)
    return min(HISTORY_LIMIT, int(written[:9])) or HISTORY_LIMIT


def _reference(kind: str, written: str) -> str:
    """An id, or a time as the chat's face writes it."""
    what, _, value = written.partition("=")
    if what == "msgid" and value and not value.startswith("@"):
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
