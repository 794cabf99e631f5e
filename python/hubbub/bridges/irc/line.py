"""IRC's lines: bytes to `Line` and back, with tags (RFC 1459 §2.3.1, IRCv3 message-tags; pure).

What is written is always one line: whatever would end it early, or begin another, is refused.
Lines are cut out of a stream by `cutting`; what they mean is somebody else's to know.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from hubbub.errors import HubbubError, Misuse

LINE_LIMIT_BYTES = 512
"""A line without its tags, with CR LF."""

CLIENT_TAGS_LIMIT_BYTES = 4094
"""The tags of a client's line, without `@` and blank."""

TAGS_LIMIT_BYTES = 8191
"""All tags of a line, with `@` and blank."""

_COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}")
_TAG_KEY = re.compile(r"\+?(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")
_ESCAPES = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
_ESCAPED = {written[1]: meant for meant, written in _ESCAPES.items()}
_FORBIDDEN = re.compile(r"[\r\n\0]")


class BadLine(HubbubError, ValueError):
    """This is no line of IRC.

    Attributes:
        reason: What is wrong with it.
        command: What stands where a command would; empty: nothing does.
        tags: The tags before it.
    """

    def __init__(
        self, reason: str, command: str = "", tags: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.command = command
        self.tags = tags or {}


@dataclass(frozen=True)
class Line:
    """One line.

    The last parameter is one like the others, however it was written.
    """

    command: str
    """In upper case, or three digits."""

    params: tuple[str, ...] = ()
    source: str = ""
    """Who says it: "nick!user@host" or a server; empty from a client."""

    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Keys as they are written, "+" included; of a line that was read, none that is no key."""

    def param(self, index: int, default: str = "") -> str:
        """A parameter, or the default if there are fewer."""
        return self.params[index] if index < len(self.params) else default


def parse(raw: bytes | str) -> Line:
    """Reads one line, with or without its end.

    Bytes that are no UTF-8 become U+FFFD: see `is_utf8`, for who would rather refuse them.

    Raises:
        BadLine: It is none.
    """
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
    text = text.removesuffix("\n").removesuffix("\r")
    if found := _FORBIDDEN.search(text):
        raise BadLine(f"forbidden character: {found[0]!r}")
    tags: dict[str, str] = {}
    if text.startswith("@"):
        written, _, text = text[1:].partition(" ")
        tags = _tags(written)
    text = text.lstrip(" ")
    source = ""
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
        text = text.lstrip(" ")
    command, _, rest = text.partition(" ")
    if not _COMMAND.fullmatch(command):
        reason = f"not a command: {command[:40]!r}" if command else "no command"
        raise BadLine(reason, command, tags)
    return Line(command.upper(), _params(rest), source, tags)


def is_utf8(raw: bytes) -> bool:
    """Whether a line is the text that it will be read as."""
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def encode(line: Line) -> bytes:
    """Writes one line, without its end.

    Raises:
        Misuse: It would be none, or more than one, or longer than a line may be.
    """
    body = _body(line)
    if len(body) > LINE_LIMIT_BYTES - 2:
        raise Misuse(f"a line has at most {LINE_LIMIT_BYTES} bytes: {len(body) + 2}")
    if not line.tags:
        return body
    tags = _written_tags(line.tags)
    if len(tags) > TAGS_LIMIT_BYTES:
        raise Misuse(f"tags have at most {TAGS_LIMIT_BYTES} bytes: {len(tags)}")
    return tags + body


def fitted(line: Line) -> Line:
    """The line, with its last parameter cut between characters if it is too long to be written.

    Text that somebody said is not cut but split, before: see `splitting`.
    """
    surplus = len(_body(line)) - (LINE_LIMIT_BYTES - 2)
    if surplus <= 0 or not line.params:
        return line
    last = line.params[-1].encode()
    cut = last[: max(0, len(last) - surplus)].decode("utf-8", "ignore")
    return Line(line.command, (*line.params[:-1], cut), line.source, line.tags)


def room_for_text(source: str, command: str, *params: str) -> int:
    """How many bytes are left for the last parameter of such a line."""
    return LINE_LIMIT_BYTES - 2 - len(_body(Line(command, (*params, ""), source)))


def _params(rest: str) -> tuple[str, ...]:
    params: list[str] = []
    rest = rest.lstrip(" ")
    while rest:
        if rest.startswith(":"):
            params.append(rest[1:])
            break
        param, _, rest = rest.partition(" ")
        params.append(param)
        rest = rest.lstrip(" ")
    return tuple(params)


def _tags(written: str) -> dict[str, str]:
    # "If there is a duplicate key, the last one is used."
    found: dict[str, str] = {}
    for one in written.split(";"):
        key, _, value = one.partition("=")
        # What is no key could not be told on: nobody would be told the line that bears it.
        if _TAG_KEY.fullmatch(key):
            found[key] = unescape(value)
    return found


def unescape(value: str) -> str:
    """The value of a tag, as it was meant."""
    if "\\" not in value:
        return value
    meant: list[str] = []
    characters = iter(value)
    for character in characters:
        if character != "\\":
            meant.append(character)
        elif after := next(characters, ""):
            # An escape that is none loses its backslash; a lone one at the end is nothing.
            meant.append(_ESCAPED.get(after, after))
    return "".join(meant)


def escape(value: str) -> str:
    """The value of a tag, as it is written."""
    return "".join(_ESCAPES.get(character, character) for character in value)


def _written_tags(tags: Mapping[str, str]) -> bytes:
    written: list[str] = []
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key):
            raise Misuse(f"not the key of a tag: {key[:40]!r}")
        if "\0" in value:
            raise Misuse(f"a tag cannot have a NUL: {key}")
        written.append(f"{key}={escape(value)}" if value else key)
    return f"@{';'.join(written)} ".encode()


def _body(line: Line) -> bytes:
    if not _COMMAND.fullmatch(line.command):
        raise Misuse(f"not a command: {line.command[:40]!r}")
    *middle, last = line.params or ("",)
    parts = [line.command.upper()]
    for param in middle:
        if not param or " " in param or param.startswith(":"):
            raise Misuse(f"only the last parameter may be so: {param[:40]!r}")
        parts.append(param)
    if line.params:
        is_plain = last and " " not in last and not last.startswith(":")
        parts.append(last if is_plain else f":{last}")
    if line.source:
        if " " in line.source:
            raise Misuse(f"not a source: {line.source[:40]!r}")
        parts.insert(0, f":{line.source}")
    text = " ".join(parts)
    if found := _FORBIDDEN.search(text):
        raise Misuse(f"a line cannot have a {found[0]!r}")
    return text.encode("utf-8", "replace")
