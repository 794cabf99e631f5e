"""Logging: the loggers, what may stand in a line, and how lines look.

Names: `hubbub` for what happens to the server, `hubbub.access` for who comes and goes. What comes
from the network is escaped before it reaches a terminal or a file (`printable`).
"""

import logging
import re
import sys
from types import TracebackType

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

logger = logging.getLogger("hubbub")
access = logging.getLogger("hubbub.access")

# C0 and C1 controls, DEL, line separators, bidirectional overrides, surrogates: whatever moves the
# cursor, breaks a line or reorders text.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_LIMIT = 512


def printable(value: str) -> str:
    r"""A text from the network, safe in a log line: "a\nb" with a real line feed becomes "a\x0ab".

    Cut after 512 characters.
    """
    if len(value) > _LIMIT:
        value = value[:_LIMIT] + "…"
    return _UNPRINTABLE.sub(_escape, value)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


class EscapingFormatter(logging.Formatter):
    """Formats a record in one line without control characters; a traceback follows, indented.

    So nobody who is quoted in a line, or in an exception, can begin one.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, escaped: applications log what they were sent, too."""
        return _UNPRINTABLE.sub(_escape, super().formatMessage(record))

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802
        """The traceback, escaped: exceptions quote what they choked on."""
        return _block(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """The stack, in the same way."""
        return _block(super().formatStack(stack_info))


def _block(text: str) -> str:
    return "\n".join("  " + _UNPRINTABLE.sub(_escape, line) for line in text.split("\n"))


def configure(level: str = "info", *, access_log: bool = False) -> None:
    """Shows the log on stderr: coloured on a terminal, plain lines elsewhere.

    Args:
        level: "debug", "info", "warning", "error" or "critical".
        access_log: Whether `hubbub.access` speaks.
    """
    handler: logging.Handler
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.logging import RichHandler

        handler = RichHandler(console=Console(stderr=True), show_path=False, markup=False)
        handler.setFormatter(EscapingFormatter("%(message)s", datefmt="%X"))
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(EscapingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    access.setLevel(logging.INFO if access_log else logging.WARNING)
