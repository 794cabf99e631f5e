"""The status page: what a person, or `hubbub top`, wants to know at one moment (pure)."""

import platform
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from hubbub._core import __version__
from hubbub.admin.snapshot import Snapshot
from hubbub.config import ServerSettings


def status(
    snapshot: Snapshot,
    *,
    state: str,
    addresses: Sequence[str],
    settings: ServerSettings,
    largest: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """The page as JSON.

    Args:
        snapshot: The moment.
        state: "starting", "ready", "draining" or "stopped".
        addresses: Where the public is served.
        settings: By which limits.
        largest: The largest connections, if they were asked for.
    """
    reached = 0
    lag: list[list[float | None]] = []
    for bound_s, count in snapshot.lag_buckets:
        reached += count
        # Infinity is no number in JSON.
        lag.append([bound_s if bound_s != float("inf") else None, reached])
    return {
        "version": __version__,
        "python": platform.python_version(),
        "state": state,
        "unready": list(snapshot.unready),
        "uptime_s": round(snapshot.uptime_s, 3),
        "listeners": list(addresses),
        "modules": [asdict(module) for module in snapshot.modules],
        "threads": list(snapshot.threads),
        "counters": asdict(snapshot.stats),
        "held_limit_bytes": snapshot.held_limit_bytes,
        "loop_lag": {"buckets": lag, "count": reached, "sum_s": snapshot.lag_sum_s},
        "closes": [
            {"code": code, "by": by, "count": count}
            for (code, by), count in sorted(snapshot.closes.items())
        ],
        "answers": [
            {"method": method, "status": status, "count": count}
            for (method, status), count in sorted(snapshot.answers.items())
        ],
        "log_lines_lost": snapshot.lines_lost,
        "process": asdict(snapshot.process),
        "limits": asdict(settings),
        "largest": list(largest),
    }
