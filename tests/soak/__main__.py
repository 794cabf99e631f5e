"""`python -m tests.soak SECONDS`: churn, and a verdict on memory and latency (R8)."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from ..serving import ROOT, served
from ..torture.figures import machine
from ..torture.victim import Victim
from .trend import Points, Slope, floors, medians, share, slope
from .visitors import Visitors

VISITORS = 100
PROBES = 10
SAMPLE_S = 5.0
EBB_S = 60.0
"""How often everybody stays away for a moment, so that what memory is left can be seen …"""

EBBS = 60
"""… and how often at least."""

EBB_PATIENCE_S = 60.0
WARM_UP_SHARE = 0.25
"""Waits in the first quarter are not judged: caches fill."""

SETTLED_SHARE = 0.5
"""Nor is memory in the first half: allocators find their size."""

SLOPE_LIMIT = 1.0
"""MiB an hour."""

PROOF_S = 3600.0
"""A run of this length has to show that the limit is kept; a shorter one, that it may be."""

P99_LIMIT = 1.1
"""By how much the p99, by the control's, may be longer at the end than at the beginning."""

MIB = 1 << 20
REPORT = Path("reports/soak.json")


@dataclass
class Samples:
    """What was seen, and how many hours after the beginning.

    Attributes:
        own_mib: Resident memory of its own with no visitor there: without pages of files, program
            text above all, for these come and go by the system's will.
        rss_mib: Resident memory with these.
        malloc_mib: What of it malloc has given out.
        python_blocks: Small objects of Python's.
        p99_ms: How long an echo takes while they are there.
        p99_by_control: The same, by what the control takes.
    """

    own_mib: Points = field(default_factory=list)
    rss_mib: Points = field(default_factory=list)
    malloc_mib: Points = field(default_factory=list)
    python_blocks: Points = field(default_factory=list)
    p99_ms: Points = field(default_factory=list)
    p99_by_control: Points = field(default_factory=list)


@contextmanager
def control() -> Iterator[int]:
    """A server to compare waits with; its port."""
    command = (sys.executable, "-m", "tests.soak.control")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


async def churn(victim: Victim, visitors: Visitors, control_port: int, seconds: float) -> Samples:
    """Visitors for so long."""
    began, samples = time.monotonic(), Samples()
    ebb_s = min(EBB_S, seconds / EBBS)

    def passed_s() -> float:
        return time.monotonic() - began

    async with asyncio.TaskGroup() as crowd:
        for _ in range(VISITORS):
            crowd.create_task(visitors.stay(began + seconds))
        for _ in range(PROBES):
            crowd.create_task(visitors.probe(control_port, began + seconds))
        while passed_s() < seconds:
            ebb = min(passed_s() + ebb_s, seconds)
            while passed_s() < ebb:
                await watch_waits(visitors, samples, began)
            with visitors.away():
                await look(victim, samples, began)
    return samples


async def watch_waits(visitors: Visitors, samples: Samples, began: float) -> None:
    """One sample of how long the probes wait."""
    visitors.waits.clear()
    visitors.control_waits.clear()
    at = (time.monotonic() - began) / 3600
    await asyncio.sleep(SAMPLE_S)
    if visitors.waits and visitors.control_waits:
        ours_ms, control_ms = p99_ms(visitors.waits), p99_ms(visitors.control_waits)
        samples.p99_ms.append((at, ours_ms))
        samples.p99_by_control.append((at, ours_ms / control_ms))


async def look(victim: Victim, samples: Samples, began: float) -> None:
    """One sample of the memory, when the last visitor has left.

    Who happens to be there, and for how long on a busy machine, has no part in it.
    """
    deadline = time.monotonic() + EBB_PATIENCE_S
    while (await asyncio.to_thread(victim.stats))["connections"] > PROBES + 1:
        if time.monotonic() > deadline:
            raise TimeoutError("visitors do not leave")
        await asyncio.sleep(0.05)
    used = await asyncio.to_thread(victim.get, "/memory")
    at = (time.monotonic() - began) / 3600
    samples.own_mib.append((at, victim.own_bytes() / MIB))
    samples.rss_mib.append((at, victim.rss_bytes() / MIB))
    samples.malloc_mib.append((at, used["malloc_bytes"] / MIB))
    samples.python_blocks.append((at, used["python_blocks"]))


def p99_ms(waits_s: list[float]) -> float:
    return sorted(waits_s)[int(len(waits_s) * 0.99)] * 1000


@dataclass(frozen=True)
class Verdict:
    """What may be said of a run.

    Attributes:
        memory: By how much its own memory with nobody there rises, in MiB an hour.
        resident: The same with pages of files.
        malloc: By how much of it that is in use.
        blocks: How many more of Python's small objects there are, each hour.
        p99: The ratio to the control's, by the trend at the beginning and at the end.
        wrong: What is not as it should be.
    """

    memory: Slope
    resident: Slope
    malloc: Slope
    blocks: Slope
    p99: tuple[float, float]
    wrong: list[str]

    @classmethod
    def of(cls, samples: Samples, seconds: float) -> "Verdict":
        memory, resident, malloc, blocks = (
            slope(floors(share(points, SETTLED_SHARE)))
            for points in (
                samples.own_mib,
                samples.rss_mib,
                samples.malloc_mib,
                samples.python_blocks,
            )
        )
        wrong: list[str] = []
        if memory.low > SLOPE_LIMIT:
            wrong.append(f"memory rises by {memory.low:.1f} MiB an hour at least")
        elif memory.high > SLOPE_LIMIT and seconds >= PROOF_S:
            wrong.append(f"memory may rise by {memory.high:.1f} MiB an hour")
        ratios = medians(share(samples.p99_by_control, 1 - WARM_UP_SHARE))
        trend = slope(ratios)
        middle = median(value for _, value in ratios)
        half = trend.per_unit * (ratios[-1][0] - ratios[0][0]) / 2
        p99 = middle - half, middle + half
        if p99[1] > p99[0] * P99_LIMIT and trend.low > 0:
            wrong.append(f"the p99 rises from {p99[0]:.2f} to {p99[1]:.2f} of the control's")
        return cls(memory, resident, malloc, blocks, p99, wrong)


def shown(rise: Slope) -> str:
    return f"{rise.per_unit:+.2f} (95 %: {rise.low:+.2f} to {rise.high:+.2f})"


def main() -> int:
    """Runs it; returns the exit code."""
    seconds = float(sys.argv[1])
    with served("tests/soak/app.py:app", *sys.argv[2:]) as server, control() as control_port:
        victim = Victim(server)
        visitors = Visitors(server.address, seed=int(time.time()))
        descriptors = victim.descriptors()
        samples = asyncio.run(churn(victim, visitors, control_port, seconds))
        victim.wait_quiet()
        left = victim.descriptors() - descriptors
        stats = victim.stats()
        victim.close()
    found = Verdict.of(samples, seconds)
    wrong = found.wrong
    if left > 0:
        wrong.append(f"{left} descriptors are left")
    if stats["panics"] or visitors.failures:
        wrong.append(f"{stats['panics']} panics, {len(visitors.failures)} failed visits")
    figure = (
        f"{seconds / 60:.0f} minutes, {visitors.visits:,} visits by {VISITORS} at a time: memory"
        f" with nobody there, second half, {shown(found.memory)} MiB an hour over"
        f" {samples.own_mib[-1][1]:.0f} MiB (with pages of files {shown(found.resident)} over"
        f" {samples.rss_mib[-1][1]:.0f} MiB; in use {shown(found.malloc)} MiB and"
        f" {found.blocks.per_unit:+,.0f} objects); p99 of an echo"
        f" {median(ms for _, ms in samples.p99_ms):.1f} ms, {found.p99[0]:.2f} →"
        f" {found.p99[1]:.2f} of a bare echo's beside it; {left} descriptors left"
    )
    REPORT.parent.mkdir(exist_ok=True)
    report = {"measured": machine(), "rows": {"R8": figure}, "samples": vars(samples)}
    REPORT.write_text(json.dumps(report) + "\n")
    print(figure)
    for one in (*wrong, *visitors.failures[:10]):
        print(f"  {one}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
