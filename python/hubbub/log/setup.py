"""Sets the log of a program up: which lines, in which form, on stderr."""

import logging
import sys

from hubbub.config import LogFormat, LogSettings
from hubbub.log.lines import JsonFormatter
from hubbub.log.names import access
from hubbub.log.relay import Relay, Sink
from hubbub.log.sinks import StreamSink
from hubbub.log.text import LINE, EscapingFormatter


def configure(settings: LogSettings) -> None:
    """Shows the log on stderr, written by a thread of its own. A second call replaces the first."""
    root = logging.getLogger()
    before = list(root.handlers)
    root.handlers[:] = [Relay(_sink(settings.format))]
    for one in before:
        if isinstance(one, Relay):
            one.close()
    root.setLevel(settings.level.upper())
    access.setLevel(logging.INFO if settings.access else logging.WARNING)
    for name, level in settings.levels.items():
        logging.getLogger(name).setLevel(level.upper())


def flush() -> None:
    """Waits until what was logged so far is written, so that what is printed next comes after."""
    for one in logging.getLogger().handlers:
        one.flush()


def lines_lost() -> int:
    """How many lines found no room since the log was set up."""
    return sum(one.lost for one in logging.getLogger().handlers if isinstance(one, Relay))


def _sink(form: LogFormat) -> Sink:
    if form == "auto" and sys.stderr.isatty():
        from rich.console import Console

        from hubbub.log.terminal import TerminalSink

        return TerminalSink(Console(stderr=True), EscapingFormatter("%(message)s"))
    formatter = EscapingFormatter(LINE) if form == "text" else JsonFormatter()
    return StreamSink(sys.stderr, formatter)
