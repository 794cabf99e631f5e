"""What a server and its hubs have counted: immutable records of counters and gauges (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Stats:
    """Counters since the start, and gauges of the moment; of one engine, clients included."""

    connections: int
    """Connections open now."""

    pressure: int
    """How close that is to the budget: 0, or the step that has been taken, 1 to 4."""

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

    over_connection_limit: int
    """Connections beyond the limit for all."""

    over_address_connection_limit: int
    """Connections beyond the limit for one address."""

    over_handshake_rate: int
    """Handshakes beyond the rate for all."""

    over_address_handshake_rate: int
    """Handshakes beyond the rate for one address."""

    over_message_rate: int
    """Times a connection sent more messages than its rate."""

    over_byte_rate: int
    """Times a connection sent more bytes than its rate."""

    over_request_line_limit: int
    """Requests whose line was too long."""

    over_head_limit: int
    """Requests whose head was too long."""

    over_field_limit: int
    """Requests with too many fields."""

    over_head_timeout: int
    """Request heads that took too long."""

    over_message_limit: int
    """Messages that were too long."""

    over_message_timeout: int
    """Messages that took too long."""

    over_inflated_ratio: int
    """Messages that became too many times as long by inflating."""

    over_outbox_limit: int
    """Messages that found the outbox of their peer full."""

    let_pass: int
    """Of all that was beyond a limit, what passed because the limit is only tried."""

    proxy_refused: int
    """Connections closed for a PROXY header that was none, or a stranger's."""

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

    memory_shrinks: int
    """Times buffers were shrunk because the held bytes came near the budget."""

    memory_squeezes: int
    """Times reading from the largest holders was to stop."""

    memory_closures: int
    """Times new requests were to be refused."""

    memory_sheds: int
    """Times the largest holders were to be closed."""

    memory_paused: int
    """Connections that were not read for a while because they held much."""

    memory_refused: int
    """Requests refused for want of memory."""

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


@dataclass(frozen=True)
class HubStats:
    """Gauges of the moment, and counters since the start, of one hub."""

    clients: int
    """Clients connected now."""

    users: int
    """Different users among them."""

    channels: int
    """Channels that are remembered."""

    held_bytes: int
    """Bytes that histories and presence take now."""

    streams_held_bytes: int
    """Bytes that wait for readers of streams (http_stream, sse) now."""

    histories_shrunk: int
    """Times a history had to forget because memory was short."""

    publications_forgotten: int
    """Publications that were forgotten for that."""

    full: int
    """Subscriptions refused because memory was full though nothing was left to forget."""

    over_rate: int
    """Commands refused because they came too fast (111)."""

    sent_away: int
    """Clients disconnected because they went on all the same (3013)."""

    over_user_connections: int
    """Clients refused because their user had too many (3504)."""

    denied: int
    """Commands that were not allowed (103)."""

    streams_dropped: int
    """Publications left out for slow readers of streams."""

    streams_conflated: int
    """Publications that a newer one has replaced in a stream."""

    streams_slow_closed: int
    """Streams closed because they were read too slowly (3008)."""


@dataclass(frozen=True)
class BridgeStats:
    """Gauges of the moment, and counters since the start, of one bridge to another network."""

    up: int
    """Whether the remote is connected: 1 or 0."""

    queue: int
    """Messages that wait for the remote."""

    lag_s: float
    """How long the oldest of them has waited, in seconds."""

    channels: int
    """Channels that it is in."""

    people: int
    """People of the remote who are in the chat."""

    rejoins: int
    """Times a channel was entered again."""

    connections: int
    """Times the remote was connected."""

    messages_in: int
    """Messages of the remote that were said in the chat."""

    messages_out: int
    """What the remote was told and has acknowledged."""

    given_up_in: int
    """What people of the remote said and the chat did not take: blocked, refused or too much."""

    given_up_out: int
    """What the remote was not told: refused there, too old or too much."""

    uncertain: int
    """Messages that were underway when a process was killed and were taken for told."""

    loops: int
    """Messages that came back to us by another way and were not said again."""
