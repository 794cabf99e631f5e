"""Everything the admin listener tells, taken at one moment: what metrics and status are made of."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hubbub._core import Engine
from hubbub.admin.process import Process, this_process
from hubbub.log import lines_lost
from hubbub.modules import ModuleStats
from hubbub.stats import BridgeStats, HubStats, Stats

STARTED = time.monotonic()
"""When this part of the program was loaded."""


@dataclass(frozen=True)
class ModuleReport:
    """How one application module is."""

    name: str
    """What logs, metrics and `hubbub reload` call it."""

    state: str
    """"running", or why it is not: "fenced", "loading", …."""

    mount: str = "/"
    """The path it stands under."""

    hosts: tuple[str, ...] = ()
    """The names it answers to; if none, every name."""

    required: bool = True
    """Whether the server is not ready without it."""

    reason: str = ""
    """What went wrong, if something did."""

    hubs: tuple[tuple[str, HubStats], ...] = ()
    """Its hubs: path and what each has counted."""

    bridges: tuple[tuple[str, BridgeStats, dict[str, Any]], ...] = ()
    """Its bridges to other networks: name, what each has counted, and how it is."""

    stats: ModuleStats = field(default_factory=ModuleStats)
    """What it has done since the start."""

    @property
    def is_running(self) -> bool:
        """Whether it answers."""
        return self.state == "running"


@dataclass(frozen=True)
class Snapshot:
    """One moment of a server."""

    stats: Stats
    lag_buckets: tuple[tuple[float, int], ...]
    """Upper bounds in seconds, counts; not summed up."""

    lag_sum_s: float
    closes: Mapping[tuple[str, str], int]
    """How many WebSockets have ended, by code and by whom."""

    answers: Mapping[tuple[str, int], int]
    """How many requests were answered, by method and status."""

    threads: tuple[int, ...]
    """Connections of each thread; none with one thread."""

    held_limit_bytes: int
    modules: tuple[ModuleReport, ...]
    unready: tuple[str, ...]
    """Why the server is not ready; nothing: it is."""

    lines_lost: int
    process: Process
    uptime_s: float

    @classmethod
    def take(
        cls, engine: Engine, modules: Sequence[ModuleReport], unready: Sequence[str]
    ) -> "Snapshot":
        """Looks at everything, in the thread of the event loop."""
        observed: dict[str, Any] = engine.observed()
        closes: Counter[tuple[str, str]] = Counter()
        answers: Counter[tuple[str, int]] = Counter()
        # Each thread counts for itself.
        for code, by, count in observed["closes"]:
            closes[code, by] += count
        for method, status, count in observed["answers"]:
            answers[method, status] += count
        return cls(
            stats=Stats.of(engine.stats()),
            lag_buckets=tuple(observed["lag_buckets"]),
            lag_sum_s=observed["lag_sum_s"],
            closes=closes,
            answers=answers,
            threads=tuple(observed["threads"]),
            held_limit_bytes=observed["held_limit_bytes"],
            modules=tuple(modules),
            unready=tuple(unready),
            lines_lost=lines_lost(),
            process=this_process(),
            uptime_s=time.monotonic() - STARTED,
        )
