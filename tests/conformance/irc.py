"""Runs irctest against our front and writes how it did.

`python -m tests.conformance.irc FOLDER`: FOLDER is a copy of irctest (progval's, on GitHub), which
is not ours to keep here. What is not as its tests want is in the summary with its reason.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ..serving import ROOT
from .irc_reasons import REASONS

SELECTION = "not implementation-specific and not deprecated and not strict"


@dataclass(frozen=True)
class Case:
    """One test and what became of it."""

    file: str
    name: str
    outcome: str
    """"passed", "failed", or "skipped"."""

    @property
    def reason(self) -> str:
        """Why it is not as the test wants; empty: nobody has said."""
        full = f"{self.file}::{self.name}"
        return next((why for start, why in REASONS if full.startswith(start)), "")


def run(irctest: Path, results: Path, only: Sequence[str]) -> None:
    """Runs the tests; their results are in a file as JUnit has them."""
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("--controller", "tests.conformance.irc_controller", "-m", SELECTION),
        *("--junitxml", str(results), *(only or ["irctest/server_tests"])),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(irctest)))}
    subprocess.run(command, cwd=irctest, env=environment, check=False)


def read(results: Path) -> list[Case]:
    """What became of each test."""
    found: list[Case] = []
    for case in ET.parse(results).iter("testcase"):
        *_, file, owner = f"{case.get('classname')}".split(".")
        name = f"{owner}::{case.get('name')}"
        wrong = case.find("failure") is not None or case.find("error") is not None
        outcome = "failed" if wrong else "skipped" if case.find("skipped") is not None else "passed"
        found.append(Case(file, name, outcome))
    return found


def summary(cases: Sequence[Case], commit: str) -> str:
    """The page."""
    by_file: Mapping[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        by_file[case.file][case.outcome] += 1
    total = Counter(case.outcome for case in cases)
    rows = [_row(f"`{file}`", by_file[file]) for file in sorted(by_file)]
    failures: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        if case.outcome == "failed":
            failures[case.reason or "**Not explained.**"].append(f"`{case.file}::{case.name}`")
    reasons = [
        f"{why}\n\n" + "\n".join(f"- {name}" for name in names) for why, names in failures.items()
    ]
    return "\n".join(
        (
            "# IRC conformance",
            "",
            f"irctest ({commit}) against the chat's IRC front, a fresh chat for each test,",
            "without a lobby and without limits. Written by `make conformance-irc`; do not edit",
            "by hand.",
            "",
            "Skipped are tests of what a server may leave out, and of what we do not announce.",
            "",
            "| file | passed | failed, with a reason below | skipped |",
            "|---|--:|--:|--:|",
            *rows,
            _row("**all**", total),
            "",
            "## What is not as the tests want, and why",
            "",
            "\n\n".join(reasons) or "Nothing.",
            "",
            f"hubbub {version('hubbub')}.",
            "",
        )
    )


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {counts['passed']} | {counts['failed']} | {counts['skipped']} |"


def main() -> int:
    """Runs, writes, and fails if something is not explained."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("irctest", type=Path, help="a copy of irctest")
    parser.add_argument("--commit", default="a copy of unknown age", help="which one it is")
    parser.add_argument(
        "--results", type=Path, action="append", help="of earlier runs instead; the last one counts"
    )
    parser.add_argument("--summary", type=Path, default=ROOT / "docs/irc-conformance.md")
    parser.add_argument("only", nargs="*", help="files of irctest, instead of all")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = given.results or [Path(folder) / "results.xml"]
        if not given.results:
            run(given.irctest.absolute(), results[0], given.only)
        by_name = {(one.file, one.name): one for file in results for one in read(file)}
        cases = [*by_name.values()]
    unexplained = [case for case in cases if case.outcome == "failed" and not case.reason]
    for case in unexplained:
        print(f"failed without a reason: {case.file}::{case.name}")
    if not given.only:
        given.summary.write_text(summary(cases, given.commit), encoding="utf-8")
    print(Counter(case.outcome for case in cases))
    return 1 if unexplained or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
