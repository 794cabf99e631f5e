"""Figures: what the attacks have shown, row by row, and how they get into docs/reliability.md.

`python -m tests.torture.figures JSON MARKDOWN` puts the figures of one run, a file or a folder of
them, into the last column of the table; rows that were not run keep theirs.
"""

import datetime
import json
import os
import platform
import re
import sys
from collections import defaultdict
from pathlib import Path

FOLDER = Path("reports/torture")
LAST_RUN = "Last run of `make torture`:"


class Figures:
    """What a run has measured."""

    def __init__(self) -> None:
        self._rows: dict[str, list[str]] = defaultdict(list)

    def note(self, row: str, figure: str) -> None:
        """Keeps one figure for a row such as "W4"."""
        self._rows[row].append(figure)

    def write(self, folder: Path) -> None:
        """Writes all of them, with the machine they belong to, each process a file of its own."""
        if not self._rows:
            return
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{os.getpid()}.json"
        measured = {"measured": machine(), "rows": {k: "; ".join(v) for k, v in self._rows.items()}}
        path.write_text(json.dumps(measured, indent=2) + "\n")


def machine() -> str:
    """Where and when this is."""
    model = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    day = datetime.datetime.now(tz=datetime.UTC).date()
    cores = len(os.sched_getaffinity(0))
    name = model[1] if model else platform.machine()
    linux, python = platform.release().split("-")[0], platform.python_version()
    return f"{day}, {cores} cores of {name}, Linux {linux}, CPython {python}"


def rendered(text: str, measured: str, rows: dict[str, str]) -> str:
    """The page with these figures in it."""

    def renewed(line: str) -> str:
        if line.startswith(LAST_RUN):
            return f"{LAST_RUN} {measured}."
        row = line.removeprefix("| ").partition(" | ")[0]
        if row not in rows:
            return line
        return line.rpartition(" | ")[0] + f" | {rows[row]} |"

    return "".join(renewed(line) + "\n" for line in text.splitlines())


def main() -> None:
    source, page = map(Path, sys.argv[1:])
    files = [source] if source.is_file() else sorted(source.glob("*.json"))
    measured, rows = "", defaultdict[str, list[str]](list)
    for file in files:
        found = json.loads(file.read_text())
        measured = found["measured"]
        for row, figure in found["rows"].items():
            rows[row].append(figure)
    if files:
        joined = {row: "; ".join(figures) for row, figures in rows.items()}
        page.write_text(rendered(page.read_text(), measured, joined))


if __name__ == "__main__":
    main()
