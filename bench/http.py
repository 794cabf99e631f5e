"""`python -m bench.http`: a small JSON answer and static files, ours beside uvicorn and granian.

Installs the peers as `bench.peers` does. Prints a table of server CPU per request, and exits with
1 when a bound is missed.
"""

import argparse
import os
import sys
from pathlib import Path

from bench import rig
from bench.comparison import Cell, Entry, compare, figure, table
from bench.peers import HOME, PYTHON, SOURCES, install
from bench.rig import Server
from bench.rows import Row

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


def verdict(row: Row, rival: str, at_most: float, cells: dict[str, Cell]) -> list[str]:
    """One bound as a line of the table."""
    ours, theirs = (cells[name].median(row.figure) for name in (OURS, rival))
    ratio = ours / theirs if ours is not None and theirs else None
    holds = ratio is not None and ratio <= at_most
    found = "-" if ratio is None else f"{ratio:.2f}"
    text = f"{row.title}: Hubbub / {rival}"
    return [text, found, f"{at_most:.2f}", "holds" if holds else "**missed**"]


def main() -> int:
    """Measures and prints; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.http", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each server in each row")
    parser.add_argument("--duration", default="4", help="of each run, in seconds")
    options = parser.parse_args()
    rig.check_machine()
    rig.build()
    install()
    make_files()
    rig.take_precedence()
    timing = [f"--duration={options.duration}"]
    results: dict[Row, dict[str, Cell]] = {}
    for row in (JSON, FILE_16K, FILE_1M):
        entries = {
            name: Entry(server, row.path)
            for name, server in SERVERS.items()
            if row is JSON or name != UVICORN
        }
        results[row] = compare(row, entries, options.rounds, timing)
    body = [
        [name, *(figure(cells[name].median("server_cpu_us")) if name in cells else "-"
                 for cells in results.values())]
        for name in SERVERS
    ]  # fmt: skip
    print(table(["server CPU, µs", *(row.title for row in results)], body))
    bounds = [verdict(row, rival, at_most, results[row]) for row, rival, at_most in BOUNDS]
    print(table(["bound", "ratio", "at most", ""], bounds))
    print(rig.machine())
    return int(any("missed" in line[-1] for line in bounds))


if __name__ == "__main__":
    sys.exit(main())
