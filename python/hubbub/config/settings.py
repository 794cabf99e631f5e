"""The settings of a server, each declared once: name, unit, default, a sentence.

The engine, the command line and the reference page read them from here (see `reference`).
The defaults are safe with an empty configuration: every buffer and every phase has an end.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import partial
from ipaddress import ip_network
from typing import Any, Literal

from hubbub.config import values
from hubbub.config.declare import setting
from hubbub.config.reference import describe
from hubbub.config.units import size_text

Compression = Literal["off", "shared", "dedicated"]
"""How permessage-deflate (RFC 7692) keeps its windows."""

RatePolicy = Literal["pause", "close"]
"""What happens to a peer that talks too fast."""

ProxyFields = Literal["x-forwarded", "forwarded"]
"""Which fields of a request name a proxy's client."""

DRY_RUNS = (
    "all",
    "connection_limit",
    "address_connection_limit",
    "handshake_rate",
    "address_handshake_rate",
    "message_rate",
    "byte_rate",
    "held_limit",
    "request_line_limit",
    "head_limit",
    "field_limit",
    "head_timeout",
    "message_limit",
    "message_timeout",
    "inflated_ratio",
    "outbox_limit",
)
"""The limits that can be tried without being enforced."""

_PYTHON_ONLY = (
    "blocked_warning_s",
    "drain_window_s",
    "handover_timeout_s",
    "pid_file",
    "shutdown_timeout_s",
    "upgrade_timeout_s",
)

THREADS_MAX = 63
"""A connection's number has six bits for its thread, and the event loop's own takes one value."""


def processors() -> int:
    """How many processors this process may run on, as far as there can be threads for them."""
    return min(len(os.sched_getaffinity(0)), THREADS_MAX)


SECTIONS = {
    "server": "The process as a whole.",
    "server.limits": "How much is enough, for one peer and for all together.",
    "server.websocket": "WebSocket (RFC 6455) and its compression (RFC 7692).",
    "server.http": "Deadlines of HTTP/1.1 (RFC 9112).",
}
"""The TOML sections that these settings are spread over, and what each is about."""

_server = partial(setting, section="server")
_limit = partial(setting, section="server.limits")
_websocket = partial(setting, section="server.websocket")
_http = partial(setting, section="server.http")


@dataclass(frozen=True)
class ServerSettings:
    """Limits, deadlines and compression of one server.

    A field's unit is the end of its name: `_bytes`, `_s` (seconds), none for counts and words.
    Flags are spelled as uvicorn spells them, where it has them.
    """

    threads: int = _server(1, between=(1, THREADS_MAX), auto=processors)
    """Threads that serve sockets; 1: the event loop's own; "auto": one for each processor."""

    blocked_warning_s: float = _server(0.1)
    """How long a handler may block the event loop before the log names it; 0: for ever."""

    drain_window_s: float = _server(10.0)
    """Over how long a closing server spreads the ends of WebSockets; 500 and fewer take 1 s."""

    shutdown_timeout_s: float = _server(10.0, flag="--timeout-graceful-shutdown")
    """How long a closing server waits after that for connections and handlers to end."""

    upgrade_timeout_s: float = _server(60.0)
    """How long a new process, or a new version of a module, may take to start."""

    handover_timeout_s: float = _server(5.0)
    """How long a reload waits for handlers of the old version before they go on beside the new."""

    pid_file: str = _server("", path="file", hint="/run/hubbub/hubbub.pid")
    """File that names the process that serves; if empty, none."""

    trusted_proxies: tuple[str, ...] = _server((), flag="--forwarded-allow-ips")
    """Proxies that are believed when they name their clients; "*": everybody."""

    proxy_headers: bool = setting(True, section="server")
    """Whether header fields of theirs are read; without it only a PROXY header names a client."""

    proxy_fields: ProxyFields = setting("x-forwarded", section="server")
    """Which ones: "x-forwarded" (`X-Forwarded-For` …) or "forwarded" (RFC 7239), never both."""

    connection_limit: int = _limit(0, flag="--limit-concurrency")
    """Most connections at a time; 0: as many as there are descriptors."""

    address_connection_limit: int = _limit(512)
    """Most connections of one address (IPv6: of one network of 64 bits); 0: no limit."""

    handshake_rate: int = _limit(5_000)
    """Handshakes per second in all, upgrades and TLS; beyond it 503; 0: no limit."""

    handshake_burst: int = _limit(10_000)
    """How many handshakes may come at once before their rate counts."""

    address_handshake_rate: int = _limit(100)
    """Handshakes per second of one address; beyond it 429; 0: no limit."""

    address_handshake_burst: int = _limit(500)
    """How many handshakes of one address may come at once."""

    message_rate: int = _limit(10_000)
    """Messages per second of one WebSocket, at most a second's worth at once; 0: no limit."""

    byte_rate_bytes: int = _limit(134_217_728)
    """Bytes per second of one WebSocket, at most a second's worth at once; 0: no limit."""

    rate_policy: RatePolicy = setting("pause", section="server.limits")
    """Beyond these rates: "pause", the peer is read no faster; "close", it is closed with 1008."""

    exempt_networks: tuple[str, ...] = _limit(("127.0.0.0/8", "::1", "unix"))
    """Peers for whom rates and limits per address do not hold: addresses, networks, "unix"."""

    dry_run: tuple[str, ...] = _limit(())
    """Limits that are only tried ("all": every one): counted and logged, nobody is refused."""

    held_limit_bytes: int = _limit(0)
    """How much all connections together may hold; 0: a quarter of the memory."""

    request_line_limit_bytes: int = _limit(8_192)
    """Longest request line; a longer one is answered with 414."""

    head_limit_bytes: int = _limit(16_384)
    """Longest request head; a longer one is answered with 431."""

    field_limit: int = _limit(100)
    """Most header fields in a request."""

    body_limit_bytes: int = _limit(1_048_576)
    """Longest request body; a longer one is answered with 413."""

    message_limit_bytes: int = _limit(1_048_576, flag="--ws-max-size")
    """Longest WebSocket message, after inflating; a longer one ends the connection with 1009."""

    inflated_ratio: int = _limit(200)
    """How many times as long a message of more than 1 MiB may become by inflating; 0: no limit."""

    outbox_limit_bytes: int = _limit(1_048_576)
    """How much may wait for one slow peer before its messages are refused."""

    outbox_low_bytes: int = _limit(65_536)
    """How far an outbox must drain before a waiting sender goes on."""

    receive_queue_limit_bytes: int = _limit(262_144)
    """How much may wait for a handler of one connection before its socket is no longer read."""

    receive_queue_message_limit: int = _limit(1024, flag="--ws-max-queue")
    """How many messages may wait for a handler of one connection."""

    message_timeout_s: float = _websocket(30.0)
    """When a message must be complete, from its first byte."""

    close_timeout_s: float = _websocket(5.0)
    """How long the answer to a close frame is waited for."""

    ping_interval_s: float = _websocket(20.0, flag="--ws-ping-interval")
    """Silence after which a peer is pinged; 0: never."""

    ping_timeout_s: float = _websocket(20.0, flag="--ws-ping-timeout")
    """How long a pinged peer may stay silent before its connection is given up."""

    idle_timeout_s: float = _websocket(0.0)
    """Time without a message after which a WebSocket is closed; 0: never."""

    compression: Compression = setting("shared", section="server.websocket")
    """permessage-deflate: "off"; "shared", no memory per connection; "dedicated", a window each."""

    compression_window_bits: int = _websocket(12, between=(9, 15))
    """Size of a dedicated window, as a power of two: 9 to 15."""

    compression_minimum_bytes: int = _websocket(128)
    """Shorter messages go uncompressed."""

    compression_level: int = _websocket(1, between=(1, 9))
    """How hard to compress: 1, fast, to 9, small."""

    head_timeout_s: float = _http(10.0)
    """When a request head must be complete, from the connection's first moment."""

    body_timeout_s: float = _http(30.0)
    """When a request body must be complete; of one that is streamed, the longest without a byte."""

    write_timeout_s: float = _http(30.0)
    """How long a client may leave an answer untaken before its connection is cut."""

    transfer_rate_bytes: int = _http(1024)
    """Slowest transfer of a streamed body, either way, in bytes per second."""

    keep_alive_timeout_s: float = _http(75.0, flag="--timeout-keep-alive")
    """How long an HTTP connection waits for its next request."""

    def __post_init__(self) -> None:
        """Refuses what no server can run with.

        Raises:
            ValueError: With the setting's name and what was expected.
        """
        for one in describe(type(self)):
            try:
                values.parse(one, getattr(self, one.name))
            except ValueError as error:
                raise ValueError(f"{one.name}: {error}") from None
        for word in self.dry_run:
            if word in (one.key for one in describe(type(self))) and word not in DRY_RUNS:
                raise ValueError(f"dry_run: {word} cannot be tried, only kept: see docs/limits.md")
            if word not in DRY_RUNS:
                raise ValueError(f"dry_run: expected some of {', '.join(DRY_RUNS)}: found {word}")
        for name in ("exempt_networks", "trusted_proxies"):
            for text in getattr(self, name):
                _check_network(name, text)
        if self.outbox_low_bytes > self.outbox_limit_bytes:
            limit = size_text(self.outbox_limit_bytes)
            raise ValueError(
                f"outbox_low_bytes: expected at most outbox_limit, which is {limit}: "
                f"found {size_text(self.outbox_low_bytes)}"
            )

    @classmethod
    def parse(cls, texts: Mapping[str, str | int | float]) -> "ServerSettings":
        """Settings from what people wrote: sizes such as "1MiB", durations such as "30s".

        Raises:
            ValueError: With the setting's name and what was expected.
        """
        known = {one.name: one for one in describe(cls)}
        parsed: dict[str, Any] = {}
        for name, value in texts.items():
            if name not in known:
                raise ValueError(f"no such setting: {name}")
            one = known[name]
            is_text = isinstance(value, str)
            raw = values.literal_of(one.kind, str(value)) if is_text else value
            try:
                parsed[name] = values.parse(one, raw)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        return cls(**parsed)

    def native(self) -> dict[str, int | float | str | tuple[str, ...]]:
        """What the engine is told: all but what only the Python side acts upon."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        for ours in _PYTHON_ONLY:
            del told[ours]
        fields_told = told.pop("proxy_fields")
        told["proxy_headers"] = fields_told if self.proxy_headers else "off"
        if self.held_limit_bytes == 0:
            del told["held_limit_bytes"]
        return told


def _check_network(name: str, text: str) -> None:
    if text in ("unix", "*"):
        return
    try:
        ip_network(text)
    except ValueError:
        expected = 'an address, a network such as 192.0.2.0/24, "unix" or "*"'
        raise ValueError(f"{name}: expected {expected}: found {text!r}") from None
