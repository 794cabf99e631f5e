"""Nothing lost, nothing twice, everything in order: a thousand clients on a network that fails.

The clients are Centrifugo's own. Connections live for half a minute on average; half of the cuts
tell nobody. In the middle the server is killed and started anew.
"""

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from hubbub.testing.http import ask
from tests.chaos.app import KEY
from tests.chaos.programs import Server, line, program

pytestmark = [pytest.mark.anyio, pytest.mark.drill, pytest.mark.unhurried]

CLIENTS = int(os.environ.get("HUBBUB_CHAOS_CLIENTS", "1000"))
CHANNELS = 4
LENGTH_S = float(os.environ.get("HUBBUB_CHAOS_S", "45"))
INTERVAL_S = 0.5
SETTLE_S = 90.0


async def publish(server: Server, channel: int, number: int, key: str) -> None:
    """Tries until it was acknowledged; the key makes a repetition harmless."""
    body = {"channel": f"stream:{channel}", "data": number, "idempotency_key": key}
    while True:
        try:
            async with asyncio.timeout(5):
                answer = await ask(
                    "127.0.0.1",
                    server.port,
                    "POST",
                    "/connection/api/publish",
                    {"X-API-Key": KEY, "Content-Type": "application/json"},
                    json.dumps(body).encode(),
                )
            if answer.status == 200 and "result" in answer.json():
                return
        except (OSError, TimeoutError, EOFError, asyncio.IncompleteReadError):
            pass
        await asyncio.sleep(0.1)


async def publisher(server: Server, channel: int, stop: asyncio.Event) -> int:
    number = 0
    while not stop.is_set():
        number += 1
        await publish(server, channel, number, f"{channel}-{number}")
        await asyncio.sleep(INTERVAL_S)
    return number


async def run(tmp_path: Path, swarms: list[tuple[str, ...]], record: Any) -> None:
    server = Server(tmp_path / "history.sqlite3")
    await server.start()
    try:
        network = [sys.executable, "-m", "tests.chaos.network", str(server.port), "30", "1"]
        async with program(*network) as cutting:
            url = f"ws://127.0.0.1:{await line(cutting, 10)}/connection/websocket"
            await _play(server, cutting, url, swarms, record)
    finally:
        await server.kill()


async def _play(
    server: Server,
    cutting: asyncio.subprocess.Process,
    url: str,
    swarms: list[tuple[str, ...]],
    record: Any,
) -> None:
    async with AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(program(*(part.replace("URL", url) for part in swarm)))
            for swarm in swarms
        ]
        for swarm in running:
            assert await line(swarm, 60) == "ready"
        stop = asyncio.Event()
        publishers = [
            asyncio.ensure_future(publisher(server, channel, stop)) for channel in range(CHANNELS)
        ]
        await asyncio.sleep(LENGTH_S / 2)
        await server.kill()
        await server.start()
        await asyncio.sleep(LENGTH_S / 2)
        stop.set()
        published = await asyncio.gather(*publishers)
        assert cutting.stdin is not None
        cutting.stdin.write(b"\n")
        cuts = json.loads(await line(cutting, 10))
        for channel in range(CHANNELS):
            await publish(server, channel, 0, f"{channel}-end")
        found = [json.loads(await line(swarm, SETTLE_S)) for swarm in running]
    first = 0
    for swarm in found:
        for number, heard in enumerate(swarm["heard"], first):
            expected = published[number % CHANNELS]
            assert heard == [expected, expected, 0], f"client {number}"
        first += len(swarm["heard"])
        assert swarm["unrecovered"] == 0
    assert sum(cuts[how] for how in ("fin", "rst", "silence")) > first / 4
    record(
        clients=first,
        delivered=sum(heard[0] for swarm in found for heard in swarm["heard"]),
        recoveries=sum(swarm["recovered"] for swarm in found),
        **cuts,
    )


@pytest.fixture
def record(record_property: Any) -> Any:
    def keep(**figures: int) -> None:
        for name, figure in figures.items():
            record_property(name, figure)
        print(figures)

    return keep


async def test_a_thousand_clients_lose_nothing(tmp_path: Path, record: Any) -> None:
    half, channels = str(CLIENTS // 2), str(CHANNELS)
    python = (sys.executable, "-m", "tests.chaos.swarm", "URL", "0", half, channels)
    node = ("node", "client/tests/swarm.mjs", "URL", half, half, channels)
    await run(tmp_path, [python, node], record)


@pytest.mark.parametrize("transport", ["http_stream", "sse"])
async def test_nor_do_those_without_websocket(tmp_path: Path, transport: str, record: Any) -> None:
    count = str(max(4, CLIENTS // 10))
    node = ("node", "client/tests/swarm.mjs", "URL", "0", count, str(CHANNELS), transport)
    await run(tmp_path, [node], record)
