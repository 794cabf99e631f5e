"""Runs Autobahn's cases against a server and tells how it did.

`python -m tests.conformance.autobahn`: without `--address` the server is ours, serving
`echo_app.py` in default settings but for the message limit (some cases are of 16 MiB).
What a verdict is worth is decided in `verdicts.py`.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Sequence
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


REST = "rest"
COMPRESSED = tuple(
    f"{part}.*"
    for part in (*(f"12.{n}" for n in range(2, 6)), *(f"13.{n}" for n in range(1, 8)), "12.1")
)
"""Groups 12 and 13, part by part, those that take longest first; all other cases are `REST`."""

SIDE_BY_SIDE = 4
"""kosoku asks and waits: with fewer, a processor idles while two wait for one server."""

KEEPING_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
}
"""Or kosoku gives the memory of each large message back, and takes it anew for the next."""


@dataclass(frozen=True)
class Run:
    """One run of the cases against one server."""

    report: Report
    duration_s: float


def echo_server() -> AbstractContextManager[str]:
    """Our server with `echo_app.py`; yields its `host:port`."""
    return serving("tests/conformance/echo_app.py:app", "--ws-max-size", str(LARGEST_MESSAGE_BYTES))


@contextmanager
def echo_server_by_tls(
    forward: Callable[[int, str], AbstractContextManager[int]] | None = None,
) -> Generator[str]:
    """The same speaking TLS, behind a forwarder, for kosoku knows none.

    Args:
        forward: From a TLS port and a file of its authority to a plain port; without it, the
            forwarder that needs not be built.

    Yields:
        The `host:port` that kosoku may ask.
    """
    with ExitStack() as stack:
        authority = Authority(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        cert, key = authority.pair("localhost")
        flags = ("--ws-max-size", str(LARGEST_MESSAGE_BYTES), "--ssl-certfile", cert)
        app = "tests/conformance/echo_app.py:app"
        address = stack.enter_context(serving(app, *flags, "--ssl-keyfile", key))
        port = int(address.rpartition(":")[2])
        if forward is None:
            plain_port = stack.enter_context(Forwarder(port, authority.file)).port
        else:
            plain_port = stack.enter_context(forward(port, authority.file))
        yield f"127.0.0.1:{plain_port}"


@contextmanager
def fast_forwarder(port: int, authority: str) -> Generator[int]:
    """The forwarder of `crates/bench`, built where it is not: it costs little beside kosoku.

    Yields:
        Its plain port.
    """
    what = ("--package=hubbub-bench", "--example=tls_forwarder")
    build = ("cargo", "build", "--release", "--locked", "--quiet", *what)
    subprocess.run(build, cwd=ROOT, check=True)
    folder = ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release/examples"
    command = (str(folder / "tls_forwarder"), str(port), authority)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as forwarder:
        assert forwarder.stdout is not None
        yield int(forwarder.stdout.readline())
        # It ends with its standard input.
        forwarder.communicate()


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
        [*command, address],
        cwd=ROOT,
        env=os.environ | KEEPING_MEMORY,
        text=True,
        capture_output=True,
        check=False,
    )
    duration_s = time.monotonic() - began
    # The exit code says only whether a case FAILED; all else stands in the report.
    if not index.is_file():
        raise RuntimeError(f"kosoku wrote no report: {kosoku.stdout}{kosoku.stderr}")
    return Run(Report.from_index(json.loads(index.read_text())), duration_s)


def run_all(address: str, reports: Path) -> Run:
    """Runs all cases, some parts side by side: kosoku is busier than the server it asks.

    Raises:
        RuntimeError: kosoku broke off; its own words are the message.
    """

    def run(part: str) -> Run:
        folder = reports / part.removesuffix(".*")
        if part == REST:
            return run_cases(address, folder, exclude=COMPRESSED)
        return run_cases(address, folder, include=(part,))

    began = time.monotonic()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        runs = pool.map(run, (REST, *COMPRESSED))
        verdicts = tuple(one for run in runs for one in run.report.verdicts)
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


PAGE = f"""# Conformance

Autobahn's cases, run by kosoku against Hubbub.
Written by `make conformance` and `make conformance ARGS=--tls`, which fail on any deviation; do
not edit by hand.

OK means that both the exchange and the closing handshake were as the case demands;
NON-STRICT does not count as OK. The cases {", ".join(sorted(INFORMATIONAL))} are only observed by
Autobahn and have no OK to reach.

Settings: the defaults, but for a message limit of {LARGEST_MESSAGE_BYTES // 1024**2} MiB, the size
of the largest messages in group 9. kosoku knows no TLS: by `wss` it asks through a forwarder
(`crates/bench/examples/tls_forwarder.rs`).
"""

SECTIONS = {"ws": "## Plain: `ws`", "wss": "## Through TLS: `wss`"}


def section(scheme: str, run: Run) -> str:
    """The part of the page `docs/conformance.md` that one run writes."""
    deviations = run.report.deviations() or ["none"]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    versions = f"kosoku {version('kosoku')}, hubbub {version('hubbub')} on {python}"
    return f"""{SECTIONS[scheme]}

{table(run.report)}

Deviations: {"; ".join(deviations)}. {versions};
the whole run took {run.duration_s:.0f} s.
"""


def renewed(page: str, scheme: str, run: Run) -> str:
    """The page with this run's section in place of the one before."""
    old = dict(re.findall(r"^(## .*)\n((?s:.*?))(?=^## |\Z)", page, re.MULTILINE))
    parts = [PAGE]
    for name, head in SECTIONS.items():
        if name == scheme:
            parts.append(section(scheme, run))
        elif head in old:
            parts.append(f"{head}\n{old[head].rstrip()}\n")
    return "\n".join(parts)


def main() -> int:
    """Runs the cases as the command line says; the exit code is 0 only without any deviation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", help="HOST:PORT of another server (default: start ours)")
    parser.add_argument("--tls", action="store_true", help="ours speaks TLS")
    parser.add_argument("--include", action="append", default=[], metavar="GLOB")
    parser.add_argument("--exclude", action="append", default=[], metavar="GLOB")
    parser.add_argument("--reports", type=Path, help="keep kosoku's HTML report here")
    parser.add_argument("--summary", type=Path, help="write the summary of a whole run here")
    options = parser.parse_args()

    with ExitStack() as stack:
        reports = options.reports or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        address = options.address or stack.enter_context(
            echo_server_by_tls(fast_forwarder) if options.tls else echo_server()
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
    if options.summary and whole:
        page = options.summary.read_text() if options.summary.exists() else ""
        options.summary.write_text(renewed(page, "wss" if options.tls else "ws", run))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
