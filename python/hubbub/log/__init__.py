"""Logging: the loggers, what may stand in a line, how lines look and how they leave.

Names: `hubbub` for what happens to the server, `hubbub.access` for who comes and goes,
`hubbub.app.NAME` for each application module. All are the standard library's; `configure` is only
for programs that are Hubbub's alone, so whoever embeds it keeps their own handlers.
"""

from hubbub.log.escape import printable
from hubbub.log.lines import JsonFormatter
from hubbub.log.names import access, app_logger, logger
from hubbub.log.redaction import redacted, redacted_query
from hubbub.log.setup import configure, flush, lines_lost
from hubbub.log.text import EscapingFormatter

__all__ = [
    "EscapingFormatter",
    "JsonFormatter",
    "access",
    "app_logger",
    "configure",
    "flush",
    "lines_lost",
    "logger",
    "printable",
    "redacted",
    "redacted_query",
]
