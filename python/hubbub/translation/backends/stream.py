"""Apertium's stream format: a line with its protected parts, escaped and ended (pure).

What stands in brackets (a "superblank") goes through every program untouched.
"""

from hubbub.translation.backend import Line

END = b".[][\n]\0"
"""Ends a sentence, as words mean other things in the midst of one, and the line with its NUL."""

_ESCAPED = frozenset("\\[]{}/<>^$@")
# Marks of the programs' own, which have no escape: they travel as blanks.
_HIDDEN = "*#~"


def encode(line: Line) -> bytes:
    """A line as the first program reads it."""
    parts: list[str] = []
    for run in line:
        if run.number is not None:
            parts.append(f"[{run.number}]")
            continue
        for character in run.text:
            if character in _ESCAPED:
                parts.append("\\" + character)
            elif character in _HIDDEN:
                parts.append(f"[{character}]")
            elif character.isprintable():
                parts.append(character)
            else:
                parts.append(" ")
    return "".join(parts).encode() + END


def decode(answer: bytes) -> tuple[str | int, ...]:
    """What the last program wrote: words, and numbers of protected parts."""
    text = answer.decode("utf-8", "replace").removesuffix(END.decode())
    parts: list[str | int] = []
    words: list[str] = []
    at = 0
    while at < len(text):
        character = text[at]
        if character == "\\" and at + 1 < len(text):
            words.append(text[at + 1])
            at += 2
        elif character == "[":
            end = text.find("]", at)
            if end < 0:
                break
            blank = text[at + 1 : end]
            if blank.isascii() and blank.isdigit():
                if words:
                    parts.append("".join(words))
                    words = []
                parts.append(int(blank))
            else:
                words.append(blank)
            at = end + 1
        else:
            words.append(character)
            at += 1
    if words:
        parts.append("".join(words))
    return tuple(parts)
