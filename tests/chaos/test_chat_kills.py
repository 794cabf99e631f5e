"""Fifty people talk while the chat is killed, twenty times: what was acknowledged is there, once.

The clients are Centrifugo's own. Each repeats with its nonce what was not acknowledged, and
catches up by `sync` where the hub says that it cannot; nobody is told of a kill.
"""

import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any

import centrifuge
import pytest

from hubbub.testing.http import ask
from tests.chaos.programs import Server

pytestmark = [pytest.mark.anyio, pytest.mark.drill, pytest.mark.unhurried]

SENDERS = 50
RATE = 200.0
KILLS = int(os.environ.get("HUBBUB_CHAT_KILLS", "20"))
BETWEEN_S = 2.0
SETTLE_S = 60.0


class Person(centrifuge.SubscriptionEventHandler):
    """Says numbers, one after the other, and keeps what it hears."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.seq = 0
        self.heard: list[str] = []
        self.acknowledged: list[str] = []
        self.repeated = 0
        self.refused: set[int] = set()
        self.synced = 0
        self.recovered = 0
        self.client: Any = None
        self._catching = asyncio.Lock()
        self._tasks: list[asyncio.Future[None]] = []

    async def come(self, server: Server) -> None:
        body = f'{{"nick": "person{self.number}"}}'.encode()
        fields = {"content-type": "application/json"}
        answer = await ask("127.0.0.1", server.port, "POST", "/api/guest", fields, body)
        cookie = answer.headers["set-cookie"].partition(";")[0]
        self.client = centrifuge.Client(
            f"ws://127.0.0.1:{server.port}/connection/websocket",
            headers={"Cookie": cookie},
            min_reconnect_delay=0.1,
            max_reconnect_delay=0.5,
            timeout=5.0,
        )
        await self.client.connect()
        await self.client.ready()
        subscription = self.client.new_subscription(
            "room:lobby", events=self, min_resubscribe_delay=0.1, max_resubscribe_delay=0.5
        )
        await subscription.subscribe()

    async def on_subscribed(self, ctx: Any) -> None:
        if ctx.was_recovering and ctx.recovered:
            self.recovered += 1
        else:
            self._catch_up_soon()

    async def on_publication(self, ctx: Any) -> None:
        event = ctx.pub.data
        if event["seq"] > self.seq + 1:
            self._catch_up_soon()
        else:
            self._apply(event)

    def _catch_up_soon(self) -> None:
        # Not awaited: this client hears no reply while it is in a handler.
        self._tasks.append(asyncio.ensure_future(self._catch_up()))

    def _apply(self, event: dict[str, Any]) -> None:
        if event["seq"] > self.seq:
            self.seq = event["seq"]
            if event["type"] == "message":
                self.heard.append(event["message"]["id"])

    async def _catch_up(self) -> None:
        async with self._catching:
            self.synced += 1
            more = True
            while more:
                with contextlib.suppress(centrifuge.CentrifugeError, TimeoutError):
                    told = (
                        await self.client.rpc("sync", {"room": "lobby", "after": self.seq})
                    ).data
                    assert not told.get("reset"), "more was missed than there can be"
                    for event in told["events"]:
                        self._apply(event)
                    return
                await asyncio.sleep(0.1)

    async def talk(self, stop: asyncio.Event) -> None:
        said = 0
        loop = asyncio.get_running_loop()
        due = loop.time() + self.number / RATE
        while not stop.is_set():
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + SENDERS / RATE, loop.time())
            said += 1
            self.acknowledged.append(await self._say(said))

    async def _say(self, number: int) -> str:
        params = {"room": "lobby", "text": f"{self.number} {number}", "nonce": f"{number}"}
        while True:
            try:
                answer = await self.client.rpc("say", params, timeout=3.0)
            except centrifuge.ReplyError as error:
                self.refused.add(error.code)
            except (centrifuge.CentrifugeError, TimeoutError):
                pass
            else:
                return str(answer.data["message"]["id"])
            self.repeated += 1
            await asyncio.sleep(0.05)


async def test_nothing_acknowledged_is_lost(tmp_path: Path, record_property: Any) -> None:
    database = tmp_path / "chat.sqlite3"
    server = Server(database, "tests/chaos/chat_app.py:app")
    try:
        await server.start()
        people = [Person(number) for number in range(SENDERS)]
        for person in people:
            await person.come(server)
        stop = asyncio.Event()
        talking = [asyncio.ensure_future(person.talk(stop)) for person in people]
        waits = []
        for _ in range(KILLS):
            await asyncio.sleep(BETWEEN_S)
            await server.kill()
            begin = asyncio.get_running_loop().time()
            await server.start()
            waits.append(asyncio.get_running_loop().time() - begin)
        await asyncio.sleep(BETWEEN_S)
        stop.set()
        async with asyncio.timeout(SETTLE_S):
            await asyncio.gather(*talking)
            last = max(one for person in people for one in person.acknowledged)
            while any(last not in person.heard for person in people):
                await asyncio.sleep(0.1)
        for person in people:
            await person.client.disconnect()
    finally:
        await server.kill()
    assert {code for person in people for code in person.refused} <= {507}
    stored = _stored(database)
    acknowledged = [one for person in people for one in person.acknowledged]
    # Between the kills they did talk: a quarter of the rate, on a busy machine.
    assert len(acknowledged) >= (KILLS + 1) * BETWEEN_S * RATE / 4
    assert len(set(acknowledged)) == len(acknowledged)
    ids = [one[0] for one in stored]
    assert len(set(ids)) == len(ids)
    assert set(acknowledged) <= set(ids)
    # In order: each sender's numbers ascend, none twice; ids ascend as seq does.
    assert ids == sorted(ids)
    for person in people:
        numbers = [
            int(text.split()[1])
            for _, user, text in stored
            if text.split()[0] == str(person.number)
        ]
        assert numbers == list(range(1, len(numbers) + 1))
        # And everybody has heard all of it, in this order, once.
        assert person.heard == ids
    figures = {
        "kills": KILLS,
        "acknowledged": len(acknowledged),
        "stored": len(ids),
        "repeated": sum(person.repeated for person in people),
        "synced": sum(person.synced for person in people),
        "serving again after, s": round(max(waits), 2),
    }
    print(figures)
    for name, figure in figures.items():
        record_property(name, figure)


def _stored(database: Path) -> list[tuple[str, str, str]]:
    db = sqlite3.connect(database)
    try:
        seqs = db.execute(
            "select seq from messages where room = 'lobby'"
            " union all select seq from events where room = 'lobby' order by seq"
        ).fetchall()
        assert [seq for (seq,) in seqs] == list(range(1, len(seqs) + 1))
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        return db.execute(
            "select id, user, text from messages where room = 'lobby' order by seq"
        ).fetchall()
    finally:
        db.close()
