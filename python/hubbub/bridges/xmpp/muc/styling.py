"""Message Styling (XEP-0393), and the chat's inline format: each told in the other's words (pure).

What people read stays the same in both directions; looks that the other side lacks are dropped.
"""

import re
from collections.abc import Iterable

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
    plain_text,
)

_SIGNS = {"strong": "*", "emphasis": "_", "struck": "~"}
_MARKS = {"*": "**", "_": "*", "~": "~~", "`": "`"}
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]|[\ud800-\udfff]")
_ESCAPED = re.compile(r"\\(?=[\\`*~\[\]()>@_#!.-])|[*`]|~(?=~)|\[(?=[^\[\]]*\]\()")
# XEP-0393 §6.2: an opening sign stands at the beginning or behind a blank or another one, and
# before something else than a blank; a closing one behind something else than a blank.
_SPAN = re.compile(r"(?:^|(?<=[\s*_~]))([*_~`])(?!\s|\1)(.*?[^\s])\1")


def to_styling(text: str) -> str:
    """A message of the chat as XMPP says it."""
    return _CONTROLS.sub(" ", "\n".join(_block_lines(parse(text))))


def from_styling(text: str, *, is_styled: bool = True) -> str:
    """What somebody on XMPP said, in the inline format.

    Args:
        text: The body.
        is_styled: Whether its signs mean anything.
    """
    text = _CONTROLS.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    lines: list[str] = []
    in_fence = False
    for line in text.split("\n"):
        if is_styled and line.startswith("```"):
            in_fence = not in_fence
            lines.append("```")
        elif in_fence:
            lines.append(line)
        else:
            lines.append(_from_line(line, is_styled=is_styled))
    if in_fence:
        lines.append("```")
    return "\n".join(lines)


# From XMPP


def _from_line(line: str, *, is_styled: bool) -> str:
    quote = re.match(r"(?:> ?){0,3}", line)
    depth = quote[0] if quote is not None and is_styled else ""
    rest = line[len(depth) :]
    plain = _escaped(rest)
    if is_styled:
        styled = _styled(rest)
        # What cannot be said in marks is said without: nothing that people read may change.
        if plain_text(styled) == plain_text(_unstyled(rest)):
            return depth + styled
    return depth + plain


def _styled(text: str) -> str:
    return _replaced(text, _MARKS)


def _unstyled(text: str) -> str:
    return _replaced(text, dict.fromkeys(_MARKS, ""))


def _replaced(text: str, marks: dict[str, str]) -> str:
    found: list[str] = []
    at = 0
    for span in _SPAN.finditer(text):
        sign, inside = span[1], span[2]
        found.append(_escaped(text[at : span.start()]))
        at = span.end()
        if sign == "`":
            inner = inside if marks[sign] else _escaped(inside)
        else:
            inner = _replaced(inside, marks)
        found.append(f"{marks[sign]}{inner}{marks[sign]}")
    found.append(_escaped(text[at:]))
    return "".join(found)


def _escaped(text: str) -> str:
    escaped = _ESCAPED.sub(lambda found: "\\" + found[0], text)
    return re.sub(r"^(?=>)", r"\\", escaped)


# To XMPP


def _block_lines(blocks: Iterable[Block], before: str = "") -> list[str]:
    lines: list[str] = []
    for block in blocks:
        match block:
            case Paragraph(children):
                lines += [before + line for line in _inline(children).split("\n")]
            case Quote(children):
                lines += _block_lines(children, f"{before}> ")
            case Fence(text, _):
                lines += [f"{before}```", *(before + one for one in text.split("\n"))]
                lines.append(f"{before}```")
    return lines


def _inline(nodes: Iterable[Inline]) -> str:
    written: list[str] = []
    for node in nodes:
        match node:
            case Text(text):
                written.append(text)
            case Mark(kind, children):
                inner = _inline(children)
                sign = _SIGNS[kind]
                # A span is one line's, and begins and ends with something else than a blank.
                is_span = inner.strip() == inner and "\n" not in inner and sign not in inner
                written.append(f"{sign}{inner}{sign}" if inner and is_span else inner)
            case Code(text):
                written.append(f"`{text}`" if "`" not in text and text.strip() == text else text)
            case Link(url, children):
                label = _inline(children)
                written.append(url if label in {"", url} else f"{label} ( {url} )")
            case Mention(nick):
                written.append(f"@{nick}")
            case Break():
                written.append("\n")
    return "".join(written)
