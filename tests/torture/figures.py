"""Figures: what the attacks have shown, row by row, and how they get into docs/reliability.md.

`python -m tests.torture.figures JSON MARKDOWN` puts the figures of one run into the last column of
the table; rows that were not run keep theirs.
"""

import datetime
import json
import os
import platform
import re
import sys
from collections import defaultdict
from pathlib import Path

JSON = Path("reports/torture.json")
LAST_RUN = "Last run of `make torture`:"


class Figures:
    """What a run has measured."""

    def __init__(self) -> None:
        self._rows: dict[str, list[str]] = defaultdict(list)

    def note(self, row: str, figure: str) -> None:
        """Keeps one figure for a row such as "W4"."""
        self._rows[row].append(figure)

    def write(self, path: Path) -> None:
        """Writes all of them, with the machine they belong to."""
        if not self._rows:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
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
    found = json.loads(source.read_text())
    page.write_text(rendered(page.read_text(), found["measured"], found["rows"]))


if __name__ == "__main__":
    main()
