"""Runs Autobahn's cases against a server and tells how it did.

`python -m tests.conformance.autobahn`: without `--address` the server is ours, serving
`echo_app.py` in default settings but for the message limit (some cases are of 16 MiB).
What a verdict is worth is decided in `verdicts.py`.
"""

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from ..authority import Authority
from ..serving import ROOT, serving
from ..tls_forwarder import Forwarder
from .verdicts import GROUPS, INFORMATIONAL, Report

LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class Half:
    """A part of the cases that takes about as long as the others."""

    name: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


SLOWEST = ("12.2.*", "12.3.*", "12.4.*", "12.5.*")
HALVES = (Half("slowest", include=SLOWEST), Half("others", exclude=SLOWEST))


@dataclass(frozen=True)
class Run:
    """One run of the cases against one server."""

    report: Report
    duration_s: float


def echo_server() -> AbstractContextManager[str]:
    """Our server with `echo_app.py`; yields its `host:port`."""
    return serving("tests/conformance/echo_app.py:app", "--ws-max-size", str(LARGEST_MESSAGE_BYTES))


@contextmanager
def echo_server_by_tls() -> Generator[str]:
    """The same speaking TLS, behind a forwarder, for kosoku knows none; yields its `host:port`."""
    with ExitStack() as stack:
        authority = Authority(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        cert, key = authority.pair("localhost")
        flags = ("--ws-max-size", str(LARGEST_MESSAGE_BYTES), "--ssl-certfile", cert)
        app = "tests/conformance/echo_app.py:app"
        address = stack.enter_context(serving(app, *flags, "--ssl-keyfile", key))
        forwarder = Forwarder(int(address.rpartition(":")[2]), authority.file)
        yield f"127.0.0.1:{stack.enter_context(forwarder).port}"


def run_cases(
    address: str, reports: Path, *, include: Sequence[str] = (), exclude: Sequence[str] = ()
) -> Run:
    """Runs the chosen cases, one after the other, and leaves kosoku's HTML report in `reports`.

    Raises:
        RuntimeError: kosoku broke off; its own words are the message.
    """
    command = [sys.executable, "-m", f"{__package__}.kosoku_runner", "-o", str(reports)]
    for globs, flag in ((include, "-i"), (exclude, "-x")):
        command += [part for glob in globs for part in (flag, glob)]
    index = reports / "index.json"
    index.unlink(missing_ok=True)
    began = time.monotonic()
    kosoku = subprocess.run(
        [*command, address], cwd=ROOT, text=True, capture_output=True, check=False
    )
    duration_s = time.monotonic() - began
    # The exit code says only whether a case FAILED; all else stands in the report.
    if not index.is_file():
        raise RuntimeError(f"kosoku wrote no report: {kosoku.stdout}{kosoku.stderr}")
    return Run(Report.from_index(json.loads(index.read_text())), duration_s)


def run_all(address: str, reports: Path) -> Run:
    """Runs all cases in two halves side by side: kosoku is busier than the server it asks.

    Raises:
        RuntimeError: kosoku broke off; its own words are the message.
    """
    began = time.monotonic()
    with ThreadPoolExecutor(len(HALVES)) as pool:
        halves = pool.map(
            lambda half: run_cases(
                address, reports / half.name, include=half.include, exclude=half.exclude
            ),
            HALVES,
        )
        verdicts = tuple(one for run in halves for one in run.report.verdicts)
    return Run(Report(verdicts), time.monotonic() - began)


def table(report: Report) -> str:
    """The counts of each group, as a Markdown table."""
    lines = ["| group | cases | OK | informational | others |", "|---|--:|--:|--:|--:|"]
    for group, (title, _) in GROUPS.items():
        count = report.count(group)
        cases, ok, seen = sum(count.values()), count["OK"], count["INFORMATIONAL"]
        lines.append(f"| {group}. {title} | {cases} | {ok} | {seen} | {cases - ok - seen} |")
    ok = sum(v.behavior == "OK" for v in report.verdicts)
    seen = sum(v.behavior == "INFORMATIONAL" for v in report.verdicts)
    cases = len(report.verdicts)
    lines.append(f"| **all** | **{cases}** | **{ok}** | **{seen}** | **{cases - ok - seen}** |")
    return "\n".join(lines)


def summary(run: Run) -> str:
    """The page `docs/conformance.md`."""
    deviations = run.report.deviations() or ["none"]
    observed = ", ".join(sorted(INFORMATIONAL))
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"""# Conformance

Autobahn's cases, run by kosoku {version("kosoku")} against hubbub {version("hubbub")} on {python}.
Written by `make conformance`, which fails on any deviation; do not edit by hand.

{table(run.report)}

Deviations: {"; ".join(deviations)}.

OK means that both the exchange and the closing handshake were as the case demands;
NON-STRICT does not count as OK. The cases {observed} are only observed by
Autobahn and have no OK to reach.

Settings: the defaults, but for a message limit of {LARGEST_MESSAGE_BYTES // 1024**2} MiB, the size
of the largest messages in group 9. The whole run took {run.duration_s:.0f} s.
"""


def main() -> int:
    """Runs the cases as the command line says; the exit code is 0 only without any deviation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", help="HOST:PORT of another server (default: start ours)")
    parser.add_argument("--tls", action="store_true", help="ours speaks TLS")
    parser.add_argument("--include", action="append", default=[], metavar="GLOB")
    parser.add_argument("--exclude", action="append", default=[], metavar="GLOB")
    parser.add_argument("--reports", type=Path, help="keep kosoku's HTML report here")
    parser.add_argument("--summary", type=Path, help="write the Markdown summary here")
    options = parser.parse_args()

    with ExitStack() as stack:
        reports = options.reports or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = options.address or stack.enter_context(
            echo_server_by_tls() if options.tls else echo_server()
        )
        whole = not (options.include or options.exclude)
        run = (
            run_all(address, reports)
            if whole
            else run_cases(address, reports, include=options.include, exclude=options.exclude)
        )
    wrong = run.report.deviations() + (run.report.gaps() if whole else [])
    print(table(run.report))
    print(f"\n{len(run.report.verdicts)} cases in {run.duration_s:.1f} s")
    print("\n".join(f"deviation: {text}" for text in wrong) or "no deviations")
    if options.summary:
        options.summary.write_text(summary(run))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
