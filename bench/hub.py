"""`make bench-hub`: what the hub adds to a plain fan-out, and what a second thread brings.

Writes bench/results/hub.md and .json, and exits with 1 when a bound is missed.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import rig, rows
from bench.comparison import Cell, Entry, compare, figure, table
from bench.rig import CLIENT_CPU, SERVER_CPU, Server
from bench.rows import Row
from bench.run import BARE, OURS, RESULTS
from joserfc import jwt
from joserfc.jwk import OctKey

SECRET = "a secret of the benchmark's own"
BOTH = frozenset({SERVER_CPU, CLIENT_CPU})
WIRE = "/connection/websocket"
CROWD = 10_000
DATA_BYTES = 64
FRAME = (
    f'{{"push":{{"channel":"news","pub":{{"data":"{"x" * (DATA_BYTES - 2)}","offset":10000,'
    f'"info":{{"user":"u0","client":"{"x" * 16}","conn_info":{{"name":"User 0"}}}}}}}}}}'
)
"""A publication as long as those that are measured: the plain fan-out says as much."""


def served(name: str, *flags: str, cpus: frozenset[int] | None = None) -> Server:
    """The app that is measured, started with more flags."""
    return Server(
        name,
        lambda port, _: [
            *(sys.executable, "-m", "hubbub", "run", "bench/hub_app.py:app"),
            *("--host", "127.0.0.1", "--port", str(port), "--log-level", "critical", *flags),
        ],
        env={"BENCH_SECRET": SECRET},
        cpus=cpus or frozenset({SERVER_CPU}),
        tls=OURS.tls,
    )


ONE = served("Hubbub")
FREE = {n: served(f"{n} thread(s)", "--threads", str(n), cpus=BOTH) for n in (1, 2)}
FAN = Row(
    "fan",
    "fan-out to 10,000",
    ("fan-out", f"-c{CROWD}", "-s64", "--bursts", "--in-flight=4"),
    figure="per_second",
    unit="/s",
)
ECHO = Row(
    "tls",
    "echo by TLS with deflate, 1 KiB of JSON",
    (*("echo", "-c1000", "-s1024", "--content=json", "--deflate"), "--depth=4", "--bursts"),
    figure="per_second",
    unit="/s",
    deflate=True,
    tls=True,
)


TITLES = {"wire": "The wire", "threads": "Two threads and one"}
FIGURES = {
    "server_cpu_us": "server CPU each, µs",
    "per_second": "a second",
    "server_busy_share": "server busy",
    "client_busy_share": "load generator busy",
    "entering_s": "coming in, s",
    "entering_cpu_us": "CPU per client, µs",
    "bytes_per_client": "bytes per client",
}


@dataclass(frozen=True)
class Line:
    """One bound and what was found."""

    title: str
    found: float | None
    bound: float
    unit: str = ""
    is_least: bool = False

    @property
    def holds(self) -> bool:
        """Whether it is kept; what could not be measured is not."""
        if self.found is None:
            return False
        return self.found >= self.bound if self.is_least else self.found <= self.bound

    def written(self) -> list[str]:
        """As a line of the table."""
        unit = f" {self.unit}" if self.unit else ""
        return [
            self.title,
            f"{figure(self.found)}{unit}",
            f"{'≥' if self.is_least else '≤'} {figure(self.bound)}{unit}",
            "holds" if self.holds else "**missed**",
        ]


def tokens(folder: Path) -> Path:
    """A file of as many tokens as clients come, each of somebody else."""
    key = OctKey.import_key(SECRET)
    expires = int(time.time()) + 3600
    file = folder / "tokens"
    made = (
        jwt.encode(
            {"alg": "HS256"}, {"sub": f"u{n}", "exp": expires, "info": {"name": f"User {n}"}}, key
        )
        for n in range(CROWD)
    )
    file.write_text("\n".join(made))
    return file


def hub(
    key: str,
    title: str,
    signed: Path,
    *load: str,
    figure: str = "server_cpu_us",
    unit: str = "µs",
) -> Row:
    """A load on the hub's wire."""
    return Row(key, title, ("hub", f"--tokens={signed}", *load), figure=figure, unit=unit)


Found = tuple[list["Line"], dict[str, Cell]]


def ratio(one: float | None, other: float | None) -> float | None:
    """How many times `other` is in `one`."""
    return one / other if one is not None and other else None


def in_turn(runs: dict[str, tuple[Entry, Row]], rounds: int, seconds: float) -> dict[str, Cell]:
    """Measures different loads in turn: what disturbs one disturbs all."""
    cells = {name: Cell() for name in runs}
    for _ in range(rounds):
        for name, (entry, row) in runs.items():
            cell = compare(row, {name: entry}, 1, seconds)[name]
            cells[name].runs += cell.runs
            cells[name].failure = cell.failure
    return cells


def measure_wire(signed: Path, rounds: int, seconds: float) -> Found:
    """What the hub's wire adds: to a delivery, to a publication, to coming in."""
    lines: list[Line] = []
    cells: dict[str, Cell] = {}
    for in_flight in (1, 16):
        load = ("-c1000", f"--in-flight={in_flight}")
        title = f"1,000 subscribers, {in_flight} in flight"
        names = f"hub{in_flight}", f"plain{in_flight}"
        wire = hub(names[0], f"hub, {title}", signed, *load)
        plain = rows.fan(names[1], f"plain, {title}", *load, f"-s{len(FRAME)}")
        data = rows.fan(f"data{in_flight}", f"data alone, {title}", *load, f"-s{DATA_BYTES}")
        runs = {
            names[0]: (Entry(ONE, WIRE), wire),
            names[1]: (Entry(ONE, "/fan"), plain),
            data.key: (Entry(ONE, "/fan"), data),
        }
        cells |= in_turn(runs, rounds, seconds)
        share = ratio(*(cells[name].median("server_cpu_us") for name in reversed(names)))
        lines.append(Line(f"deliveries per CPU-second, hub / plain: {title}", share, 0.8, "", True))
    own = hub("own", "publications that nobody hears", signed, "-c100", "--own")
    runs = {
        "own": (Entry(ONE, WIRE), own),
        "echo": (Entry(ONE, "/echo"), rows.D1),
        "bare": (Entry(BARE, "/echo"), rows.D1),
    }
    cells |= in_turn(runs, rounds, seconds)
    lines.append(Line("a client's publication", cells["own"].median("server_cpu_us"), 15, "µs"))
    load = (f"-c{CROWD}", "--opening=512")
    enter = hub("enter", "coming in", signed, *load, figure="entering_s", unit="s")
    cells |= compare(enter, {"enter": Entry(ONE, WIRE)}, rounds, 0.5)
    title = f"{CROWD:,} clients connect, show a token, subscribe twice"
    lines.append(Line(title, cells["enter"].median("entering_s"), 3, "s"))
    return lines, cells


def evenness(cell: Cell) -> float | None:
    """How busy the least busy of the engine's threads was, by the busiest: the median."""
    found: list[float] = []
    for run in cell.runs:
        threads = (one.rsplit(" ", 1) for one in run.get("server_threads", "").split(", "))
        shares = [float(share) for name, share in threads if name.startswith("hubbub-")]
        if len(shares) > 1:
            found.append(min(shares) / max(shares))
    return statistics.median(found) if found else None


def measure_threads(rounds: int, seconds: float) -> Found:
    """What a second thread brings while the load generator sleeps."""
    lines: list[Line] = []
    cells: dict[str, Cell] = {}
    for row, path, least in ((FAN, "/fan", 1.6), (ECHO, "/echo", 1.5)):
        entries = {f"{row.key}{n}": Entry(server, path) for n, server in FREE.items()}
        found = compare(row, entries, rounds, seconds)
        gain, cost = (
            ratio(*(found[f"{row.key}{n}"].median(what) for n in (2, 1)))
            for what in ("per_second", "server_cpu_us")
        )
        lines.append(Line(f"{row.title}: two threads / one", gain, least, "", True))
        lines.append(Line(f"{row.title}: CPU each, two threads / one", cost, 1.1))
        even = evenness(found[f"{row.key}2"])
        lines.append(Line(f"{row.title}: less busy thread / busier one", even, 0.8, "", True))
        cells |= found
    return lines, cells


def summary(lines: list[Line], cells: dict[str, Cell], rounds: int) -> dict[str, Any]:
    """One part of the result, as it is kept."""
    return {
        "machine": rig.machine(),
        "rounds": rounds,
        "bounds": [
            {"line": line.written(), "found": line.found, "bound": line.bound, "holds": line.holds}
            for line in lines
        ],
        "rows": {
            name: {figure: cell.median(figure) for figure in FIGURES}
            | {"server_threads": [run.get("server_threads") for run in cell.runs]}
            for name, cell in cells.items()
        },
    }


def markdown(parts: dict[str, Any]) -> str:
    """All parts as a page."""
    bounds = [bound for part in parts.values() for bound in part["bounds"]]
    kept = sum(one["holds"] for one in bounds)
    page = f"# The hub, and threads\n\n{kept} of {len(bounds)} bounds hold.\n\n"
    for name, part in parts.items():
        page += f"## {TITLES[name]}\n\n"
        page += table(["", "found", "bound", ""], [one["line"] for one in part["bounds"]])
        head = ["", *FIGURES.values(), "its threads, last run"]
        body = [
            [
                row,
                *(figure(medians[key]) for key in FIGURES),
                str(medians["server_threads"][-1]) if medians["server_threads"] else "",
            ]
            for row, medians in part["rows"].items()
        ]
        page += f"\n{table(head, body)}\nMedians of {part['rounds']} runs. {part['machine']}\n\n"
    return page + "What is what: [docs/performance.md](../../docs/performance.md).\n"


def main() -> int:
    """Measures, prints, writes; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.hub", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server in each row")
    parser.add_argument("--seconds", type=float, default=2, help="length of one run")
    parser.add_argument("--only", choices=list(TITLES), help="a part; the other's figures stay")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write into")
    arguments = parser.parse_args()
    rig.check_machine()
    rig.build()
    rig.take_precedence()
    arguments.results.mkdir(parents=True, exist_ok=True)
    kept = arguments.results / "hub.json"
    parts: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    measured = [arguments.only] if arguments.only else list(TITLES)
    for name in measured:
        if name == "wire":
            with tempfile.TemporaryDirectory() as folder:
                found = measure_wire(tokens(Path(folder)), arguments.rounds, arguments.seconds)
        else:
            found = measure_threads(arguments.rounds, arguments.seconds)
        parts[name] = summary(*found, arguments.rounds)
        parts = {name: parts[name] for name in TITLES if name in parts}
        kept.write_text(json.dumps(parts, indent=1, ensure_ascii=False) + "\n")
        (arguments.results / "hub.md").write_text(markdown(parts))
    print(f"\n{markdown(parts)}")
    return int(not all(bound["holds"] for name in measured for bound in parts[name]["bounds"]))


if __name__ == "__main__":
    sys.exit(main())
