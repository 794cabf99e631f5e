"""`python -m tests.soak SECONDS`: churn, and a verdict on memory and latency (R8)."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..serving import ROOT, served
from ..torture.figures import machine
from ..torture.victim import Victim
from .trend import Slope, chance, floors, slope
from .visitors import Visitors

VISITORS = 100
PROBES = 10
SAMPLE_S = 5.0
WARM_UP_SHARE = 0.25
"""Caches fill, allocators find their size: what happens in the first quarter is not judged."""

SLOPE_LIMIT = 1.0
"""MiB an hour."""

P99_LIMIT = 1.1
"""By how much the p99, by the control's, may be longer in the last third than in the first."""

SURE = 0.01
"""A difference of the p99 counts when chance alone would show it less often than this."""

MIB = 1 << 20
REPORT = Path("reports/soak.json")


@dataclass
class Samples:
    """What was seen every few seconds: hours since the beginning, and a value."""

    rss_mib: list[tuple[float, float]] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)
    p99_by_control: list[float] = field(default_factory=list)


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
    async with asyncio.TaskGroup() as crowd:
        for _ in range(VISITORS):
            crowd.create_task(visitors.stay(began + seconds))
        for _ in range(PROBES):
            crowd.create_task(visitors.probe(control_port, began + seconds))
        await asyncio.sleep(seconds * WARM_UP_SHARE)
        while (passed_s := time.monotonic() - began) < seconds:
            visitors.waits.clear()
            visitors.control_waits.clear()
            await asyncio.sleep(SAMPLE_S)
            samples.rss_mib.append((passed_s / 3600, victim.rss_bytes() / MIB))
            ours_ms, control_ms = p99_ms(visitors.waits), p99_ms(visitors.control_waits)
            samples.p99_ms.append(ours_ms)
            samples.p99_by_control.append(ours_ms / control_ms)
    return samples


def p99_ms(waits_s: list[float]) -> float:
    return sorted(waits_s)[int(len(waits_s) * 0.99)] * 1000


def verdict(samples: Samples) -> tuple[Slope, float, float, list[str]]:
    """Slope of the memory, p99 by the control's before and after, and what is wrong with them."""
    rise = slope(floors(samples.rss_mib))
    third = len(samples.p99_by_control) // 3
    before, after = samples.p99_by_control[:third], samples.p99_by_control[-third:]
    p99s = statistics.median(before), statistics.median(after)
    wrong: list[str] = []
    if rise.low > SLOPE_LIMIT:
        wrong.append(f"memory rises by {rise.low:.1f} MiB an hour at least")
    if p99s[1] > p99s[0] * P99_LIMIT and chance(before, after) < SURE:
        wrong.append(f"the p99 rises from {p99s[0]:.2f} to {p99s[1]:.2f} of the control's")
    return rise, *p99s, wrong


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
    rise, before, after, wrong = verdict(samples)
    if left > 0:
        wrong.append(f"{left} descriptors are left")
    if stats["panics"] or visitors.failures:
        wrong.append(f"{stats['panics']} panics, {len(visitors.failures)} failed visits")
    minutes, floor = seconds / 60, min(value for _, value in samples.rss_mib)
    figure = (
        f"{minutes:.0f} minutes, {visitors.visits:,} visits by {VISITORS} at a time: memory"
        f" {rise.per_unit:+.2f} MiB an hour (95 %: {rise.low:+.2f} to {rise.high:+.2f}) over"
        f" {floor:.0f} MiB; p99 of an echo {statistics.median(samples.p99_ms):.1f} ms,"
        f" {before:.2f} → {after:.2f} of a bare echo's beside it; {left} descriptors left"
    )
    REPORT.parent.mkdir(exist_ok=True)
    found = {"measured": machine(), "rows": {"R8": figure}, "samples": vars(samples)}
    REPORT.write_text(json.dumps(found) + "\n")
    print(figure)
    for one in (*wrong, *visitors.failures[:10]):
        print(f"  {one}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
