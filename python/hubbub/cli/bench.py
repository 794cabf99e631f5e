"""`hubbub bench`: the load generator of the native module, with a table, JSON or a plot.

Measures any WebSocket server. Without a URL it starts one of its own, see `bench_server`.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from hubbub import _core
from hubbub.cli.bench_server import started
from hubbub.cli.mistake import FAILED, Mistake
from hubbub.config import duration_s, size_bytes
from hubbub.errors import Failure, Misuse

Mode = Literal["echo", "fan-out", "hub", "idle", "handshake", "http"]
Content = Literal["ascii", "non-ascii", "json", "binary"]

_PATHS = {
    "echo": "/echo",
    "fan-out": "/fan",
    "hub": "/connection/websocket",
    "idle": "/echo",
    "handshake": "/echo",
    "http": "/json",
}

_LABELS = {
    "mode": "mode",
    "url": "server",
    "connections": "connections",
    "depth": "in flight on each",
    "rate_per_s": "rate (open loop)",
    "senders": "senders",
    "in_flight": "in flight from each",
    "own": "all publish, unheard",
    "content": "content",
    "size_bytes": "message size",
    "compressed": "permessage-deflate",
    "seconds": "measured",
    "count": "counted and verified",
    "per_second": "throughput",
    "server_cpu_us": "server CPU each",
    "server_busy_share": "server busy",
    "server_threads": "its threads",
    "latency_p50_us": "latency p50",
    "latency_p90_us": "latency p90",
    "latency_p99_us": "latency p99",
    "latency_p99_9_us": "latency p99.9",
    "latency_max_us": "latency max",
    "longest_wait_ms": "longest connect + upgrade",
    "opening_s": "opening all",
    "bytes_per_connection": "server memory per connection",
    "touched_bytes_per_connection": "… after one message",
    "entering_s": "coming in, all",
    "entering_cpu_us": "server CPU per client",
    "bytes_per_client": "server memory per client",
    "client_busy_share": "client busy",
    "client_saturated": "client saturated",
}
_UNITS = {"_us": "µs", "_ms": "ms", "_bytes": "B", "_s": "s", "seconds": "s", "second": "/s"}


def bench(
    mode: Mode,
    url: str | None = None,
    /,
    *,
    connections: Annotated[int, Parameter(name=["--connections", "-c"])] = 100,
    opening: int = 128,
    duration: Annotated[str, Parameter(name=["--duration", "-d"])] = "4s",
    warm_up: Annotated[str, Parameter(name=["--warm-up", "-w"])] = "1s",
    size: Annotated[str, Parameter(name=["--size", "-s"])] = "64B",
    content: Content = "ascii",
    deflate: Annotated[bool, Parameter(negative=())] = False,
    depth: int = 1,
    rate: float | None = None,
    senders: int = 1,
    in_flight: int = 1,
    own: Annotated[bool, Parameter(negative=())] = False,
    tokens: Path | None = None,
    bursts: Annotated[bool, Parameter(negative=())] = False,
    touch: Annotated[bool, Parameter(negative=())] = False,
    client_cpu: int | None = None,
    server_pid: int | None = None,
    as_json: Annotated[bool, Parameter(name="--json", negative=())] = False,
    plot: Path | None = None,
) -> None:
    """Measure a WebSocket or HTTP server; every answer that comes back is verified.

    Parameters
    ----------
    mode
        What the connections do: echo messages, fan them out to all, come into a hub and publish
        there, stay idle, come and go, or ask for a page again and again.
    url
        ws://host:port/path, or wss:// with any certificate; without it a server of Hubbub's own is
        started for the measurement.
    connections
        How many are open at a time.
    opening
        How many of them may be in connect and upgrade at a time.
    duration
        How long is measured.
    warm_up
        How long the load runs before.
    size
        Payload of one message.
    content
        What messages are made of.
    deflate
        Offer permessage-deflate.
    depth
        echo: messages in flight on each connection.
    rate
        echo: messages per second in all, sent when they are due whether answers have come or not.
    senders
        fan-out: connections that publish.
    in_flight
        fan-out, hub: messages on their way from each sender.
    own
        hub: all of them publish, each where nobody listens; else one does, and all hear it.
    tokens
        hub: a file of tokens, one in each line, for the clients in turn.
    bursts
        echo, fan-out: send a burst, sleep until the last answer has arrived, and then read; for
        servers with threads on a machine with few processors.
    touch
        idle: then echo one message on each connection.
    client_cpu
        Processor the load generator is bound to.
    server_pid
        Process whose CPU time and memory are read, if it is not the one listening at the URL.
    as_json
        Print JSON instead of a table.
    plot
        Draw the latencies into a PNG, too; needs matplotlib.
    """
    try:
        options: dict[str, object] = {
            "mode": mode,
            "connections": connections,
            "opening": opening,
            "duration_s": duration_s(duration),
            "warm_up_s": duration_s(warm_up),
            "size_bytes": size_bytes(size),
            "content": content,
            "deflate": deflate,
            "depth": depth,
            "senders": senders,
            "in_flight": in_flight,
            "own": own,
            "bursts": bursts,
            "touch": touch,
        }
        if tokens is not None:
            options["tokens"] = tokens.read_text().split()
    except OSError as error:
        raise Mistake(f"--tokens: {error}") from None
    except ValueError as error:
        raise Mistake(str(error)) from None
    optional = {"rate_per_s": rate, "client_cpu": client_cpu, "server_pid": server_pid}
    options |= {name: value for name, value in optional.items() if value is not None}
    if plot is not None:
        _pyplot()
    with _server(mode, url, options):
        report = _measure(options)
    if as_json:
        print(json.dumps(report, indent=2))
    else:
        show(report)
    if plot is not None:
        draw(report, plot)


def show(report: Mapping[str, Any]) -> None:
    """Prints a report as a table."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right", style="bold")
    table.add_column(style="dim")
    for key, value in report.items():
        if key in _LABELS:
            table.add_row(_LABELS[key], *_written(key, value))
    Console().print(table)


def draw(report: Mapping[str, Any], file: Path) -> None:
    """Draws the latencies of a report into a file.

    Raises:
        Mistake: matplotlib is not installed, or the file cannot be written.
    """
    points = {
        label.removeprefix("latency "): report[key]
        for key, label in _LABELS.items()
        if key.startswith("latency_") and key in report
    }
    if not points:
        raise Mistake(f"no latencies to draw in mode {report.get('mode')}", FAILED)
    figure, axes = _pyplot().subplots(figsize=(7, 4), layout="constrained")
    bars = axes.bar(list(points), list(points.values()), color="#4c6ef5")
    axes.bar_label(bars, fmt="{:.0f}")
    axes.set_yscale("log")
    axes.set_ylabel("µs")
    what = f"{report['mode']}, {report['connections']} connections"
    axes.set_title(f"{what}: {report['per_second']:,.0f}/s")
    axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(file, dpi=150)
    except (OSError, ValueError) as error:
        raise Mistake(f"cannot write {file}: {error}", FAILED) from None


@contextmanager
def _server(mode: Mode, url: str | None, options: dict[str, object]) -> Generator[None]:
    if url is not None:
        options["url"] = url
        yield
        return
    with started() as server:
        options["url"] = server.url + _PATHS[mode]
        options.setdefault("server_pid", server.pid)
        if server.client_cpu is not None:
            options.setdefault("client_cpu", server.client_cpu)
        yield


def _measure(options: Mapping[str, object]) -> dict[str, Any]:
    try:
        report: dict[str, Any] = json.loads(_core.bench(options))
        return report
    except Misuse as error:
        raise Mistake(str(error)) from None
    except Failure as error:
        raise Mistake(f"no measurement: {error}", FAILED) from None


def _written(key: str, value: object) -> tuple[str, str]:
    if isinstance(value, bool):
        return ("yes" if value else "no"), ""
    if isinstance(value, int):
        return f"{value:,}", next((_UNITS[end] for end in _UNITS if key.endswith(end)), "")
    if isinstance(value, float):
        if key.endswith("_share"):
            return f"{value:.0%}", ""
        unit = next((_UNITS[end] for end in _UNITS if key.endswith(end)), "")
        if key.endswith(("_per_connection", "_per_client")):
            unit = "B"
        return (f"{value:,.0f}" if value >= 1000 else f"{value:,.3g}"), unit
    return str(value), ""


def _pyplot() -> Any:
    try:
        import matplotlib as mpl
    except ModuleNotFoundError:
        raise Mistake("--plot needs matplotlib: pip install 'hubbub[plot]'") from None
    mpl.use("Agg")
    from matplotlib import pyplot

    return pyplot
