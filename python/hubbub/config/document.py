"""A TOML document (https://toml.io): its values, and the line each of them stands in (pure).

`tomllib` reads the values and decides what is TOML; it keeps no positions. So the text is walked
once more for them, by a scanner that may rely on the text being well-formed.
"""

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias, cast

Scalar: TypeAlias = str | int | float | datetime.date | datetime.time
"""A value without parts."""

Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"
"""Whatever TOML can say."""

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: ("listen", 0, "tls", "cert")."""


def dotted(path: Path) -> str:
    """A path as people write it: "listen.0.tls.cert"."""
    return ".".join(str(part) for part in path)


@dataclass(frozen=True)
class Document:
    """What a text says, and where it says it."""

    values: dict[str, Value]
    """The values, as `tomllib` gives them."""

    lines: Mapping[Path, int]
    """The line in which each key, or each item of a list, begins; the first is 1."""


class Malformed(ValueError):
    """A text is not TOML.

    Attributes:
        line: Where reading ended; 0, if that is not known.
        column: Likewise.
    """

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def read(text: str) -> Document:
    """Reads a document.

    Raises:
        Malformed: It is not TOML; with what was expected, and where.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _malformed(text, str(error)) from None
    except RecursionError:
        raise Malformed("nested too deeply", 0, 0) from None
    return Document(values, _Scanner(text).run())


def key_path(text: str) -> tuple[str, ...]:
    """The parts of a dotted key: 'log.levels."hubbub.tls"' has three.

    Raises:
        ValueError: It is no key.
    """
    try:
        if "\n" in text or "=" in text:
            raise ValueError
        table: Value = tomllib.loads(f"{text} = 0")
    except ValueError:
        raise ValueError(f'expected a key such as "server.threads": found "{text}"') from None
    parts: list[str] = []
    while isinstance(table, dict):
        ((part, table),) = table.items()
        parts.append(part)
    return tuple(parts)


def literal(text: str) -> Value:
    """The value that a text is in TOML.

    Raises:
        ValueError: It is none.
    """
    # A line feed could begin another key.
    if "\n" in text:
        raise ValueError("more than one line")
    return cast("Value", tomllib.loads(f"value = {text}")["value"])


_EXPECTED = (
    ("Cannot overwrite a value", "this key was given before"),
    ("Cannot declare", "this section was begun before, or its name is a key's"),
    ("Cannot mutate immutable namespace", "a table in braces cannot be added to"),
    ("Cannot redefine namespace", "this key was given before"),
    ("Duplicate inline table key", "this key was given before"),
    ("Expected '='", 'expected "=" after the key'),
    ("Expected ']'", 'expected "]" after the name of a section'),
    ("Found invalid character", "expected no control characters"),
    ("Illegal character '\\n'", "expected a quotation mark before the end of the line"),
    ("Illegal character", "expected no control characters in a text"),
    ("Invalid date or datetime", "expected a date that exists"),
    ("Invalid initial character for a key", "expected a key: letters, digits, - and _, or quotes"),
    ("Invalid statement", "expected key = value, or [section]"),
    ("Invalid value", 'expected a value: a text in "quotes", a number, true, false, […] or {…}'),
    ("Unclosed array", 'expected "]" at the end of the list, or "," before its next item'),
    ("Unclosed inline table", 'expected "}" at the end of the table, or "," before its next key'),
    ("Unescaped", 'expected an escape such as "\\\\" for a backslash'),
    (
        "Expected newline or end of document",
        'expected the end of the line: texts such as "1MiB" stand in quotes',
    ),
    ("Unterminated string", "expected a quotation mark at the end of the text"),
)
"""How `tomllib` begins what it says, and the same for those who have never heard of it."""

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def _malformed(text: str, told: str) -> Malformed:
    place = _PLACE.search(told)
    bare = told[: place.start()] if place else told
    message = next((ours for theirs, ours in _EXPECTED if bare.startswith(theirs)), None)
    if message is None:
        message = bare[:1].lower() + bare[1:]
    if place is None:
        return Malformed(message, 0, 0)
    if place[1] is None:
        lines = text.rstrip("\n").split("\n")
        return Malformed(message, len(lines), len(lines[-1]) + 1)
    return Malformed(message, int(place[1]), int(place[2]))


_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLAIN = re.compile(r"[^,\]}#\r\n]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\]|\\.)*"'
    r"|'[^']*'",
    re.DOTALL,
)


class _Scanner:
    """Walks a well-formed text, and writes down where its keys and items are."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lines: dict[Path, int] = {}
        # How often the header of each list of tables has come.
        self._counts: dict[Path, int] = {}

    def run(self) -> dict[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text.startswith("[[", self._at):
                table = self._header(2)
            elif self._text[self._at] == "[":
                table = self._header(1)
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self, brackets: int) -> Path:
        line = self._now()
        self._at += brackets
        path: Path = ()
        parts = self._key()
        for index, part in enumerate(parts):
            path += (part,)
            self._lines.setdefault(path, line)
            is_last = index == len(parts) - 1
            if brackets == 2 and is_last:
                self._counts[path] = self._counts.get(path, 0) + 1
            if path in self._counts:
                # What stands below a list of tables belongs to the last of them.
                path += (self._counts[path] - 1,)
                self._lines.setdefault(path, line)
        self._at += brackets
        return path

    def _pair(self, table: Path) -> None:
        line = self._now()
        path = table
        for part in self._key():
            path += (part,)
            self._lines.setdefault(path, line)
        self._at += 1
        self._skip(_SPACE)
        self._value(path)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            if self._text[self._at] in "\"'":
                quoted = self._take(_STRING)
                parts.append(str(literal(quoted)))
            else:
                parts.append(self._take(_BARE_KEY))
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return parts
            self._at += 1

    def _value(self, path: Path) -> None:
        first = self._text[self._at]
        if first in "\"'":
            self._take(_STRING)
        elif first == "[":
            self._list(path)
        elif first == "{":
            self._inline_table(path)
        else:
            self._take(_PLAIN)

    def _list(self, path: Path) -> None:
        self._at += 1
        self._skip(_BLANK)
        index = 0
        while self._text[self._at] != "]":
            item = (*path, index)
            self._lines[item] = self._now()
            self._value(item)
            index += 1
            self._next()
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        self._skip(_BLANK)
        while self._text[self._at] != "}":
            self._pair(path)
            self._next()
        self._at += 1

    def _next(self) -> None:
        """Over the comma, if there is one."""
        self._skip(_BLANK)
        if self._text[self._at] == ",":
            self._at += 1
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self._text, self._at)
        assert found is not None  # noqa: S101 - these patterns match nothing, too
        self._at = found.end()

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        assert found is not None  # noqa: S101 - tomllib has accepted the text
        self._at = found.end()
        return found[0]

    def _now(self) -> int:
        """The line here. Counted onward from where it was last asked."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line
