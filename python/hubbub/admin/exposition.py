"""Metrics as OpenMetrics text, version 1.0 (pure).

https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Kind = Literal["counter", "gauge", "histogram", "info"]


@dataclass(frozen=True)
class Metric:
    """One declared family of metrics."""

    name: str
    """Without the `_total` of a counter, `_info` of an info, `_bucket` of a histogram."""

    kind: Kind
    sentence: str
    """What it tells, without a full stop."""

    unit: str = ""
    """The name's last word, where that is a unit: "seconds", "bytes"."""

    labels: tuple[str, ...] = ()
    """By what its values differ."""

    @property
    def series(self) -> tuple[str, ...]:
        """The names its values go by in a query."""
        match self.kind:
            case "counter":
                return (f"{self.name}_total",)
            case "gauge":
                return (self.name,)
            case "info":
                return (f"{self.name}_info",)
            case "histogram":
                return tuple(f"{self.name}_{suffix}" for suffix in ("bucket", "sum", "count"))


@dataclass(frozen=True)
class Value:
    """One value of a counter, a gauge or an info."""

    number: float
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Histogram:
    """The values of a histogram without labels."""

    buckets: Sequence[tuple[float, int]]
    """Upper bound and count of each, not summed up; the last one's bound is infinite."""

    total: float
    """The sum of all that was observed."""


def exposition(families: Iterable[tuple[Metric, Sequence[Value] | Histogram]]) -> str:
    """The text of all families that have a value."""
    lines: list[str] = []
    for metric, values in families:
        if not isinstance(values, Histogram) and not values:
            continue
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        if metric.unit:
            lines.append(f"# UNIT {metric.name} {metric.unit}")
        lines.append(f"# HELP {metric.name} {_escaped(metric.sentence)}")
        if isinstance(values, Histogram):
            lines += _histogram(metric, values)
        else:
            (series,) = metric.series
            lines += [f"{series}{_labels(one.labels)} {_number(one.number)}" for one in values]
    return "\n".join([*lines, "# EOF", ""])


def _histogram(metric: Metric, values: Histogram) -> Iterable[str]:
    reached = 0
    for bound, count in values.buckets:
        reached += count
        yield f"{metric.name}_bucket{_labels({'le': _number(bound)})} {reached}"
    yield f"{metric.name}_sum {_number(values.total)}"
    yield f"{metric.name}_count {reached}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{pairs}}}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(value) if isinstance(value, int) else repr(float(value))
