"""What is measured: one row is one load and one figure of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One load."""

    key: str
    title: str
    load: tuple[str, ...]
    """Arguments of the load generator."""
    path: str = "echo"
    """Which endpoint of a server: an attribute of `rig.Server`."""
    figure: str = "server_cpu_us"
    """Which number of the report."""
    unit: str = "µs"
    deflate: bool = False
    tls: bool = False
    is_fresh: bool = False
    """It needs a server that has only just been started."""
    least_s: float = 0.0
    """How long a measurement lasts at least; there are fewer of them then."""


def echo(key: str, title: str, *load: str, least_s: float = 0.0) -> Row:
    """An echo row."""
    return Row(key, title, ("echo", *load), least_s=least_s)


def fan(key: str, title: str, *load: str, least_s: float = 0.0) -> Row:
    """A fan-out row."""
    return Row(key, title, ("fan-out", *load), path="fan", least_s=least_s)


D1 = echo("d1", "64 B, 100 connections, 1 in flight", "-c100", "-s64")
D16 = echo("d16", "64 B, 100 connections, 16 in flight", "-c100", "-s64", "--depth=16")
K1 = echo("1k", "1 KiB x 1,000 connections", "-c1000", "-s1024", least_s=0.3)
K64 = echo("64k", "64 KiB x 50, binary", "-c50", "-s65536", "--content=binary", least_s=0.5)
TEXT = echo(
    "text", "64 KiB x 50, non-ASCII text", "-c50", "-s65536", "--content=non-ascii", least_s=0.5
)
FAN_10K = fan("fan10k", "fan-out to 10,000", "-c10000", "-s64", least_s=0.6)
FAN_1K16 = fan("fan1k16", "16 publishes in flight to 1,000", "-c1000", "-s64", "--in-flight=16")
HANDSHAKE = Row("hs", "handshake: connect, upgrade, close", ("handshake", "-c100"))
DEFLATE = Row(
    "deflate",
    "permessage-deflate, 1 KiB JSON",
    ("echo", "-c100", "-s1024", "--content=json", "--deflate"),
    deflate=True,
    # Beside nothing: it is a time, and the first messages of a connection are dearer.
    least_s=1.0,
)
LATENCY = Row(
    "p50", "p50 round trip, one connection", ("echo", "-c1", "-s64"), figure="latency_p50_us"
)
IDLE = Row(
    "idle",
    "user memory per idle connection, 19,000 open",
    ("idle", "-c19000", "--touch"),
    figure="bytes_per_connection",
    unit="B",
    is_fresh=True,
)
TLS = Row("tls", "TLS, 64 B, 100 connections, 1 in flight", ("echo", "-c100", "-s64"), tls=True)
IDLE_TLS = Row(
    "idle-tls",
    "user memory per idle TLS connection, 10,000 open",
    ("idle", "-c10000", "--touch"),
    figure="bytes_per_connection",
    unit="B",
    tls=True,
    is_fresh=True,
)
