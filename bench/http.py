"""`python -m bench.http`: a small JSON answer and static files, ours beside uvicorn and granian.

Installs the peers as `bench.peers` does. Writes bench/results/http.md and .json, and exits with 1
when a bound is missed.
"""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from bench import rig
from bench.comparison import Cell, Entry, compare, figure, table
from bench.peers import HOME, PYTHON, SOURCES, install, versions
from bench.rig import Server
from bench.rows import Row
from bench.run import RESULTS

FILES = HOME / "files"
SIZES = {"16k.bin": 16 << 10, "1m.bin": 1 << 20}

JSON = Row("json", "small JSON", ("http", "-c100"), path="/json")
FILE_16K = Row("16k", "file of 16 KiB", ("http", "-c100"), path="/static/16k.bin")
FILE_1M = Row("1m", "file of 1 MiB", ("http", "-c50"), path="/static/1m.bin")

OURS, UVICORN, GRANIAN = "Hubbub", "uvicorn, httptools", "granian, RSGI"

BOUNDS = [
    (JSON, UVICORN, 1 / 3),
    (JSON, GRANIAN, 1.0),
    (FILE_16K, GRANIAN, 1.0),
    (FILE_1M, GRANIAN, 1.0),
]
"""Ours must not cost more than so many times theirs."""

SERVERS = {
    OURS: Server(
        OURS,
        lambda port, _: [
            *(sys.executable, "-m", "hubbub", "run", "bench/http_app.py:app"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        env={"BENCH_FILES": str(FILES)},
    ),
    UVICORN: Server(
        UVICORN,
        lambda port, _: [
            *(str(PYTHON), "-m", "uvicorn", "http_asgi:app", "--app-dir", str(SOURCES)),
            *("--host", "127.0.0.1", "--port", str(port), "--loop", "uvloop"),
            *("--http", "httptools", "--log-level", "error", "--lifespan", "off"),
        ],
    ),
    GRANIAN: Server(
        GRANIAN,
        lambda port, _: [
            *(str(PYTHON), "-m", "granian", "http_rsgi:app", "--working-dir", str(SOURCES)),
            *("--host", "127.0.0.1", "--port", str(port), "--interface", "rsgi"),
            *("--loop", "uvloop", "--workers", "1", "--runtime-mode", "st"),
            *("--no-access-log", "--log-level", "error"),
            *("--static-path-route", "/static", "--static-path-mount", str(FILES)),
        ],
    ),
}


def make_files() -> None:
    """Writes the files that are asked for."""
    FILES.mkdir(parents=True, exist_ok=True)
    for name, size in SIZES.items():
        path = Path(FILES / name)
        if not path.exists() or path.stat().st_size != size:
            path.write_bytes(os.urandom(size))


@dataclass(frozen=True)
class Verdict:
    """One bound and what was found."""

    row: Row
    rival: str
    at_most: float
    ratio: float | None

    @property
    def text(self) -> str:
        """The bound in words."""
        return f"{self.row.title}: {OURS} / {self.rival}"

    @property
    def holds(self) -> bool:
        """Whether it is kept; what could not be measured is not."""
        return self.ratio is not None and self.ratio <= self.at_most


Results = dict[Row, dict[str, Cell]]


def verdicts(results: Results) -> list[Verdict]:
    """Each bound of the rows that were measured."""
    found: list[Verdict] = []
    for row, rival, at_most in BOUNDS:
        if row in results:
            ours, theirs = (results[row][name].median(row.figure) for name in (OURS, rival))
            ratio = ours / theirs if ours is not None and theirs else None
            found.append(Verdict(row, rival, at_most, ratio))
    return found


def markdown(results: Results, rounds: int) -> str:
    """The whole result as a page."""
    head = ["server CPU, µs a request", *(row.title for row in results)]
    body = [
        [name, *(_shown(cells.get(name), row) for row, cells in results.items())]
        for name in SERVERS
    ]
    bounds = [
        [
            one.text,
            "-" if one.ratio is None else f"{one.ratio:.2f}",
            f"{one.at_most:.2f}",
            "holds" if one.holds else "**missed**",
        ]
        for one in verdicts(results)
    ]
    return (
        "# HTTP: a small answer, and files\n\n"
        f"{table(head, body)}\n"
        f"Medians of {rounds} runs, servers in turn, server and load generator on a processor "
        "each. ¹: the load generator was saturated, the server was not.\n\n"
        f"{table(['bound', 'ratio', 'at most', ''], bounds)}\n"
        f"Versions: {versions()}.\n\n{rig.machine()}\n"
    )


def _shown(cell: Cell | None, row: Row) -> str:
    if cell is None:
        return "-"
    return figure(cell.median(row.figure)) + " ¹" * cell.is_client_bound


def main() -> int:
    """Measures, prints, writes; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.http", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server in each row")
    parser.add_argument("--seconds", type=float, default=3, help="length of one run")
    parser.add_argument("--rows", default="", help="only these, comma separated: json,16k,1m")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write into")
    options = parser.parse_args()
    rig.check_machine()
    rig.build()
    install()
    make_files()
    rig.take_precedence()
    wanted = set(filter(None, options.rows.split(",")))
    results: Results = {}
    for row in (JSON, FILE_16K, FILE_1M):
        if wanted and row.key not in wanted:
            continue
        entries = {
            name: Entry(server, row.path)
            for name, server in SERVERS.items()
            if row is JSON or name != UVICORN
        }
        results[row] = compare(row, entries, options.rounds, options.seconds)

    page = markdown(results, options.rounds)
    print(f"\n{page}")
    found = verdicts(results)
    report = {
        "machine": rig.machine(),
        "server_cpu_us": {
            row.key: {name: cell.median(row.figure) for name, cell in cells.items()}
            for row, cells in results.items()
        },
        "bounds": [
            {"bound": one.text, "ratio": one.ratio, "at_most": one.at_most} for one in found
        ],
    }
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "http.md").write_text(page)
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (options.results / "http.json").write_text(text + "\n")
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
