"""Fifty rooms, people on a network, a hundred messages a second: how late they are.

Half of the messages are said on either side. Each is said when it is due, whatever has become of
those before it, and how late it is counts from then: a server that falls behind is not waited for.
The chat runs in a process of its own. The whole of it, with 2,000 people for ten minutes:
`HUBBUB_BRIDGE_PEOPLE=2000 HUBBUB_BRIDGE_SECONDS=600 pytest -o faulthandler_timeout=900 …`.
"""

import asyncio
import contextlib
import os
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.programs import Server, program
from tests.chaos.test_chat_kills import Person
from tests.integration.bridges.networks import Network, Peer

pytestmark = [pytest.mark.anyio, pytest.mark.drill]

ROOMS = 50
SPEAKERS = 10
"""People of the chat who speak, each in five rooms: within what one connection may ask."""

PEOPLE = int(os.environ.get("HUBBUB_BRIDGE_PEOPLE", "200"))
SECONDS = float(os.environ.get("HUBBUB_BRIDGE_SECONDS", "10"))
RATE = 100.0
LAG_LIMIT_S = 1.0
PARTS = 10
"""How often the memory is looked at."""

KEPT = 1_000
"""How many messages a room remembers: until there are as many, memory grows by what is kept."""

KEPT_LIMIT_KIB = 2
"""How much is kept of one message, in all places together."""

GROWTH_LIMIT_KIB = 16 * 1024
SETTLE_S = 20.0


def crowd_of(network: Network) -> contextlib.AbstractAsyncContextManager[object]:
    """The people who say nothing."""
    numbers = map(str, (network.port, PEOPLE, ROOMS))
    return program(sys.executable, "-m", "tests.torture.silent", *numbers)


def held_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def cpu_s(pid: int) -> float:
    """How long a process has computed, its threads with it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Listener(Person):
    """Hears when what was said on the network is in the chat."""

    def __init__(self) -> None:
        super().__init__(0)
        self.lags: list[float] = []
        self.ids: list[str] = []

    async def on_publication(self, ctx: Any) -> None:
        event = ctx.pub.data
        if event["type"] == "message" and event["message"]["text"].startswith("there "):
            self.lags.append(time.time() - float(event["message"]["text"].split()[1]))

    async def on_subscribed(self, ctx: Any) -> None:
        pass

    async def enter(self, people: int) -> None:
        """Waits until so many are in the rooms of the network, and listens there."""
        async with asyncio.timeout(120):
            while True:
                rooms = (await self.client.rpc("rooms.list", {})).data["rooms"]
                members = sum(one["members"] for one in rooms if one["name"] != "Lobby")
                if len(rooms) > ROOMS and members >= people:
                    break
                await asyncio.sleep(0.2)
        ids = {one["name"]: one["id"] for one in rooms}
        self.ids = [ids[f"room{n}"] for n in range(ROOMS)]
        for id_ in self.ids:
            await self.client.new_subscription(f"room:{id_}", events=self).subscribe()


class Speaker(Person):
    """Speaks in the chat."""

    async def on_publication(self, ctx: Any) -> None:
        pass

    async def on_subscribed(self, ctx: Any) -> None:
        pass

    async def enter(self, rooms: list[str]) -> None:
        """Goes into these rooms."""
        self.saying: set[asyncio.Task[Any]] = set()
        for id_ in rooms:
            await self.client.rpc("rooms.join", {"room": id_})

    def say(self, room: str, text: str) -> None:
        """Says something, and does not wait for the answer."""
        params = {"room": room, "text": text, "nonce": text}
        saying = asyncio.ensure_future(self.client.rpc("say", params))
        self.saying.add(saying)
        saying.add_done_callback(self._said)

    def _said(self, saying: "asyncio.Task[Any]") -> None:
        self.saying.discard(saying)
        saying.result()


@dataclass
class Load:
    """Who speaks, and where."""

    here: list[Speaker]
    there: list[Peer]
    rooms: list[str]


async def speak(load: Load, said: int, until: int) -> float:
    """Says the messages of these numbers, each when it is due; returns how late the latest was."""
    begin = time.time() - said / RATE
    latest = 0.0
    for number in range(said, until):
        due = begin + number / RATE
        while (now := time.time()) < due:
            await asyncio.sleep(due - now)
        latest = max(latest, now - due)
        n = number % ROOMS
        if (number // ROOMS) % 2:
            load.there[n].send(f"PRIVMSG #room{n} :there {due:.6f}")
        else:
            load.here[n % SPEAKERS].say(load.rooms[n], f"here {due:.6f}")
    return latest


def heard_there(speakers: list[Peer]) -> list[float]:
    """How late each message of the chat was on the network."""
    return [
        at - float(line.params[1].rpartition("here ")[2])
        for speaker in speakers
        for at, line in speaker.times
        if line.command == "PRIVMSG" and "here " in line.params[1]
    ]


async def test_a_crowd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record_property: Any
) -> None:
    listener = Listener()
    wanted = int(RATE * SECONDS)
    async with Network("inspircd", tmp_path) as network, crowd_of(network):
        monkeypatch.setenv("CHAOS_IRC_PORT", str(network.port))
        monkeypatch.setenv("CHAOS_IRC_ROOMS", str(ROOMS))
        server = Server(tmp_path / "chat.sqlite3", "tests/chaos/bridge_app.py:app")
        coming = (network.peer(f"speaker{n}", f"#room{n}") for n in range(ROOMS))
        speakers = await asyncio.gather(*coming)
        try:
            await server.start()
            begin = time.monotonic()
            await listener.come(server)
            await listener.enter(PEOPLE + ROOMS)
            load = Load([Speaker(1 + n) for n in range(SPEAKERS)], speakers, listener.ids)
            for n, one in enumerate(load.here):
                await one.come(server)
                await one.enter(load.rooms[n::SPEAKERS])
            arrived_s = time.monotonic() - begin
            cpu_before, begin = cpu_s(server.pid), time.monotonic()
            held, latest = [held_kib(server.pid)], 0.0
            for part in range(PARTS):
                said, until = wanted * part // PARTS, wanted * (part + 1) // PARTS
                latest = max(latest, await speak(load, said, until))
                held.append(held_kib(server.pid))
            took_s = time.monotonic() - begin
            cpu_ms = (cpu_s(server.pid) - cpu_before) / wanted * 1000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SETTLE_S):
                    while len(listener.lags) + len(heard_there(speakers)) < wanted:
                        await asyncio.sleep(0.2)
            for one in (listener, *load.here):
                await one.client.disconnect()
        finally:
            await server.kill()
    here, there = listener.lags, heard_there(speakers)
    figures = {
        "people": PEOPLE,
        "arrived after, s": round(arrived_s, 1),
        "seconds": SECONDS,
        "said a second": round(wanted / took_s, 1),
        "said late by, ms": round(latest * 1000, 1),
        "heard there": len(there),
        "heard here": len(here),
        "p50 there, ms": round(statistics.quantiles(there, n=100)[49] * 1000, 1),
        "p99 there, ms": round(statistics.quantiles(there, n=100)[98] * 1000, 1),
        "p50 here, ms": round(statistics.quantiles(here, n=100)[49] * 1000, 1),
        "p99 here, ms": round(statistics.quantiles(here, n=100)[98] * 1000, 1),
        "computed for a message, ms": round(cpu_ms, 2),
        "memory by tenths, MiB": [kib // 1024 for kib in held],
    }
    print(figures)
    for name, figure in figures.items():
        record_property(name, figure)
    assert len(there) + len(here) == wanted
    assert wanted / took_s >= RATE * 0.99, "the load was not that of the test"
    assert figures["p99 there, ms"] <= LAG_LIMIT_S * 1000
    assert figures["p99 here, ms"] <= LAG_LIMIT_S * 1000
    # In the second half nothing grows but by what rooms keep that have not kept all they may.
    half, kept = PARTS // 2, max(0, min(wanted, KEPT * ROOMS) - wanted // 2)
    assert held[-1] - held[half] < GROWTH_LIMIT_KIB + kept * KEPT_LIMIT_KIB
