"""A terminal as the place where lines end up: in colour, for somebody who watches."""

import logging
import time
from collections.abc import Sequence

from rich.console import Console
from rich.highlighter import ReprHighlighter
from rich.text import Text

from hubbub.log.sinks import formatted


class TerminalSink:
    """Writes lines in colour for somebody who watches: the time of day, level, message."""

    def __init__(self, console: Console, formatter: logging.Formatter) -> None:
        self._console = console
        self._formatter = formatter
        self._highlighter = ReprHighlighter()

    def write(self, records: Sequence[logging.LogRecord]) -> None:
        """Writes some lines."""
        for record in records:
            self._console.print(self._line(record), soft_wrap=True)

    def _line(self, record: logging.LogRecord) -> Text:
        first, *more = formatted(self._formatter, record).split("\n")
        level = record.levelname.lower()
        line = Text.assemble(
            (time.strftime("%H:%M:%S ", time.localtime(record.created)), "log.time"),
            (f"{level:<8} ", f"logging.level.{level}"),
            (f"{record.name} " if record.name != "hubbub" else "", "dim"),
            self._highlighter(Text(first)),
        )
        for one in more:
            line.append("\n" + one, "dim")
        return line
