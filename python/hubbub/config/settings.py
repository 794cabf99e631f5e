"""The settings of a server, each declared once: name, unit, default, a sentence.

The engine, the command line and the reference page read them from here (see `reference`).
The defaults are safe with an empty configuration: every buffer and every phase has an end.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from hubbub.config.units import duration_s, size_bytes

Compression = Literal["off", "shared", "dedicated"]
"""How permessage-deflate (RFC 7692) keeps its windows."""

_PYTHON_ONLY = ("blocked_warning_s", "shutdown_timeout_s")

COMPRESSIONS: tuple[str, ...] = ("off", "shared", "dedicated")

THREADS_MAX = 63
"""A connection's number has six bits for its thread, and the event loop's own takes one value."""


def _flag(default: Any, flag: str) -> Any:
    """A field whose command line flag is spelled as uvicorn spells it."""
    return field(default=default, metadata={"flag": flag})


@dataclass(frozen=True)
class ServerSettings:
    """Limits, deadlines and compression of one server.

    A field's unit is the end of its name: `_bytes`, `_s` (seconds), none for counts and words.
    """

    threads: int = 1
    """Threads that serve sockets; 1: the event loop's own; "auto": one for each processor."""

    request_line_limit_bytes: int = 8_192
    """Longest request line; a longer one is answered with 414."""

    head_limit_bytes: int = 16_384
    """Longest request head; a longer one is answered with 431."""

    field_limit: int = 100
    """Most header fields in a request."""

    head_timeout_s: float = 10.0
    """When a request head must be complete, from the connection's first moment."""

    body_limit_bytes: int = 1_048_576
    """Longest request body; a longer one is answered with 413."""

    body_timeout_s: float = 30.0
    """When a request body must be complete, from the end of its head."""

    message_limit_bytes: int = _flag(1_048_576, "--ws-max-size")
    """Longest WebSocket message, after inflating; a longer one ends the connection with 1009."""

    message_timeout_s: float = 30.0
    """When a message must be complete, from its first byte."""

    close_timeout_s: float = 5.0
    """How long the answer to a close frame is waited for."""

    ping_interval_s: float = _flag(20.0, "--ws-ping-interval")
    """Silence after which a peer is pinged; 0: never."""

    ping_timeout_s: float = _flag(20.0, "--ws-ping-timeout")
    """How long a pinged peer may stay silent before its connection is given up."""

    idle_timeout_s: float = 0.0
    """Time without a message after which a WebSocket is closed; 0: never."""

    keep_alive_timeout_s: float = _flag(75.0, "--timeout-keep-alive")
    """How long an HTTP connection waits for its next request."""

    outbox_limit_bytes: int = 1_048_576
    """How much may wait for one slow peer before its messages are refused."""

    outbox_low_bytes: int = 65_536
    """How far an outbox must drain before a waiting sender goes on."""

    receive_queue_limit_bytes: int = 262_144
    """How much may wait for a handler of one connection before its socket is no longer read."""

    receive_queue_limit: int = _flag(1024, "--ws-max-queue")
    """How many messages may wait for a handler of one connection."""

    held_limit_bytes: int = 0
    """How much all connections together may hold; 0: a quarter of the memory."""

    connection_limit: int = _flag(0, "--limit-concurrency")
    """Most connections at a time; 0: as many as there are descriptors."""

    compression: Compression = "shared"
    """permessage-deflate: "off"; "shared", no memory per connection; "dedicated", a window each."""

    compression_window_bits: int = 12
    """Size of a dedicated window, as a power of two: 9 to 15."""

    compression_minimum_bytes: int = 128
    """Shorter messages go uncompressed."""

    compression_level: int = 1
    """How hard to compress: 1, fast, to 9, small."""

    blocked_warning_s: float = 0.5
    """How long a handler may block the event loop before the log names it; 0: for ever."""

    shutdown_timeout_s: float = _flag(10.0, "--timeout-graceful-shutdown")
    """How long a closing server waits for its connections and handlers to end."""

    def __post_init__(self) -> None:
        """Refuses what no server can run with.

        Raises:
            ValueError: With the setting's name and what was expected.
        """
        for setting in fields(self):
            value = getattr(self, setting.name)
            if setting.type in (int, float) and not 0 <= value < float("inf"):
                raise ValueError(f"{setting.name}: expected a number from 0: {value}")
        if not 1 <= self.threads <= THREADS_MAX:
            raise ValueError(f"threads: expected 1 to {THREADS_MAX}: {self.threads}")
        if self.compression not in COMPRESSIONS:
            expected = ", ".join(COMPRESSIONS)
            raise ValueError(f"compression: expected one of {expected}: {self.compression}")
        if not 9 <= self.compression_window_bits <= 15:
            raise ValueError(
                f"compression_window_bits: expected 9 to 15: {self.compression_window_bits}"
            )
        if not 1 <= self.compression_level <= 9:
            raise ValueError(f"compression_level: expected 1 to 9: {self.compression_level}")
        if self.outbox_low_bytes > self.outbox_limit_bytes:
            raise ValueError(
                f"outbox_low_bytes: expected at most outbox_limit_bytes: {self.outbox_low_bytes}"
            )

    @classmethod
    def parse(cls, values: Mapping[str, str | int | float]) -> "ServerSettings":
        """Settings from what people wrote: sizes such as "1MiB", durations such as "30s".

        Raises:
            ValueError: With the setting's name and what was expected.
        """
        known = {setting.name: setting.type for setting in fields(cls)}
        parsed: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"no such setting: {name}")
            try:
                parsed[name] = parse_value(name, known[name], value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cls(**parsed)

    def native(self) -> dict[str, int | float | str | bool]:
        """What the engine is told: all but what only the Python side acts upon."""
        told = {setting.name: getattr(self, setting.name) for setting in fields(self)}
        for ours in _PYTHON_ONLY:
            del told[ours]
        if self.held_limit_bytes == 0:
            del told["held_limit_bytes"]
        return told


def processors() -> int:
    """How many processors this process may run on."""
    return len(os.sched_getaffinity(0))


def parse_value(name: str, kind: object, value: str | int | float) -> int | float | str:
    """One setting from its text, by the unit its name ends with.

    Raises:
        ValueError: The text is not of that unit.
    """
    if name == "threads" and value == "auto":
        return min(processors(), THREADS_MAX)
    if name.endswith("_s"):
        return duration_s(value)
    if name.endswith("_bytes"):
        return size_bytes(value if isinstance(value, str) else int(value))
    if kind is int:
        try:
            return int(value)
        except ValueError:
            raise ValueError(f"expected a whole number: {value!r}") from None
    return str(value)
