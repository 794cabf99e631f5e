"""Two thousand people in one room, twenty messages a second: everybody has each in a moment.

Before that they come in, and everybody hears of each: two million deliveries more.
"""

import asyncio
import json
import os
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.programs import Server, line, program

from .figures import Figures

pytestmark = [pytest.mark.anyio, pytest.mark.drill]

PEOPLE = int(os.environ.get("HUBBUB_CHAT_PEOPLE", "2000"))
RATE, LENGTH_S = 20, 20
PROMISED_S, ATTEMPTS = 0.25, 2
"""The promise, and how often it is looked at: the machine may have been somebody else's once."""


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def crowded(folder: Path) -> tuple[float, str]:
    """Fills a room and lets people speak; the p99 in seconds, and all that was found, in words."""
    server = Server(folder / "chat.sqlite3", "tests/chaos/chat_app.py:app")
    try:
        await server.start()
        crowd = [sys.executable, "-m", "tests.torture.chat_crowd", str(server.port)]
        async with AsyncExitStack() as stack:
            empty = memory_mib(server.pid)
            command = (*crowd, "0", str(PEOPLE), "50", str(RATE), str(LENGTH_S))
            people = await stack.enter_async_context(program(*command))
            began = time.monotonic()
            assert await line(people, 300) == "in"
            coming_s = time.monotonic() - began
            assert people.stdin is not None
            await asyncio.sleep(3)
            used = cpu_s(server.pid)
            people.stdin.write(b"\n")
            await asyncio.sleep(LENGTH_S)
            used = cpu_s(server.pid) - used
            full = memory_mib(server.pid)
            found = json.loads(await line(people, 60))
    finally:
        await server.kill()
    delays = found["delays"]
    assert found["refused"] == 0
    assert len(delays) == found["said"] * PEOPLE
    p50, p99, worst = (delays[int(len(delays) * part)] for part in (0.5, 0.99, 0.999999))
    told = (
        f"{PEOPLE:,} people, {found['said']} messages, {len(delays):,} deliveries:"
        f" p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms (promised: {PROMISED_S * 1e3:.0f}),"
        f" worst {worst * 1e3:.0f} ms;"
        f" the server used {used / LENGTH_S:.0%} of a core and {full:.0f} MiB (empty {empty:.0f});"
        f" all had come in after {coming_s:.0f} s"
    )
    return p99, told


async def test_a_crowd_in_one_room(tmp_path: Path, figures: Figures) -> None:
    p99 = PROMISED_S
    for attempt in range(ATTEMPTS):
        folder = tmp_path / f"{attempt}"
        folder.mkdir()
        p99, told = await crowded(folder)
        print(told)
        figures.note("CH2", told)
        if p99 <= PROMISED_S:
            break
    assert p99 <= PROMISED_S
