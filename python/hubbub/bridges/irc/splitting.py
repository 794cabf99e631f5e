"""Text too long for a line, in pieces that each fit: between words, never inside a character.

Characters are what people take for one (grapheme clusters, after UAX #29): letters with their
accents, joined emoji, flags, syllables. Pure.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hubbub.errors import Misuse

PIECE_LEAST_BYTES = 16
"""Less room than this is none."""

_JOINER = "\u200d"
_VIRAMA = 9


@dataclass(frozen=True)
class Cell:
    """One character, with how it looks."""

    text: str
    style: str = ""
    """The codes that are switched on, in their order."""


def graphemes(text: str) -> Iterator[str]:
    """The characters of a text."""
    if text.isascii() and "\r" not in text:
        yield from text
        return
    begin = flags = 0
    for at in range(1, len(text)):
        before, after = text[at - 1], text[at]
        flags = flags + 1 if _is_flag(before) else 0
        if not _belongs(before, after, flags):
            yield text[begin:at]
            begin = at
            flags = 0
    if begin < len(text):
        yield text[begin:]


def cells(text: str, style: str = "") -> list[Cell]:
    """The characters of a text, all of one look."""
    return [Cell(one, style) for one in graphemes(text)]


def wrapped(line: Sequence[Cell], limit_bytes: int) -> list[str]:
    """The line in pieces of so many bytes at most; each switches its looks on anew.

    Raises:
        Misuse: There is hardly room for a character.
    """
    if limit_bytes < PIECE_LEAST_BYTES:
        raise Misuse(f"no room for text: {limit_bytes} bytes")
    pieces: list[str] = []
    rest = list(line)
    begin = 0
    while begin < len(rest):
        end, blank = _fill(rest, begin, limit_bytes)
        if end == begin:
            # A letter with hundreds of accents is cut: nobody could read it.
            rest[begin : begin + 1] = [Cell(one, rest[begin].style) for one in rest[begin].text]
            continue
        if end < len(rest) and blank > begin and not rest[end].text.isspace():
            end = blank
        piece = rendered(rest[begin:end])
        if piece.strip():
            pieces.append(piece)
        begin = end
        while begin < len(rest) and rest[begin].text.isspace():
            begin += 1
    return pieces


def split(text: str, limit_bytes: int) -> list[str]:
    """Plain text in pieces: see `wrapped`."""
    return wrapped(cells(text), limit_bytes)


def rendered(line: Sequence[Cell]) -> str:
    """The characters, with codes where their look changes."""
    parts: list[str] = []
    style = ""
    for cell in line:
        parts.append(_switched(style, cell.style))
        parts.append(cell.text)
        style = cell.style
    return "".join(parts).rstrip(" ")


def _fill(line: Sequence[Cell], begin: int, limit_bytes: int) -> tuple[int, int]:
    """How far a piece reaches that begins there, and where its last blank is."""
    size, style, blank, end = 0, "", -1, begin
    while end < len(line):
        cell = line[end]
        size += len(_switched(style, cell.style)) + len(cell.text.encode("utf-8", "replace"))
        if size > limit_bytes:
            break
        if cell.text.isspace():
            blank = end
        style = cell.style
        end += 1
    return end, blank


def _switched(before: str, after: str) -> str:
    """Codes are switches: those that are in one style and not in the other."""
    if before == after:
        return ""
    return "".join(code for code in before if code not in after) + "".join(
        code for code in after if code not in before
    )


def _belongs(before: str, after: str, flags: int) -> bool:
    """Whether there is no boundary between two code points."""
    if before == "\r":
        return after == "\n"
    if _is_control(before) or _is_control(after):
        return False
    if _extends(after):
        return True
    if before == _JOINER:
        return unicodedata.category(after) == "So"
    if _is_flag(before) and _is_flag(after):
        return flags % 2 == 1
    # Consonants that are written as one, in the scripts of India.
    if unicodedata.combining(before) == _VIRAMA and unicodedata.category(after) == "Lo":
        return True
    return _is_syllable(before, after)


def _extends(character: str) -> bool:
    return (
        unicodedata.category(character) in ("Mn", "Mc", "Me")
        or character in "\u200c\u200d\u0e33\u0eb3"
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\U000e0020" <= character <= "\U000e007f"
    )


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"


def _is_flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_syllable(before: str, after: str) -> bool:
    """Hangul, where it is written letter by letter."""
    if "\u1100" <= before <= "\u115f":
        return "\u1100" <= after <= "\u11a7" or "\uac00" <= after <= "\ud7a3"
    is_open = "\uac00" <= before <= "\ud7a3" and (ord(before) - 0xAC00) % 28 == 0
    if "\u1160" <= before <= "\u11a7" or is_open:
        return "\u1160" <= after <= "\u11ff"
    if "\u11a8" <= before <= "\u11ff" or "\uac00" <= before <= "\ud7a3":
        return "\u11a8" <= after <= "\u11ff"
    return False
