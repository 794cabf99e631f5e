"""What the text of a chat message means: a safe subset of Markdown, read to nodes (pure).

Nothing in a text can become markup of another kind: what is none of the nodes below is text. Pages
read the same format in TypeScript; `tests/vectors/markup.json` says what each text means to
both. The time it takes grows with the length of the text alone.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Marked = Literal["strong", "emphasis", "struck"]


@dataclass(frozen=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True)
class Mark:
    """Words that are marked."""

    kind: Marked
    children: "tuple[Inline, ...]"


@dataclass(frozen=True)
class Code:
    """A piece of code within a line."""

    text: str


@dataclass(frozen=True)
class Link:
    """An address on the web."""

    url: str
    children: "tuple[Inline, ...]"


@dataclass(frozen=True)
class Mention:
    """Somebody's nick."""

    nick: str


@dataclass(frozen=True)
class Break:
    """The end of a line."""


Inline = Text | Mark | Code | Link | Mention | Break


@dataclass(frozen=True)
class Paragraph:
    """Lines."""

    children: tuple[Inline, ...]


@dataclass(frozen=True)
class Quote:
    """What somebody else has said."""

    children: "tuple[Block, ...]"


@dataclass(frozen=True)
class Fence:
    """Lines of code."""

    text: str
    language: str


Block = Paragraph | Quote | Fence

_QUOTE_DEPTH_LIMIT = 3
_NESTING_LIMIT = 6
# Blanks, written out: what languages call one differs, and all readers must find the same.
_SPACE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_SPACES = re.compile(rf"[{_SPACE}]+")
_BLANK = re.compile(rf"[{_SPACE}]*")
_FENCE = re.compile(rf"```([\w+#.-]{{0,20}})[{_SPACE}]*", re.ASCII)
_FENCE_END = re.compile(rf"```[{_SPACE}]*")
_MARKS: tuple[tuple[str, Marked], ...] = (("**", "strong"), ("~~", "struck"), ("*", "emphasis"))
_URL = re.compile(rf"https?://[^{_SPACE}{_CONTROLS}<>\"`]+", re.IGNORECASE)
_ADDRESS = rf"[^{_SPACE}{_CONTROLS}()<>\"]*"
_LABEL_END = re.compile(rf"\]\((https?://{_ADDRESS}(?:\({_ADDRESS}\){_ADDRESS})*)\)", re.IGNORECASE)
_ESCAPABLE = frozenset("\\`*~[]()>@_#!.-")
_NICK_INNER = frozenset("_.'·-")
_NICK_LIMIT = 40
_CONTROL = re.compile(rf"[{_SPACE}{_CONTROLS}]")
_WORD = re.compile(r"[A-Za-z0-9]")


def parse(text: str) -> tuple[Block, ...]:
    """Reads a whole message."""
    return tuple(_blocks(re.sub(r"\r\n?", "\n", text).split("\n"), 0))


def parse_inline(text: str) -> tuple[Inline, ...]:
    """Reads a line, or several of one paragraph."""
    return _Scanner(text, 0, links=True).scan()


def _blocks(lines: list[str], depth: int) -> list[Block]:
    blocks: list[Block] = []
    paragraph: list[str] = []

    def flush() -> None:
        if paragraph:
            blocks.append(Paragraph(parse_inline("\n".join(paragraph))))
            paragraph.clear()

    at = 0
    while at < len(lines):
        line = lines[at]
        if fence := _FENCE.fullmatch(line):
            flush()
            end = at + 1
            while end < len(lines) and not _FENCE_END.fullmatch(lines[end]):
                end += 1
            blocks.append(Fence("\n".join(lines[at + 1 : end]), fence[1]))
            at = end
        elif line.startswith(">") and depth < _QUOTE_DEPTH_LIMIT:
            flush()
            end = at
            while end < len(lines) and lines[end].startswith(">"):
                end += 1
            quoted = [one[1:].removeprefix(" ") for one in lines[at:end]]
            blocks.append(Quote(tuple(_blocks(quoted, depth + 1))))
            at = end - 1
        elif _BLANK.fullmatch(line):
            flush()
        else:
            paragraph.append(line)
        at += 1
    flush()
    return blocks


class _Scanner:
    def __init__(self, text: str, depth: int, *, links: bool) -> None:
        self._text = text
        self._depth = depth
        self._links = links
        self._at = 0
        self._plain: list[str] = []
        self._found: list[Inline] = []
        # Marks that nothing further on closes: looked for once, or a row of them costs its square.
        self._hopeless: set[str] = set()

    def scan(self) -> tuple[Inline, ...]:
        while self._at < len(self._text):
            if not self._special():
                self._plain.append(self._text[self._at])
                self._at += 1
        self._flush()
        return tuple(self._found)

    def _special(self) -> bool:
        match self._text[self._at]:
            case "\n":
                return self._push(Break(), 1)
            case "\\":
                return self._escape()
            case "`":
                return self._code()
            case "*" | "~":
                return self._depth < _NESTING_LIMIT and any(
                    self._marked(mark, kind) for mark, kind in _MARKS
                )
            case "[":
                return self._links and self._labelled()
            case "h" | "H":
                return self._links and self._address()
            case "@":
                return self._mention()
            case _:
                return False

    def _push(self, node: Inline, length: int) -> bool:
        self._flush()
        self._found.append(node)
        self._at += length
        return True

    def _flush(self) -> None:
        if self._plain:
            self._found.append(Text("".join(self._plain)))
            self._plain.clear()

    def _character(self, at: int) -> str:
        return self._text[at] if 0 <= at < len(self._text) else ""

    def _escape(self) -> bool:
        after = self._character(self._at + 1)
        if not after or after not in _ESCAPABLE:
            return False
        self._plain.append(after)
        self._at += 2
        return True

    def _code(self) -> bool:
        ticks = 1
        while self._character(self._at + ticks) == "`":
            ticks += 1
        mark = "`" * ticks
        begin = self._at + ticks
        end = -1 if mark in self._hopeless else self._closing_ticks(mark, begin)
        if end < 0:
            self._hopeless.add(mark)
            self._plain.append(mark)
            self._at += ticks
            return True
        return self._push(Code(self._text[begin:end]), end + ticks - self._at)

    def _closing_ticks(self, mark: str, begin: int) -> int:
        """Where a mark stands alone, not as a part of a longer row."""
        end = self._text.find(mark, begin)
        while end >= 0:
            after = end
            while self._character(after) == "`":
                after += 1
            if after - end == len(mark) and end > begin:
                return end
            end = self._text.find(mark, after)
        return -1

    def _marked(self, mark: str, kind: Marked) -> bool:
        begin = self._at + len(mark)
        first = self._character(begin)
        if (
            not self._text.startswith(mark, self._at)
            or mark in self._hopeless
            or not first
            or _SPACES.match(first)
        ):
            return False
        # A single star between digits or letters is a star: 2*3*4.
        if mark == "*" and (_WORD.match(self._character(self._at - 1)) or first == "*"):
            return False
        end = self._mark_end(mark, begin)
        if end < 0:
            self._hopeless.add(mark)
            return False
        inner = _Scanner(self._text[begin:end], self._depth + 1, links=self._links)
        return self._push(Mark(kind, inner.scan()), end + len(mark) - self._at)

    def _mark_end(self, mark: str, begin: int) -> int:
        end = self._text.find(mark, begin)
        while end >= 0:
            before = self._character(end - 1)
            if end == begin or _SPACES.match(before) or before == "\\":
                end = self._text.find(mark, end + 1)
            elif mark == "*" and self._character(end + 1) == "*":
                # The beginning of a strong part inside, or its end.
                end = self._text.find(mark, end + 2)
            elif mark == "*" and _WORD.match(self._character(end + 1)):
                end = self._text.find(mark, end + 1)
            elif mark == "**" and self._character(end + 2) == "*":
                # Three in a row: the inner one closes what was opened last.
                return end + 1
            else:
                return end
        return -1

    def _labelled(self) -> bool:
        if "](" in self._hopeless:
            return False
        end = self._text.find("](", self._at + 1)
        if end < 0:
            self._hopeless.add("](")
            return False
        label = self._text[self._at + 1 : end]
        rest = _LABEL_END.match(self._text, end)
        if (
            rest is None
            or _BLANK.fullmatch(label)
            or any(one in label for one in "[]\n")
            or not is_web_address(rest[1])
        ):
            return False
        children = _Scanner(label, self._depth + 1, links=False).scan()
        return self._push(Link(rest[1], children), rest.end() - self._at)

    def _address(self) -> bool:
        if self._character(self._at - 1).isalnum():
            return False
        found = _URL.match(self._text, self._at)
        url = _trimmed(found[0]) if found else ""
        if not is_web_address(url):
            return False
        return self._push(Link(url, (Text(url),)), len(url))

    def _mention(self) -> bool:
        before = self._character(self._at - 1)
        if before and (before.isalnum() or before in "_@/"):
            return False
        nick = _nick(self._text[self._at + 1 : self._at + 1 + _NICK_LIMIT])
        return bool(nick) and self._push(Mention(nick), len(nick) + 1)


def _nick(text: str) -> str:
    """The nick that a text begins with: letters and digits, and within them some more."""
    if not (text[:1].isalnum() or text[:1] == "_"):
        return ""
    end = 1
    while end < len(text) and (
        text[end].isalnum() or text[end] in _NICK_INNER or _is_sign(text[end])
    ):
        end += 1
    return text[:end].rstrip(".'·-")


def _is_sign(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _trimmed(url: str) -> str:
    """Without what closes the sentence or the bracket round it, and without marks behind it."""
    surplus = url.count(")") - url.count("(")
    end = len(url)
    while end:
        last = url[end - 1]
        if last == ")" and surplus > 0:
            surplus -= 1
        elif last not in ".,;:!?'*~]}":
            break
        end -= 1
    return url[:end]


def is_web_address(address: str) -> bool:
    """Whether an address leads to the web and nowhere else."""
    if _CONTROL.search(address):
        return False
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and _has_port(parts.port)
    except ValueError:
        return False


def _has_port(port: int | None) -> bool:
    return port is None or 0 <= port <= 65_535


def plain_text(text: str) -> str:
    """The text as it would be read aloud: without marks, in one line."""
    return _SPACES.sub(" ", " ".join(map(_plain_block, parse(text)))).strip(" ")


def _plain_block(block: Block) -> str:
    match block:
        case Paragraph(children):
            return "".join(map(_plain, children))
        case Quote(children):
            return " ".join(map(_plain_block, children))
        case Fence(text, _):
            return text


def _plain(node: Inline) -> str:
    match node:
        case Text(text) | Code(text):
            return text
        case Mention(nick):
            return f"@{nick}"
        case Break():
            return " "
        case Mark(_, children) | Link(_, children):
            return "".join(map(_plain, children))
