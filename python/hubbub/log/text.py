"""A record as one line of text; a traceback follows, indented (pure)."""

import logging
from types import TracebackType

from hubbub.log.escape import block, escaped
from hubbub.log.redaction import redacted

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
"""What a line of text consists of."""


class EscapingFormatter(logging.Formatter):
    """Formats a record in one line without control characters and without secrets.

    So nobody who is quoted in a line, or in an exception, can begin one.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line, escaped: applications log what they were sent, too."""
        record.message = redacted(record.message)
        return escaped(super().formatMessage(record))

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802
        """The traceback, escaped: exceptions quote what they choked on."""
        return block(redacted(super().formatException(ei)))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802
        """The stack, in the same way."""
        return block(redacted(super().formatStack(stack_info)))
