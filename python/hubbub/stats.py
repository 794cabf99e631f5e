"""What a server has counted: an immutable record of counters and gauges (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Stats:
    """Counters since the start, and gauges of the moment; of one engine, clients included."""

    connections: int
    """Connections open now."""

    held_bytes: int
    """Bytes held for all of them now."""

    accepted: int
    """Connections accepted."""

    closed: int
    """Connections gone."""

    refused: int
    """Connections refused for want of descriptors or by the connection limit."""

    accept_pauses: int
    """Times the listener was paused for want of descriptors."""

    requests: int
    """HTTP requests handed to the application."""

    bad_requests: int
    """Requests answered with an error by the server itself."""

    answers_cut: int
    """Answers that broke off in the middle, and their connections with them."""

    upgraded: int
    """Handshakes that became WebSockets."""

    messages_in: int
    """Messages received."""

    bytes_in: int
    """Bytes received."""

    messages_out: int
    """Messages queued for sending, each delivery of a publication counted."""

    bytes_out: int
    """Bytes sent."""

    dropped: int
    """Messages refused or discarded because a peer read too slowly."""

    conflated: int
    """Messages replaced by a newer one of the same key."""

    slow_closed: int
    """Peers closed because they read too slowly."""

    violations: int
    """Peers closed because they broke the protocol."""

    timeouts: int
    """Peers that missed a deadline."""

    over_budget: int
    """Connections closed because all held bytes exceeded the budget."""

    pings_merged: int
    """Pings answered with a later pong only."""

    tls_handshakes: int
    """TLS handshakes completed."""

    tls_resumed: int
    """Of these, sessions resumed by a ticket."""

    tls_failures: int
    """TLS handshakes that failed: no TLS, nothing in common, an unknown certificate, too slow."""

    panics: int
    """Panics caught; each closed one connection."""

    @classmethod
    def of(cls, counted: Mapping[str, int]) -> "Stats":
        """The record of what an engine tells."""
        return cls(**{field.name: counted[field.name] for field in fields(cls)})
