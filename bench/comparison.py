"""Runs rows over servers, turn by turn, and keeps the medians."""

import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from bench.rig import Figures, Running, Server, Unmeasured
from bench.rows import Row

WARM_UP_S = 1.0
"""How long the load runs before a server is measured first …"""

WARM_AGAIN_SHARE = 0.4
"""… and, as a share of the measurement, before it is measured again."""

LONG_TURNS = 3
"""How often a server is measured at least where a measurement takes longer."""


@dataclass
class Cell:
    """What one server did in one row."""

    runs: list[Figures] = field(default_factory=list[Figures])
    failure: str = ""

    def median(self, figure: str) -> float | None:
        """The median of one number over all runs that have it."""
        values = [run[figure] for run in self.runs if figure in run]
        return statistics.median(values) if values else None

    def ratio_to(self, other: "Cell", figure: str) -> float | None:
        """The median of this server's number over the other's, round by round.

        Both were measured within seconds in a round; over all rounds this machine's own speed
        varies by more than what is to be told apart.
        """
        rounds = zip(self.runs, other.runs, strict=False)
        ratios = [
            mine[figure] / its[figure] for mine, its in rounds if figure in mine and its.get(figure)
        ]
        return statistics.median(ratios) if ratios else None

    @property
    def is_client_bound(self) -> bool:
        """Whether the load generator was the limit in most runs."""
        return 2 * sum(bool(run.get("client_saturated")) for run in self.runs) > len(self.runs)


@dataclass(frozen=True)
class Entry:
    """One server at one of its endpoints."""

    server: Server
    path: str
    is_plain: bool = False
    """Speaks no TLS, even in a row that does."""

    def started(self, row: Row) -> Running:
        """The server, to be entered."""
        if row.deflate and not self.server.deflates:
            raise Unmeasured("has no permessage-deflate")
        return Running(self.server, deflate=row.deflate, tls=row.tls and not self.is_plain)

    def measure(self, running: Running, row: Row, timing: Sequence[str]) -> Figures:
        """One measurement of the started server."""
        figures = running.measure(self.path, [*row.load, *timing])
        if row.deflate and not figures["compressed"]:
            raise Unmeasured("did not agree to permessage-deflate")
        return figures


def compare(
    row: Row,
    entries: dict[str, Entry],
    rounds: int,
    seconds: float,
    *,
    turns: int = 1,
    tell: Callable[[str], Any] = print,
) -> dict[str, Cell]:
    """Starts all servers `rounds` times and measures each `turns` times, one after the other.

    What disturbs one disturbs all: this machine's own speed changes from second to second, so
    many short turns tell more than few long ones.

    Args:
        row: What is measured.
        entries: Of whom.
        rounds: How often the servers are started.
        seconds: How long one measurement lasts, if the row does not want more.
        turns: How often each is measured before they are stopped: less often if the row wants
            more time, once if it wants a fresh server.
        tell: Hears what came out.
    """
    cells = {name: Cell() for name in entries}
    longer_s = max(seconds, row.least_s)
    turns = 1 if row.is_fresh else max(min(turns, LONG_TURNS), round(turns * seconds / longer_s))
    for _ in range(rounds):
        with ExitStack() as stack:
            started: dict[str, Running] = {}
            for turn in range(turns):
                for name, entry in entries.items():
                    cell = cells[name]
                    if cell.failure:
                        continue
                    try:
                        if name not in started:
                            started[name] = stack.enter_context(entry.started(row))
                        warm_up_s = WARM_AGAIN_SHARE * longer_s if turn else WARM_UP_S
                        timing = [f"-d{longer_s}", f"-w{warm_up_s:.3f}"]
                        cell.runs.append(entry.measure(started[name], row, timing))
                    except Unmeasured as failure:
                        cell.failure = str(failure)
    for name, cell in cells.items():
        median = cell.median(row.figure)
        note = f"  (failed: {cell.failure})" if cell.failure else ""
        note += "  (load generator saturated)" if cell.is_client_bound else ""
        figure = "-" if median is None else f"{median:,.3f} {row.unit}"
        tell(f"  {row.key:8} {name:28} {figure:>16}{note}")
        sys.stdout.flush()
    return cells


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines]) + "\n"


def figure(value: float | None) -> str:
    """A number with three significant digits, as a table shows it."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value >= 0.01 else f"{value:.2g}"
