"""`make bench`: ours against the bare epoll server, every row with the bound it has to hold.

Writes bench/results/engine.md, .json and, where matplotlib is installed, .png.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import plot, rig, rows
from bench.comparison import Cell, Entry, compare, figure, table
from bench.rig import Server
from bench.rows import Row

RESULTS = rig.ROOT / "bench/results"
NAMES = {"ours": "Hubbub", "bare": "bare epoll", "plain": "Hubbub without TLS"}


def hubbub(port: int, deflate: bool) -> list[str]:
    """Ours, with its defaults: compression is there for whoever asks."""
    command = [sys.executable, "-m", "hubbub", "run", "bench/app.py:app"]
    return [*command, "--host", "127.0.0.1", "--port", str(port), "--log-level", "error"]


OURS = Server(
    "hubbub", hubbub, tls=lambda cert, key: ["--ssl-certfile", cert, "--ssl-keyfile", key]
)
BARE = Server(
    "bare",
    lambda port, _: [str(rig.binaries() / "hubbub-bare"), "--port", str(port)],
    deflates=False,
    tls=lambda cert, key: ["--tls", cert, key],
)


@dataclass(frozen=True)
class Bound:
    """One line of the table: a row, what it is compared to, what it must not exceed."""

    row: Row
    at_most: float
    what: str = ""
    path: str = ""
    """Our endpoint, when it is not the bare server's."""
    is_ratio: bool = True
    figure: str = ""
    """A number of the report other than the row's."""
    to_plain: bool = False
    """It is compared to ours without TLS, in place of the bare server."""

    @property
    def title(self) -> str:
        """The line's name."""
        return f"{self.row.title}, {self.what}" if self.what else self.row.title

    @property
    def unit(self) -> str:
        """What a bound that is no ratio is in."""
        return {"longest_wait_ms": "ms"}.get(self.figure, self.row.unit)


BOUNDS = [
    Bound(rows.D1, 1.10, "callback"),
    Bound(rows.D1, 1.20, "`async for`", path="/echo-for"),
    Bound(rows.D16, 1.50, "callback"),
    Bound(rows.D16, 2.0, "`async for`", path="/echo-for"),
    Bound(rows.K1, 1.15),
    Bound(rows.K64, 1.40),
    Bound(rows.TEXT, 3.0),
    Bound(rows.FAN_10K, 1.15),
    Bound(rows.FAN_1K16, 1.30),
    Bound(rows.HANDSHAKE, 1.20),
    Bound(rows.LATENCY, 1.15),
    Bound(rows.TLS, 1.10),
    # At least 0.7 of what a processor echoes without TLS.
    Bound(rows.TLS, 1 / 0.7, "against ours without it", to_plain=True),
    Bound(rows.DEFLATE, 18.0, is_ratio=False),
    Bound(rows.IDLE, 1024, is_ratio=False),
    Bound(
        rows.IDLE, 2048, "after a message", is_ratio=False, figure="touched_bytes_per_connection"
    ),
    Bound(rows.IDLE, 1000, "longest wait", is_ratio=False, figure="longest_wait_ms"),
    Bound(rows.IDLE_TLS, 12_288, is_ratio=False),
    Bound(
        rows.IDLE_TLS,
        12_288,
        "after a message",
        is_ratio=False,
        figure="touched_bytes_per_connection",
    ),
]


@dataclass(frozen=True)
class Line:
    """A bound and what was measured."""

    bound: Bound
    ours: float | None
    bare: float | None
    """Of the server it is compared to: the bare one, or ours without TLS."""
    ratio: float | None
    is_client_bound: bool

    @property
    def value(self) -> float | None:
        """What is held against the bound."""
        return self.ratio if self.bound.is_ratio else self.ours

    @property
    def holds(self) -> bool:
        """Whether the bound is kept; what could not be measured is not."""
        return self.value is not None and self.value <= self.bound.at_most


def measure(bounds: list[Bound], rounds: int, turns: int, seconds: float) -> list[Line]:
    """Measures each row once for all its bounds."""
    lines: list[Line] = []
    for row in dict.fromkeys(bound.row for bound in bounds):
        mine = [bound for bound in bounds if bound.row == row]
        path = getattr(BARE, row.path)
        entries = {bound.path or path: Entry(OURS, bound.path or path) for bound in mine}
        entries = {f"{NAMES['ours']} {path}": entry for path, entry in entries.items()}
        if not row.deflate:
            entries[NAMES["bare"]] = Entry(BARE, path)
        if any(bound.to_plain for bound in mine):
            entries[NAMES["plain"]] = Entry(OURS, path, is_plain=True)
        cells = compare(row, entries, rounds, seconds, turns=turns)
        for bound in mine:
            other = cells.get(NAMES["plain" if bound.to_plain else "bare"], Cell())
            cell = cells[f"{NAMES['ours']} {bound.path or path}"]
            wanted = bound.figure or row.figure
            saturated = cell.is_client_bound
            ratio = cell.ratio_to(other, wanted)
            lines.append(Line(bound, cell.median(wanted), other.median(wanted), ratio, saturated))
    return lines


def conclusion(lines: list[Line]) -> str:
    """The result in one sentence."""
    callback = next(
        (line for line in lines if line.bound.row == rows.D1 and not line.bound.path), None
    )
    kept = sum(line.holds for line in lines)
    verdict = f"{kept} of {len(lines)} bounds hold"
    if callback is None or callback.value is None:
        return f"{verdict}."
    percent = round((callback.value - 1) * 100)
    cost = f"costs {percent} % over" if percent > 0 else f"costs {-percent} % less than"
    return f"A Python callback {cost} the bare C-style server; {verdict}."


def markdown(lines: list[Line], rounds: int, turns: int) -> str:
    """The whole result as a page."""
    head = ["", "Hubbub", "bare epoll", "ratio", "at least", ""]
    body: list[list[str]] = []
    for line in lines:
        bound = line.bound
        unit = bound.unit
        limit = f"{bound.at_most:.2f}" if bound.is_ratio else f"{bound.at_most:,.0f} {unit}"
        body.append(
            [
                bound.title + (" ¹" if line.is_client_bound else ""),
                f"{figure(line.ours)} {unit}",
                f"{figure(line.bare)} {unit}" if line.bare is not None else "",
                f"{line.value:.2f}" if line.value is not None and bound.is_ratio else "",
                limit,
                "holds" if line.holds else "**missed**",
            ]
        )
    note = "¹ The load generator was saturated: the server was not.\n\n"
    return (
        "# The engine against a bare epoll server\n\n"
        f"{conclusion(lines)}\n\n{table(head, body)}\n"
        "Server CPU per message, per delivery (fan-out) or per connection (handshake), unless the "
        "unit says otherwise; every payload verified.\n"
        f"Medians of {rounds * turns} measurements (fewer where each takes longer, {rounds} of "
        "memory), servers in turn, server and load generator on a processor each; ratios are the "
        "medians of those of each turn.\n\n"
        f"{note if any(line.is_client_bound for line in lines) else ''}{rig.machine()}\n"
    )


def main() -> int:
    """Measures, prints, writes; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="how often all servers are started")
    parser.add_argument(
        "--turns",
        type=int,
        default=15,
        help="measurements of each, one after the other, in a round",
    )
    parser.add_argument("--seconds", type=float, default=0.12, help="length of one measurement")
    parser.add_argument("--rows", default="", help="only these, comma separated: d1,d16,…")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write into")
    arguments = parser.parse_args()
    rig.check_machine()
    rig.build()
    rig.take_precedence()

    wanted = set(filter(None, arguments.rows.split(",")))
    bounds = [bound for bound in BOUNDS if not wanted or bound.row.key in wanted]
    lines = measure(bounds, arguments.rounds, arguments.turns, arguments.seconds)
    page = markdown(lines, arguments.rounds, arguments.turns)
    print(f"\n{page}")
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "engine.md").write_text(page)
    (arguments.results / "engine.json").write_text(
        json.dumps(
            {
                "machine": rig.machine(),
                "conclusion": conclusion(lines),
                "rows": [
                    {
                        "row": line.bound.row.key,
                        "title": line.bound.title,
                        "unit": line.bound.unit,
                        "ours": line.ours,
                        "bare": line.bare,
                        "value": line.value,
                        "at_most": line.bound.at_most,
                        "holds": line.holds,
                    }
                    for line in lines
                ],
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )
    plot.ratios(
        [
            (line.bound.title, line.value, line.bound.at_most)
            for line in lines
            if line.bound.is_ratio
        ],
        conclusion(lines),
        arguments.results / "engine.png",
    )
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
