"""What was said before, asked of the store; each answer is of one moment."""

from collections.abc import Sequence

from hubbub.apps.chat.message import Message
from hubbub.apps.chat.store import Reader
from hubbub.bridges.irc.front.face import Stretch

_LAST = 1 << 62


def recalled(reader: Reader, room: str, wanted: Stretch, limit: int) -> list[Message]:
    """A part of a room's history, ascending; what was deleted is left out."""
    if wanted.around:
        middle = _first(reader, room, wanted.around)
        older = reader.before(room, middle, limit // 2, alive=True)
        newer = reader.after(room, middle - 1, limit - len(older), alive=True)
        return older + newer
    after = _last(reader, room, wanted.after) if wanted.after else 0
    before = _first(reader, room, wanted.before) if wanted.before else _LAST
    if wanted.newest:
        found = reader.before(room, before, limit, alive=True)
        return [one for one in found if one.seq > after]
    return [one for one in reader.after(room, after, limit, alive=True) if one.seq < before]


def last_said(reader: Reader, rooms: Sequence[str], after_ms: int, before_ms: int) -> list[Message]:
    """What was said last in each of these rooms, if that was between the two moments."""
    found: list[Message] = []
    for room in rooms:
        newest = reader.before(room, _LAST, 1, alive=True)
        found += [one for one in newest if after_ms < one.ts < before_ms]
    return sorted(found, key=lambda one: one.ts)


def _first(reader: Reader, room: str, reference: str) -> int:
    """The number of a message, or of the first one from a moment on."""
    if reference.startswith("@"):
        return reader.seq_at(room, int(reference[1:]))
    return reader.seq_of(room, reference) or 0


def _last(reader: Reader, room: str, reference: str) -> int:
    """The number of a message, or of the last one up to a moment."""
    if reference.startswith("@"):
        return reader.seq_at(room, int(reference[1:]) + 1) - 1
    return reader.seq_of(room, reference) or _LAST
