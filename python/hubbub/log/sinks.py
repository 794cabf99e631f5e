"""A stream as the place where lines end up; a terminal in colour is in `terminal`."""

import logging
from collections.abc import Sequence
from typing import IO


class StreamSink:
    """Writes lines to a stream, many at once."""

    def __init__(self, stream: IO[str], formatter: logging.Formatter) -> None:
        self._stream = stream
        self._formatter = formatter

    def write(self, records: Sequence[logging.LogRecord]) -> None:
        """Writes some lines.

        Raises:
            OSError: The stream takes none.
        """
        lines = [formatted(self._formatter, record) for record in records]
        self._stream.write("\n".join(lines) + "\n")
        self._stream.flush()


def formatted(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    """The line of a record; what cannot be formatted says so itself."""
    try:
        return formatter.format(record)
    except Exception as error:  # noqa: BLE001 - an argument's own `__str__` may raise anything
        text = f"a line of {record.name} cannot be formatted: {type(error).__name__}"
        told = logging.LogRecord("hubbub", logging.ERROR, __file__, 0, text, (), None)
        return formatter.format(told)
