"""Runs rows over servers, turn by turn, and keeps the medians."""

import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.rig import Figures, Running, Server, Unmeasured
from bench.rows import Row


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

    def run(self, row: Row, timing: Sequence[str]) -> Figures:
        """Starts the server, measures, stops it."""
        if row.deflate and not self.server.deflates:
            raise Unmeasured("has no permessage-deflate")
        tls = row.tls and not self.is_plain
        with Running(self.server, deflate=row.deflate, tls=tls) as running:
            figures = running.measure(self.path, [*row.load, *timing])
        if row.deflate and not figures["compressed"]:
            raise Unmeasured("did not agree to permessage-deflate")
        return figures


def compare(
    row: Row,
    entries: dict[str, Entry],
    rounds: int,
    timing: Sequence[str],
    tell: Callable[[str], Any] = print,
) -> dict[str, Cell]:
    """Measures all entries in turn, `rounds` times: what disturbs one disturbs all."""
    cells = {name: Cell() for name in entries}
    for _ in range(rounds):
        for name, entry in entries.items():
            cell = cells[name]
            if cell.failure:
                continue
            try:
                cell.runs.append(entry.run(row, timing))
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
