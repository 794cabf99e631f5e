"""`make bench-peers`: ours and servers from the registries in one run.

Installs the peers below .stamps/peers. Writes bench/results/peers.md, .json and, where matplotlib
is installed, .png.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import plot, rig, rows
from bench.comparison import Cell, Entry, compare, figure, table
from bench.rig import Server
from bench.run import BARE, OURS, RESULTS

SOURCES = rig.ROOT / "bench/peers"
HOME = rig.ROOT / ".stamps/peers"
PYTHON = HOME / "venv/bin/python"
MODULES = HOME / "node_modules"
ROWS = [rows.D1, rows.D16, rows.FAN_10K, rows.TLS, rows.DEFLATE, rows.HANDSHAKE]


def install() -> None:
    """Brings the peers here, once for each list of versions."""
    wanted = "".join((SOURCES / name).read_text() for name in ("requirements.txt", "package.json"))
    stamp = HOME / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    print("installing the peers")
    HOME.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", HOME / "venv"], check=True)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    subprocess.run([*pip, "-r", SOURCES / "requirements.txt"], check=True)
    if shutil.which("npm"):
        shutil.copy(SOURCES / "package.json", HOME)
        npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(npm, cwd=HOME, check=True)
    else:
        print("npm was not found: ws, Bun and uWebSockets.js are left out")
    stamp.write_text(wanted)


def python(script: str) -> Callable[[int, bool], list[str]]:
    """The command line of a server that is a Python file."""
    return lambda port, deflate: [
        *(str(PYTHON), str(SOURCES / script), str(port)),
        *(["deflate"] if deflate else []),
    ]


def node(runtime: str, script: str) -> Callable[[int, bool], list[str]]:
    """The command line of a server that is a JavaScript file."""
    return lambda port, deflate: [
        *(runtime, str(SOURCES / script), str(port)),
        *(["deflate"] if deflate else []),
    ]


def uvicorn(backend: str) -> Callable[[int, bool], list[str]]:
    """Uvicorn on uvloop and httptools with one of its WebSocket back ends."""
    return lambda port, deflate: [
        *(str(PYTHON), "-m", "uvicorn", "asgi:app", "--app-dir", str(SOURCES)),
        *("--host", "127.0.0.1", "--port", str(port), "--backlog", "4096"),
        *("--loop", "uvloop", "--http", "httptools", "--ws", backend, "--log-level", "error"),
        *("--ws-per-message-deflate", str(deflate), "--lifespan", "off"),
    ]


def granian(interface: str) -> Callable[[int, bool], list[str]]:
    """Granian on uvloop with one worker, single-threaded."""
    return lambda port, _: [
        *(str(PYTHON), "-m", "granian", f"{interface}:app", "--working-dir", str(SOURCES)),
        *("--host", "127.0.0.1", "--port", str(port), "--backlog", "4096"),
        *("--interface", interface.replace("asgi", "asginl"), "--loop", "uvloop", "--workers", "1"),
        *("--runtime-mode", "st", "--no-access-log", "--log-level", "error"),
    ]


NODE = {"NODE_PATH": str(MODULES)}
PEERS = [
    # Whom a bound names has turns next to ours: a machine changes its speed within seconds.
    Server(
        "picows, uvloop",
        python("picows_server.py"),
        deflates=False,
        tls=lambda cert, key: [cert, key],
    ),
    Server("Bun", node(str(MODULES / "@oven/bun-linux-x64/bin/bun"), "bun.js")),
    Server("uWebSockets.js", node("node", "uws.cjs"), env=NODE),
    Server("ws (Node)", node("node", "ws.cjs"), env=NODE),
    Server("aiohttp, uvloop", python("aiohttp_server.py")),
    Server("websockets, uvloop", python("websockets_server.py")),
    Server("tornado, uvloop", python("tornado_server.py")),
    Server("uvicorn, websockets", uvicorn("websockets")),
    Server("uvicorn, websockets-sansio", uvicorn("websockets-sansio")),
    Server("uvicorn, wsproto", uvicorn("wsproto")),
    Server("granian, RSGI", granian("rsgi"), deflates=False),
    Server("granian, ASGI", granian("asgi"), deflates=False),
]


@dataclass(frozen=True)
class Bound:
    """Ours must not cost more than `at_most` times the cheapest of those whose name begins so."""

    row: rows.Row
    at_most: float
    rival: str

    def rival_of(self, cells: dict[str, Cell]) -> str | None:
        """The cheapest of the rivals."""
        medians = {
            name: cell.median(self.row.figure)
            for name, cell in cells.items()
            if name.startswith(self.rival)
        }
        known = [(value, name) for name, value in medians.items() if value is not None]
        return min(known)[1] if known else None


BOUNDS = [
    Bound(rows.D1, 0.85, "picows"),
    Bound(rows.D1, 0.30, "uvicorn"),
    Bound(rows.D1, 1.0, "Bun"),
    Bound(rows.D16, 1.0, "Bun"),
    Bound(rows.FAN_10K, 1.0, "Bun"),
    Bound(rows.FAN_10K, 1.0, "uWebSockets.js"),
    Bound(rows.TLS, 1.0, "picows"),
    Bound(rows.DEFLATE, 0.75, "Bun"),
    Bound(rows.HANDSHAKE, 1.0, "Bun"),
]

Results = dict[rows.Row, dict[str, Cell]]


def verdicts(results: Results) -> list[tuple[str, float | None, float]]:
    """Each bound: its text, the ratio found, the ratio allowed."""
    found: list[tuple[str, float | None, float]] = []
    for bound in BOUNDS:
        cells = results.get(bound.row)
        if cells is None:
            continue
        rival = bound.rival_of(cells)
        ours = cells.get("Hubbub", Cell())
        ratio = ours.ratio_to(cells[rival], bound.row.figure) if rival else None
        text = f"{bound.row.title}: Hubbub / {rival or bound.rival}"
        found.append((text, ratio, bound.at_most))
    return found


def markdown(results: Results, count: int) -> str:
    """The whole result as a page."""
    names = list(dict.fromkeys(name for cells in results.values() for name in cells))
    head = ["server CPU, µs", *(row.title for row in results)]
    body: list[list[str]] = []
    for name in names:
        cells = [(results[row][name], row) for row in results]
        texts = [
            figure(cell.median(row.figure)) + " ¹" * cell.is_client_bound for cell, row in cells
        ]
        body.append([f"**{name}**" if name == "Hubbub" else name, *texts])
    bounds = [
        [
            text,
            "-" if ratio is None else f"{ratio:.2f}",
            f"{at_most:.2f}",
            "holds" if ratio is not None and ratio <= at_most else "**missed**",
        ]
        for text, ratio, at_most in verdicts(results)
    ]
    failures = [
        f"- {name}, {row.title}: {cell.failure}\n"
        for row, cells in results.items()
        for name, cell in cells.items()
        if cell.failure
    ]
    return (
        "# Hubbub and its peers\n\n"
        f"{table(head, body)}\n"
        "Server CPU per message, delivery or connection; every payload verified; compression off "
        "except in its own row.\n"
        f"Medians of {count} measurements (fewer of fan-out), servers in turn, server and load "
        "generator on a processor each; ratios are the medians of those of each turn. "
        "¹: the load generator was saturated, the server was not.\n\n"
        f"{table(['bound', 'ratio', 'at most', ''], bounds)}\n"
        f"{'Not measured:' + chr(10) * 2 + ''.join(failures) + chr(10) if failures else ''}"
        f"Versions: {versions()}.\n\n{rig.machine()}\n"
    )


def versions() -> str:
    """What was installed, as the lists name it."""
    lines = (SOURCES / "requirements.txt").read_text().splitlines()
    python = [line.replace("==", " ") for line in lines if "==" in line]
    packages: dict[str, str] = json.loads((SOURCES / "package.json").read_text())["dependencies"]
    return ", ".join([*python, *(f"{name} {version}" for name, version in packages.items())])


def main() -> int:
    """Measures, prints, writes; 1 when a bound is missed."""
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2, help="how often all servers are started")
    parser.add_argument(
        "--turns", type=int, default=7, help="measurements of each, one after the other, in a round"
    )
    parser.add_argument("--seconds", type=float, default=0.12, help="length of one measurement")
    parser.add_argument("--rows", default="", help="only these, comma separated: d1,d16,…")
    parser.add_argument(
        "--servers", default="", help="only those whose names hold one of these, comma separated"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write into")
    arguments = parser.parse_args()
    rig.check_machine()
    install()
    rig.build()
    rig.take_precedence()

    servers = {"Hubbub": OURS, "bare epoll": BARE} | {peer.name: peer for peer in PEERS}
    if arguments.servers:
        parts = arguments.servers.split(",")
        servers = {n: s for n, s in servers.items() if any(part in n for part in parts)}
    wanted = set(filter(None, arguments.rows.split(",")))
    results: Results = {}
    for row in ROWS:
        if not wanted or row.key in wanted:
            entries = {
                name: Entry(server, getattr(server, row.path)) for name, server in servers.items()
            }
            results[row] = compare(
                row,
                entries,
                arguments.rounds,
                arguments.seconds,
                turns=arguments.turns,
            )

    page = markdown(results, arguments.rounds * arguments.turns)
    print(f"\n{page}")
    medians = {
        row: {name: cell.median(row.figure) for name, cell in cells.items()}
        for row, cells in results.items()
    }
    found = verdicts(results)
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "peers.md").write_text(page)
    (arguments.results / "peers.json").write_text(
        json.dumps(
            {
                "machine": rig.machine(),
                "server_cpu_us": {row.key: values for row, values in medians.items()},
                "bounds": [
                    {"bound": text, "ratio": ratio, "at_most": at_most}
                    for text, ratio, at_most in found
                ],
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )
    titles = {row.title: values for row, values in medians.items()}
    plot.peers(titles, "Hubbub", arguments.results / "peers.png")
    return 0 if all(ratio is not None and ratio <= at_most for _, ratio, at_most in found) else 1


if __name__ == "__main__":
    sys.exit(main())
