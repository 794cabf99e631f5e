"""What a stranger wrote, made safe to look at (pure)."""

import re

# C0 and C1 controls, DEL, line separators, bidirectional overrides, surrogates: whatever moves the
# cursor, breaks a line or reorders text.
UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LIMIT = 512


def printable(value: str) -> str:
    r"""A text from the network, safe in a log line: "a\nb" with a real line feed becomes "a\x0ab".

    Cut after 512 characters.
    """
    if len(value) > _LIMIT:
        value = value[:_LIMIT] + "…"
    return escaped(value)


def escaped(text: str) -> str:
    """The whole text in one line, without control characters."""
    return UNPRINTABLE.sub(_escape, text)


def block(text: str) -> str:
    """The same for several lines; indented, so that nobody who is quoted can begin a log line."""
    return "\n".join("  " + escaped(line) for line in text.split("\n"))


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"
