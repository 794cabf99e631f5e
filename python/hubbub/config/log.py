"""What is logged, as it is declared; writing it is `hubbub.log`'s."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hubbub.config.declare import setting

LogLevel = Literal["debug", "info", "warning", "error", "critical"]
"""What is worth a line."""

LogFormat = Literal["auto", "text", "json"]
"""How lines look; "auto": coloured text on a terminal, JSON elsewhere."""


@dataclass(frozen=True)
class LogSettings:
    """What is logged, and how it looks."""

    level: LogLevel = "info"
    """What is worth a line: "debug", "info", "warning", "error" or "critical"."""

    format: LogFormat = "auto"
    """How lines look: "text", "json" or "auto", which is text on a terminal and JSON elsewhere."""

    access: bool = False
    """Whether a line is written for each request, and for each WebSocket that opens and closes."""

    levels: Mapping[str, LogLevel] = setting(factory=dict, hint='{ "hubbub.tls" = "debug" }')
    """Other levels for single loggers, such as `levels = { "hubbub.tls" = "debug" }`."""
