"""People talk while a bridge's network is killed, and while the chat is: all is told, once.

The judge is an ordinary client of IRC in the channel: it hears what the chat has kept, each message
once and in the chat's order.
"""

import asyncio
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.programs import Server
from tests.chaos.test_chat_kills import RATE, SENDERS, Person
from tests.integration.bridges.networks import Network, Peer

pytestmark = [pytest.mark.anyio, pytest.mark.drill, pytest.mark.unhurried]

# The whole drill: HUBBUB_BRIDGE_KILLS=10.
KILLS = int(os.environ.get("HUBBUB_BRIDGE_KILLS", "2"))
PEOPLE = 5
BETWEEN_S = 2.0
SETTLE_S = 60.0
REJOIN_LIMIT_S = 30.0


class Judge:
    """Somebody in the channel, again and again, who remembers all that was said there."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.peer: Peer | None = None
        self.texts: list[str] = []
        self.was_late = 0
        self.rejoined_s: list[float] = []

    async def come(self) -> None:
        """Comes into the channel, hopefully before the bridge does."""
        async with asyncio.timeout(REJOIN_LIMIT_S):
            while True:
                try:
                    self.peer = await self.network.peer("judge", "#lobby")
                    break
                except (OSError, AssertionError):
                    await asyncio.sleep(0.005)
        names = [line.params[3] for line in self.peer.heard if line.command == "353"]
        self.was_late += any("hubbub" in line for line in names)

    async def wait_for_bridge(self) -> None:
        """Waits until the bridge is in the channel."""
        begin = asyncio.get_running_loop().time()
        assert self.peer is not None
        async with asyncio.timeout(REJOIN_LIMIT_S):
            while not any(
                (line.command == "JOIN" and line.source.startswith("hubbub"))
                or (line.command == "353" and "hubbub" in line.params[3])
                for line in self.peer.heard
            ):
                await asyncio.sleep(0.01)
        self.rejoined_s.append(asyncio.get_running_loop().time() - begin)

    def collect(self) -> None:
        """Takes what was heard, and goes."""
        assert self.peer is not None
        self.texts += [text.rpartition("> ")[2] for text in self.peer.texts("#lobby")]
        self.peer.close()
        self.network.clients.remove(self.peer)
        self.peer = None


def stored(database: Path) -> list[str]:
    """What was said in the chat, in its order."""
    db = sqlite3.connect(database)
    try:
        rows = db.execute("select text from messages where room = 'lobby' order by seq").fetchall()
    finally:
        db.close()
    return [text for (text,) in rows]


async def settled(judge: Judge, database: Path) -> None:
    """Waits until the last that was said was heard."""
    assert judge.peer is not None
    last = stored(database)[-1]
    async with asyncio.timeout(SETTLE_S):
        while not any(text.endswith(last) for text in judge.peer.texts("#lobby")):
            await asyncio.sleep(0.05)


def report(judge: Judge, said: list[str], record: Any, kills: int) -> None:
    lost = [text for text in said if text not in set(judge.texts)]
    figures = {
        "kills": kills,
        "said": len(said),
        "lost": len(lost),
        "doubled": len(judge.texts) - len(set(judge.texts)),
        "in order": judge.texts == said,
        "judge late": judge.was_late,
        "rejoined after, s": round(max(judge.rejoined_s, default=0.0), 2),
    }
    print(figures)
    for name, figure in figures.items():
        record(name, figure)
    assert len(said) >= (kills + 1) * BETWEEN_S * PEOPLE * RATE / SENDERS / 4
    assert judge.texts == said, (lost, figures)


@pytest.mark.parametrize("kind", ["ngircd", "inspircd"])
@pytest.mark.parametrize("mode", ["relay", "puppets"])
@pytest.mark.parametrize("killed", ["network", "chat"])
async def test_nothing_is_lost_or_doubled(
    kind: str,
    mode: str,
    killed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Any,
) -> None:
    database = tmp_path / "chat.sqlite3"
    async with Network(kind, tmp_path) as network:
        monkeypatch.setenv("CHAOS_IRC_PORT", str(network.port))
        monkeypatch.setenv("CHAOS_IRC_MODE", mode)
        server = Server(database, "tests/chaos/bridge_app.py:app")
        judge = Judge(network)
        try:
            await judge.come()
            await server.start()
            await judge.wait_for_bridge()
            people = [Person(number) for number in range(PEOPLE)]
            for person in people:
                await person.come(server)
            stop = asyncio.Event()
            talking = [asyncio.ensure_future(person.talk(stop)) for person in people]
            for _ in range(KILLS):
                await asyncio.sleep(BETWEEN_S)
                if killed == "network":
                    await network.kill()
                    judge.collect()
                    starting = asyncio.ensure_future(network.start())
                    await judge.come()
                    await starting
                    await judge.wait_for_bridge()
                else:
                    await server.kill()
                    await server.start()
            await asyncio.sleep(BETWEEN_S)
            stop.set()
            async with asyncio.timeout(SETTLE_S):
                await asyncio.gather(*talking)
            await settled(judge, database)
            judge.collect()
            for person in people:
                await person.client.disconnect()
        finally:
            await server.kill()
        report(judge, stored(database), record_property, KILLS)
