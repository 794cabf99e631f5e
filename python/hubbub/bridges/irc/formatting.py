"""IRC's formatting codes, and the chat's inline format: each told in the other's words (pure).

What people read stays the same in both directions; looks that the other side lacks are dropped.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from hubbub.bridges.irc.splitting import Cell, cells, wrapped
from hubbub.markup import (
    Block,
    Break,
    Code,
    Fence,
    Inline,
    Link,
    Mark,
    Mention,
    Paragraph,
    Quote,
    Text,
    parse,
    parse_inline,
    plain_text,
)

BOLD, ITALIC, STRUCK, MONOSPACE, UNDERLINE = "\x02", "\x1d", "\x1e", "\x11", "\x1f"

_CODES = re.compile(
    r"\x03(?:\d{1,2}(?:,\d{1,2})?)?|\x04(?:[0-9A-Fa-f]{6}(?:,[0-9A-Fa-f]{6})?)?"
    r"|[\x02\x11\x1d\x1e\x1f]|\x0f|[\x00-\x1f\x7f]"
)
_SWITCHES = frozenset((BOLD, ITALIC, STRUCK, MONOSPACE, UNDERLINE))
_STYLES = {"strong": BOLD, "emphasis": ITALIC, "struck": STRUCK}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ESCAPED = re.compile(r"\\(?=[\\`*~\[\]()>@_#!.-])|[*`]|~(?=~)|\[(?=[^\[\]]*\]\()")
_QUOTED = re.compile(r"^(?:> ?){1,3}")
# Nested in this order, the outermost first.
_MARKS = ((BOLD, "**"), (STRUCK, "~~"), (ITALIC, "*"))


@dataclass(frozen=True)
class Run:
    """Words of one look."""

    text: str
    style: frozenset[str] = frozenset()


def to_irc(text: str, limit_bytes: int) -> list[str]:
    """A message of the chat as IRC says it: one or several lines, none longer than the limit.

    Args:
        text: In the inline format.
        limit_bytes: The room that there is in one line.
    """
    lines: list[str] = []
    for cells_of_line in _block_lines(parse(text)):
        lines += wrapped(cells_of_line, limit_bytes)
    return lines


def stripped(text: str) -> str:
    """What somebody on IRC said, without codes."""
    return "".join(run.text for run in runs(text))


def from_irc(text: str) -> str:
    """What somebody on IRC said, in the inline format."""
    found = runs(text)
    words = "".join(run.text for run in found)
    # A quotation is one on both sides.
    visible = " ".join(_QUOTED.sub("", words).split())
    # What cannot be said in marks is said with fewer: nothing that people read may change.
    # Emphasis goes first, for within a word it is none.
    for marks in (_MARKS, _MARKS[:2], ()):
        written = _marked(found, list(marks))
        if plain_text(written) == visible:
            return written
    return words


def runs(text: str) -> list[Run]:
    """A line of IRC, taken apart where its look changes."""
    found: list[Run] = []
    style: set[str] = set()
    at = 0
    for match in _CODES.finditer(text):
        if match.start() > at:
            found.append(Run(text[at : match.start()], frozenset(style)))
        at = match.end()
        code = match[0][0]
        if code == "\x0f":
            style.clear()
        elif code in _SWITCHES:
            style ^= {code}
        elif code == "\t":
            found.append(Run(" ", frozenset(style)))
    if at < len(text):
        found.append(Run(text[at:], frozenset(style)))
    return [
        Run("".join(run.text for run in group), style)
        for style, group in groupby(found, key=lambda run: run.style)
    ]


# To IRC


def _block_lines(blocks: Iterable[Block], before: str = "") -> list[list[Cell]]:
    lines: list[list[Cell]] = []
    for block in blocks:
        match block:
            case Paragraph(children):
                lines += [cells(before) + line for line in _lines(children)]
            case Quote(children):
                lines += _block_lines(children, f"{before}> ")
            case Fence(text, _):
                lines += [
                    cells(before) + cells(_CONTROL.sub(" ", line), MONOSPACE)
                    for line in text.split("\n")
                ]
    return lines


def _lines(nodes: Iterable[Inline]) -> list[list[Cell]]:
    lines: list[list[Cell]] = [[]]
    for cell in _cells(nodes, ""):
        if cell.text == "\n":
            lines.append([])
        else:
            lines[-1].append(cell)
    return lines


def _cells(nodes: Iterable[Inline], style: str) -> list[Cell]:
    found: list[Cell] = []
    for node in nodes:
        match node:
            case Text(text):
                found += cells(_CONTROL.sub(" ", text), style)
            case Code(text):
                found += cells(_CONTROL.sub(" ", text), _with(style, MONOSPACE))
            case Mention(nick):
                found += cells(f"@{nick}", style)
            case Break():
                found.append(Cell("\n", style))
            case Mark(kind, children):
                found += _cells(children, _with(style, _STYLES[kind]))
            case Link(url, children):
                label = _cells(children, style)
                found += label
                if "".join(cell.text for cell in label) != url:
                    found += cells(_CONTROL.sub("", f" <{url}>"), style)
    return found


def _with(style: str, code: str) -> str:
    return style if code in style else style + code


# From IRC


def _marked(found: Sequence[Run], marks: list[tuple[str, str]]) -> str:
    if not marks:
        return "".join(_written(run) for run in found)
    (code, mark), *inner = marks
    parts: list[str] = []
    for is_marked, group in groupby(found, key=lambda run: code in run.style):
        words = _marked(list(group), inner)
        if is_marked and words.strip():
            lead = words[: len(words) - len(words.lstrip())]
            trail = words[len(words.rstrip()) :]
            words = f"{lead}{mark}{words.strip()}{mark}{trail}"
        parts.append(words)
    return "".join(parts)


def _written(run: Run) -> str:
    if MONOSPACE in run.style and run.text.strip():
        ticks = "`" * (1 + max((len(row) for row in re.findall("`+", run.text)), default=0))
        return f"{ticks}{run.text}{ticks}"
    return _escaped_text(run.text)


def _escaped_text(text: str) -> str:
    """Words in which nothing is a mark; addresses stay addresses."""
    parts: list[str] = []
    for word in re.split(r"(\s+)", text):
        nodes = parse_inline(word) if "://" in word else ()
        is_address = any(isinstance(node, Link) for node in nodes)
        parts.append(word if is_address else _ESCAPED.sub(lambda found: "\\" + found[0], word))
    return "".join(parts)
