"""Fifty rooms, two hundred people on a network, a hundred messages a second: how late they are.

Half of the messages are said on either side. The chat runs in a process of its own.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.programs import Server, program
from tests.chaos.test_chat_kills import Person
from tests.integration.bridges.networks import Network

pytestmark = [pytest.mark.anyio, pytest.mark.torture]

ROOMS = 50
PEOPLE = int(os.environ.get("HUBBUB_BRIDGE_PEOPLE", "200"))
SECONDS = float(os.environ.get("HUBBUB_BRIDGE_SECONDS", "10"))
RATE = 100.0
LAG_LIMIT_S = 1.0
GROWTH_LIMIT_KIB = 32 * 1024


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def crowd_of(network: Network) -> contextlib.AbstractAsyncContextManager[object]:
    """The people who say nothing."""
    numbers = map(str, (network.port, PEOPLE, ROOMS))
    return program(sys.executable, "-m", "tests.torture.silent", *numbers)


def held_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


class Listener(Person):
    """Hears when what was said on the network is in the chat."""

    def __init__(self, lags: list[float]) -> None:
        super().__init__(0)
        self.lags = lags

    def hear(self, event: dict[str, Any]) -> None:
        if event["type"] == "message" and event["message"]["text"].startswith("there "):
            self.lags.append(time.time() - float(event["message"]["text"].split()[1]))

    async def on_publication(self, ctx: Any) -> None:
        self.hear(ctx.pub.data)

    async def on_subscribed(self, ctx: Any) -> None:
        pass


async def test_a_crowd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    here: list[float] = []
    there: list[float] = []
    async with Network("inspircd", tmp_path) as network, crowd_of(network):
        monkeypatch.setenv("CHAOS_IRC_PORT", str(network.port))
        monkeypatch.setenv("CHAOS_IRC_ROOMS", str(ROOMS))
        server = Server(tmp_path / "chat.sqlite3", "tests/chaos/bridge_app.py:app")
        coming = (network.peer(f"speaker{n}", f"#room{n}") for n in range(ROOMS))
        speakers = await asyncio.gather(*coming)
        try:
            await server.start()
            begin = time.monotonic()
            listener = Listener(here)
            await listener.come(server)
            client = listener.client
            async with asyncio.timeout(120):
                while True:
                    rooms = (await client.rpc("rooms.list", {})).data["rooms"]
                    members = sum(one["members"] for one in rooms if one["name"] != "Lobby")
                    if len(rooms) > ROOMS and members >= PEOPLE + ROOMS:
                        break
                    await asyncio.sleep(0.2)
            arrived_s = time.monotonic() - begin
            ids = {one["name"]: one["id"] for one in rooms}
            for n in range(ROOMS):
                await client.rpc("rooms.join", {"room": ids[f"room{n}"]})
                subscription = client.new_subscription(f"room:{ids[f'room{n}']}", events=listener)
                await subscription.subscribe()
            before_kib = held_kib(server.pid)
            begin, said = time.monotonic(), 0
            while (now := time.monotonic() - begin) < SECONDS:
                if said / RATE > now:
                    await asyncio.sleep(said / RATE - now)
                n = said % ROOMS
                if (said // ROOMS) % 2:
                    speakers[n].send(f"PRIVMSG #room{n} :there {time.time()}")
                else:
                    params = {"room": ids[f"room{n}"], "text": f"here {time.time()}"}
                    params["nonce"] = str(said)
                    await client.rpc("say", params)
                said += 1
            await asyncio.sleep(3.0)
            after_kib = held_kib(server.pid)
            await client.disconnect()
            for speaker in speakers:
                for at, line in speaker.times:
                    if line.command == "PRIVMSG" and "here " in line.params[1]:
                        there.append(at - float(line.params[1].rpartition("here ")[2]))
        finally:
            await server.kill()
    figures = {
        "people": PEOPLE,
        "arrived after, s": round(arrived_s, 1),
        "seconds": SECONDS,
        "said": said,
        "heard there": len(there),
        "heard here": len(here),
        "p50 there, ms": round(statistics.quantiles(there, n=100)[49] * 1000, 1),
        "p99 there, ms": round(statistics.quantiles(there, n=100)[98] * 1000, 1),
        "p50 here, ms": round(statistics.quantiles(here, n=100)[49] * 1000, 1),
        "p99 here, ms": round(statistics.quantiles(here, n=100)[98] * 1000, 1),
        "memory before, KiB": before_kib,
        "memory after, KiB": after_kib,
    }
    print(figures)
    for name, figure in figures.items():
        record_property(name, figure)
    assert len(there) + len(here) == said
    assert figures["p99 there, ms"] <= LAG_LIMIT_S * 1000
    assert figures["p99 here, ms"] <= LAG_LIMIT_S * 1000
    assert after_kib - before_kib < GROWTH_LIMIT_KIB
