"""Which metrics there are, each declared once, and their values at one moment (pure).

The counters of `Stats` are metrics by being there: their names follow from the fields', but where
users of Prometheus expect another. The list in docs/observability.md is made from here.
"""

import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from hubbub._core import __version__
from hubbub.admin.exposition import Histogram, Kind, Metric, Value, exposition
from hubbub.admin.snapshot import Snapshot
from hubbub.config import describe
from hubbub.modules import ModuleStats
from hubbub.stats import BridgeStats, HubStats, Stats

Values = Sequence[Value] | Histogram

_GAUGES = {"connections", "held_bytes", "pressure"}
_HUB_GAUGES = {"clients", "users", "channels", "held_bytes", "streams_held_bytes"}
_BRIDGE_GAUGES = {"up", "queue", "lag_s", "channels", "people"}
_MODULE_GAUGES = {"connections", "behind"}
_NAMES = {
    "accepted": "connections_accepted",
    "closed": "connections_closed",
    "refused": "connections_refused",
    "requests": "http_requests_received",
    "bad_requests": "http_requests_refused",
    "upgraded": "websocket_opened",
    "messages_in": "messages_received",
    "bytes_in": "received_bytes",
    "messages_out": "messages_sent",
    "bytes_out": "sent_bytes",
    "dropped": "messages_dropped",
    "conflated": "messages_conflated",
    "slow_closed": "slow_consumers_closed",
    "over_budget": "over_budget_closed",
}


@dataclass(frozen=True)
class Row:
    """A metric, and where its values come from."""

    metric: Metric
    values: Callable[[Snapshot], Values]


@cache
def rows() -> tuple[Row, ...]:
    """Every metric, in the order of the page."""
    return (*_counted(), *_kinds(), *_hubs(), *_bridges(), *_about(), *_process())


def metrics_text(snapshot: Snapshot) -> str:
    """The whole page."""
    return exposition((row.metric, row.values(snapshot)) for row in rows())


def _counted() -> Iterator[Row]:
    for field in describe(Stats):
        name = f"hubbub_{_NAMES.get(field.name, field.name)}"
        sentence = field.sentence.rstrip(".")
        unit = "bytes" if name.endswith("_bytes") else ""
        kind: Kind = "gauge" if field.name in _GAUGES else "counter"

        def values(snapshot: Snapshot, name: str = field.name) -> Values:
            return [Value(getattr(snapshot.stats, name))]

        yield Row(Metric(name, kind, sentence, unit), values)


def _kinds() -> Iterator[Row]:
    yield Row(
        Metric(
            "hubbub_http_requests",
            "counter",
            "HTTP requests by method and status of the answer, handshakes (101) included",
            labels=("method", "status"),
        ),
        lambda snapshot: [
            Value(count, {"method": method, "status": str(status)})
            for (method, status), count in snapshot.answers.items()
        ],
    )
    yield Row(
        Metric(
            "hubbub_websocket_closed",
            "counter",
            "WebSockets that have ended, by close code and by who ended them",
            labels=("code", "by"),
        ),
        lambda snapshot: [
            Value(count, {"code": code, "by": by}) for (code, by), count in snapshot.closes.items()
        ],
    )
    yield Row(
        Metric(
            "hubbub_loop_lag_seconds",
            "histogram",
            "How long the event loop was at work between two looks at its sockets",
            unit="seconds",
        ),
        lambda snapshot: Histogram(snapshot.lag_buckets, snapshot.lag_sum_s),
    )
    yield Row(
        Metric(
            "hubbub_thread_connections",
            "gauge",
            "Connections of each thread, where there are several",
            labels=("thread",),
        ),
        lambda snapshot: [
            Value(count, {"thread": str(number)})
            for number, count in enumerate(snapshot.threads, 1)
        ],
    )
    yield Row(
        Metric(
            "hubbub_held_limit_bytes",
            "gauge",
            "How much all connections together may hold",
            unit="bytes",
        ),
        lambda snapshot: [Value(snapshot.held_limit_bytes)],
    )


def _hubs() -> Iterator[Row]:
    for field in describe(HubStats):
        name = f"hubbub_hub_{field.name}"
        sentence = "Hubs: " + field.sentence[0].lower() + field.sentence[1:].rstrip(".")
        kind: Kind = "gauge" if field.name in _HUB_GAUGES else "counter"
        unit = "bytes" if name.endswith("_bytes") else ""

        def values(snapshot: Snapshot, name: str = field.name) -> Values:
            return [
                Value(getattr(stats, name), {"module": module.name, "path": path})
                for module in snapshot.modules
                for path, stats in module.hubs
            ]

        yield Row(Metric(name, kind, sentence, unit, labels=("module", "path")), values)


def _bridges() -> Iterator[Row]:
    for field in describe(BridgeStats):
        name = f"hubbub_bridge_{field.name}".replace("_lag_s", "_lag_seconds")
        sentence = "Bridges: " + field.sentence[0].lower() + field.sentence[1:].rstrip(".")
        kind: Kind = "gauge" if field.name in _BRIDGE_GAUGES else "counter"
        unit = "seconds" if name.endswith("_seconds") else ""

        def values(snapshot: Snapshot, name: str = field.name) -> Values:
            return [
                Value(getattr(stats, name), {"module": module.name, "bridge": bridge})
                for module in snapshot.modules
                for bridge, stats, _ in module.bridges
            ]

        yield Row(Metric(name, kind, sentence, unit, labels=("module", "bridge")), values)


def _about() -> Iterator[Row]:
    yield Row(
        Metric("hubbub_ready", "gauge", "Whether the server is ready for work: 1 or 0"),
        lambda snapshot: [Value(0 if snapshot.unready else 1)],
    )
    yield Row(
        Metric(
            "hubbub_module_up",
            "gauge",
            "Whether an application module answers: 1 or 0",
            labels=("module",),
        ),
        lambda snapshot: [
            Value(int(module.is_running), {"module": module.name}) for module in snapshot.modules
        ],
    )
    for field in describe(ModuleStats):
        yield _of_modules(field.name, field.sentence.rstrip("."))
    yield Row(
        Metric(
            "hubbub_log_lines_lost",
            "counter",
            "Log lines that came faster than they could be written",
        ),
        lambda snapshot: [Value(snapshot.lines_lost)],
    )
    yield Row(
        Metric("hubbub_build", "info", "What runs here", labels=("version", "python")),
        lambda _: [Value(1, {"version": __version__, "python": platform.python_version()})],
    )


def _of_modules(name: str, sentence: str) -> Row:
    """A field of what each module has done."""
    unit = "seconds" if name.endswith("_s") else ""
    kind: Kind = "gauge" if name in _MODULE_GAUGES else "counter"
    shown = f"hubbub_module_{name.removesuffix('_s') + '_seconds' if unit else name}"
    return Row(
        Metric(shown, kind, f"Of a module: {sentence}", unit, labels=("module",)),
        lambda snapshot: [
            Value(getattr(module.stats, name), {"module": module.name})
            for module in snapshot.modules
        ],
    )


def _process() -> Iterator[Row]:
    yield Row(
        Metric("process_cpu_seconds", "counter", "Processor time used", unit="seconds"),
        lambda snapshot: [Value(snapshot.process.cpu_s)],
    )
    yield Row(
        Metric("process_resident_memory_bytes", "gauge", "Memory that is there", unit="bytes"),
        lambda snapshot: [Value(snapshot.process.resident_bytes)],
    )
    yield Row(
        Metric("process_virtual_memory_bytes", "gauge", "Address space", unit="bytes"),
        lambda snapshot: [Value(snapshot.process.virtual_bytes)],
    )
    yield Row(
        Metric("process_open_fds", "gauge", "Open descriptors"),
        lambda snapshot: [Value(snapshot.process.descriptors)],
    )
    yield Row(
        Metric("process_max_fds", "gauge", "How many descriptors there may be"),
        lambda snapshot: [Value(snapshot.process.descriptor_limit)],
    )
    yield Row(
        Metric("process_threads", "gauge", "Threads, the interpreter's own included"),
        lambda snapshot: [Value(snapshot.process.threads)],
    )
    yield Row(
        Metric(
            "process_start_time_seconds",
            "gauge",
            "When the process was started, since the epoch of Unix",
            unit="seconds",
        ),
        lambda snapshot: [Value(snapshot.process.started_s)],
    )
