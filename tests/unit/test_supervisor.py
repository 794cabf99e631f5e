"""What systemd is told."""

import asyncio
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubbub.supervisor import Supervisor


@pytest.fixture(params=["path", "abstract"])
def ear(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A socket like systemd's, and how the environment names it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        address = str(tmp_path / "notify")
        listening.bind(address if request.param == "path" else "\0" + address)
        listening.settimeout(5)
        yield listening, address if request.param == "path" else "@" + address


def test_it_hears(ear: tuple[socket.socket, str]) -> None:
    listening, address = ear
    supervisor = Supervisor.read({"NOTIFY_SOCKET": address}, 7)
    supervisor.ready("serving on x")
    assert listening.recv(4096) == b"READY=1\nSTATUS=serving on x"
    before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    supervisor.reloading()
    lines = listening.recv(4096).decode().split("\n")
    assert lines[0] == "RELOADING=1"
    assert before_us <= int(lines[1].removeprefix("MONOTONIC_USEC=")) <= before_us + 5_000_000
    supervisor.stopping("bye", 12.5)
    assert listening.recv(4096) == b"STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000\nSTATUS=bye"
    supervisor.replaced(8)
    assert listening.recv(4096) == b"MAINPID=8"


async def beats(environment: dict[str, str], listening: socket.socket, count: int) -> list[float]:
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    supervisor = Supervisor.read(environment, 7)
    supervisor.begin_watch(loop)
    times: list[float] = []
    while len(times) < count:
        async with asyncio.timeout(5):
            assert await loop.sock_recv(listening, 4096) == b"WATCHDOG=1"
        times.append(loop.time())
    supervisor.end_watch()
    return times


def test_the_watchdog_is_fed_at_half_its_time(ear: tuple[socket.socket, str]) -> None:
    listening, address = ear
    environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "7"}
    times = asyncio.run(beats(environment, listening, 3))
    assert 0.19 <= times[2] - times[0] < 2


@pytest.mark.parametrize(
    "environment",
    [
        {"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "8"},
        {"WATCHDOG_USEC": "soon"},
        {},
    ],
)
def test_a_watchdog_of_somebody_else(environment: dict[str, str], tmp_path: Path) -> None:
    async def watched() -> bool:
        address = {"NOTIFY_SOCKET": str(tmp_path / "nobody")}
        supervisor = Supervisor.read(environment | address, 7)
        loop = asyncio.get_running_loop()
        before = len(loop._scheduled)  # type: ignore[attr-defined]
        supervisor.begin_watch(loop)
        return len(loop._scheduled) > before  # type: ignore[attr-defined]

    assert not asyncio.run(watched())


@pytest.mark.parametrize("address", ["", "vsock:2:1", "/nowhere/at/all"])
def test_nobody_listens(address: str) -> None:
    Supervisor.read({"NOTIFY_SOCKET": address}, 7).ready("x")
