"""From two looks at a server to what happens there each second (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Page = Mapping[str, Any]
"""What `/status` tells."""


@dataclass(frozen=True)
class Rates:
    """What happened between two looks; after one look, since the server's start."""

    span_s: float
    counters: Mapping[str, float]
    """Each counter's increase per second."""

    modules: Mapping[str, Mapping[str, float]]
    """The same for what each module counts."""

    cpu: float
    """Processors used: 1.0 is one core."""

    lag_p50_s: float | None
    lag_p99_s: float | None
    """Half of the loop's turns, and 99 of 100, took no longer; None: there was none."""

    @classmethod
    def between(cls, before: Page | None, after: Page) -> "Rates":
        """The rates.

        Args:
            before: The look before; None: there was none. One at another process counts as none.
            after: The newest.
        """
        if before is not None and before["process"]["started_s"] != after["process"]["started_s"]:
            before = None
        started = 0.0 if before is None else before["uptime_s"]
        span_s = max(after["uptime_s"] - started, 1e-9)
        counters = {
            name: (count - (before["counters"].get(name, 0) if before else 0)) / span_s
            for name, count in after["counters"].items()
        }
        modules = {
            module["name"]: {
                name: (count - _of_module(before, module["name"], name)) / span_s
                for name, count in module["stats"].items()
            }
            for module in after["modules"]
        }
        cpu_s = after["process"]["cpu_s"] - (before["process"]["cpu_s"] if before else 0.0)
        turns = _increase(before, after)
        cpu = cpu_s / span_s
        return cls(span_s, counters, modules, cpu, _quantile(turns, 0.5), _quantile(turns, 0.99))


def _of_module(page: Page | None, module: str, name: str) -> float:
    """What a module had counted at a look."""
    found = [one for one in page["modules"] if one["name"] == module] if page else []
    return float(found[0]["stats"].get(name, 0)) if found else 0.0


def _increase(before: Page | None, after: Page) -> list[tuple[float | None, int]]:
    """The loop's turns by bucket, summed up."""
    buckets: Sequence[tuple[float | None, int]] = after["loop_lag"]["buckets"]
    if before is None:
        return [(bound, count) for bound, count in buckets]
    old = before["loop_lag"]["buckets"]
    return [(bound, count - past) for (bound, count), (_, past) in zip(buckets, old, strict=True)]


def _quantile(summed: Sequence[tuple[float | None, int]], share: float) -> float | None:
    if not summed or summed[-1][1] == 0:
        return None
    wanted = share * summed[-1][1]
    bound = next(bound for bound, count in summed if count >= wanted)
    return float("inf") if bound is None else bound
