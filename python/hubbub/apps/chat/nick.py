"""Names of people and rooms: what may be one, and which two look alike (pure).

Two names that the eye takes for one another are one name: they are compared by their skeleton
(Unicode TR 39 §4). Invisible and direction-changing characters are refused.
"""

import re
import unicodedata
from functools import cache

from confusable_homoglyphs import confusables

from hubbub.apps.chat import refusals

NICK_LIMIT = 32
ROOM_LIMIT = 64
_MARKS_LIMIT = 4
"""How many combining marks may follow each other; more is a tower."""

_PUNCTUATION = frozenset("_-.'·")
# Letters by their category, yet nothing is seen of them: fillers of Hangul.
_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5")
_BLANKS = re.compile(r" +")


def checked_nick(nick: str) -> str:
    """A nick in its normal form (NFKC).

    Raises:
        Refused: It is none, and why.
    """
    return _checked(nick, "a nick", NICK_LIMIT, _PUNCTUATION)


def checked_room_name(name: str) -> str:
    """A room's name in its normal form; it may consist of several words.

    Raises:
        Refused: It is none, and why.
    """
    name = _BLANKS.sub(" ", unicodedata.normalize("NFKC", name)).strip(" ")
    return _checked(name, "a name", ROOM_LIMIT, _PUNCTUATION | frozenset(" #&+!?,:()/"))


def keys(name: str) -> tuple[str, str]:
    """What two names may not have in common: how it looks, and how it looks in small letters.

    Both, because "Ivy" looks like "lvy", and "ivy" is the same name as "Ivy" though it does not.
    """
    normal = unicodedata.normalize("NFKC", name)
    return "=" + skeleton(normal).casefold(), "~" + skeleton(normal.casefold()).casefold()


def folded(name: str) -> str:
    """How a name is looked up: without regard to case."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def skeleton(text: str) -> str:
    """The prototype of all that looks like this text."""
    table = _prototypes()
    mapped = "".join(table.get(one, one) for one in unicodedata.normalize("NFD", text))
    return unicodedata.normalize("NFD", mapped)


def _checked(name: str, what: str, limit: int, punctuation: frozenset[str]) -> str:
    name = unicodedata.normalize("NFKC", name)
    if not name:
        raise refusals.bad(f"{what} has at least one character")
    if len(name) > limit:
        raise refusals.too_long(what, len(name), limit)
    marks = _MARKS_LIMIT
    for one in name:
        category = unicodedata.category(one)
        if category[0] == "M":
            marks += 1
            if marks > _MARKS_LIMIT:
                raise refusals.bad(f"{what} may not have so many marks on one letter")
        elif category[0] in "LN" or one in punctuation:
            marks = 0
        else:
            raise refusals.bad(f"{what} may not contain {_called(one)}")
        if one in _INVISIBLE or 0xFE00 <= ord(one) <= 0xFE0F or 0xE0100 <= ord(one) <= 0xE01EF:
            raise refusals.bad(f"{what} may not contain {_called(one)}")
    if not any(unicodedata.category(one)[0] in "LN" for one in name):
        raise refusals.bad(f"{what} contains a letter or a digit")
    return name


def _called(character: str) -> str:
    if character == " ":
        return "blanks"
    name = unicodedata.name(character, f"U+{ord(character):04X}")
    return (
        f"{name.lower()}" if name.startswith("U+") else f"U+{ord(character):04X} ({name.lower()})"
    )


@cache
def _prototypes() -> dict[str, str]:
    """For each character that looks like others, the one that stands for all of them."""
    roots: dict[str, str] = {}

    def root(one: str) -> str:
        while (above := roots.get(one, one)) != one:
            one = above
        return one

    several: dict[str, str] = {}
    for source, alike in confusables.confusables_data.items():
        for other in (_bare(pair["c"]) for pair in alike):
            if len(source) == 1 and len(other) > 1:
                several[source] = other
            elif len(source) == len(other) == 1:
                one, two = sorted((root(source), root(other)), key=_plainest)
                roots[two] = one
    table = {one: root(one) for one in roots}
    # A letter that looks like two: "m" is "rn". Its look-alikes follow it.
    for one, pair in several.items():
        table[one] = "".join(table.get(part, part) for part in pair)
    return table


def _plainest(character: str) -> tuple[bool, int]:
    return not character.isascii(), ord(character)


def _bare(text: str) -> str:
    return text.replace("\u200e", "")
