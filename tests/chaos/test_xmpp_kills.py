"""People talk on both sides of a bridge while the XMPP server is killed, and while the chat is.

The judge is the room's own archive: it holds what the chat has kept, each message once and in the
chat's order. That of ejabberd forgets what it had when it is killed: so it is read before, too, and
somebody listens. And the chat holds, once and in order, whatever the room has shown to its speaker.
"""

import asyncio
import contextlib
import os
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.bridges.xmpp.muc import archive
from hubbub.bridges.xmpp.muc.connection import NotConnected
from tests.authority import Authority
from tests.chaos.programs import Server
from tests.chaos.test_chat_kills import RATE, SENDERS, Person
from tests.integration.bridges.xmpp.guest import Guest, account, guest
from tests.integration.bridges.xmpp.servers import XmppServer, running
from tests.integration.bridges.xmpp.test_muc import component

pytestmark = [pytest.mark.anyio, pytest.mark.drill, pytest.mark.unhurried]

# The whole drill: HUBBUB_BRIDGE_KILLS=10.
KILLS = int(os.environ.get("HUBBUB_BRIDGE_KILLS", "2"))
PEOPLE = 5
BETWEEN_S = 2.0
SETTLE_S = 60.0
REJOIN_LIMIT_S = 30.0
PACE_S = 0.1
_RELAYED = re.compile(r"<[^>]*> ")


class Talker:
    """Somebody on XMPP who says numbers, and knows which of them the room has shown."""

    def __init__(self, server: XmppServer, room: str) -> None:
        self.server, self.room = server, room
        self.shown: list[str] = []
        self.heard: list[str] = []
        self._said = 0

    async def talk(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with contextlib.suppress(NotConnected, TimeoutError, OSError):
                async with guest(self.server, "alice", self.room) as alice:
                    try:
                        await self._say(alice, stop)
                    finally:
                        self.heard += [_RELAYED.sub("", text) for _, text in alice.texts()]
            await asyncio.sleep(0.1)

    async def _say(self, alice: Guest, stop: asyncio.Event) -> None:
        while not stop.is_set() and not alice.connection.lost.done():
            self._said += 1
            text = f"x {self._said}"
            alice.say(text)
            async with asyncio.timeout(3):
                await alice.heard(text)
            self.shown.append(text)
            await asyncio.sleep(PACE_S)


def stored(database: Path) -> list[str]:
    """What is in the chat, in its order."""
    db = sqlite3.connect(database)
    try:
        rows = db.execute("select text from messages where room = 'lobby' order by seq").fetchall()
    finally:
        db.close()
    return [text for (text,) in rows]


def shown_to_us(database: Path) -> set[str]:
    """What the room has shown to the bridge: it has given it a name."""
    db = sqlite3.connect(database)
    try:
        db.execute("attach ? as bridges", (str(database.with_stem("chat-bridges")),))
        rows = db.execute(
            "select text from messages where id in (select message from bridges.names)"
        ).fetchall()
    finally:
        db.close()
    return {text for (text,) in rows}


def not_by_alice(texts: list[str]) -> list[str]:
    """What the chat's people have said."""
    return [text for text in texts if not text.startswith("x ")]


async def archived(server: XmppServer, room: str) -> list[str]:
    """What the room keeps, in its order."""
    async with guest(server, "bob", room) as bob:
        start = datetime.fromtimestamp(0, UTC)
        found = archive.since(bob.connection, room, start, lambda _: False)
        return [_RELAYED.sub("", one.body()[0]) async for one in found if one.bodies]


async def said_again(server: XmppServer, room: str) -> None:
    """Waits until something of the chat's has come into the room again."""
    async with guest(server, "bob", room) as bob:
        await bob.until(lambda: any(not text.startswith("x ") for _, text in bob.texts()))


@pytest.mark.parametrize("kind", ["prosody", "ejabberd"])
@pytest.mark.parametrize("contact", ["account", "component"])
@pytest.mark.parametrize("killed", ["server", "chat"])
async def test_nothing_is_lost_or_doubled(
    kind: str,
    contact: str,
    killed: str,
    tmp_path: Path,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Any,
) -> None:
    database = tmp_path / "chat.sqlite3"
    with running(kind, tmp_path, authority) as xmpp:
        room = f"lobby@{xmpp.rooms}"
        settings = account(xmpp, "hub") if contact == "account" else component(xmpp)
        monkeypatch.setenv("CHAOS_XMPP", msgspec.json.encode(settings).decode())
        server = Server(database, "tests/chaos/xmpp_app.py:app")
        loop = asyncio.get_running_loop()
        waits: list[float] = []
        snapshots: list[list[str]] = []
        try:
            await server.start()
            people = [Person(number) for number in range(PEOPLE)]
            for person in people:
                await person.come(server)
            stop = asyncio.Event()
            alice = Talker(xmpp, room)
            talking = [asyncio.ensure_future(person.talk(stop)) for person in people]
            talking.append(asyncio.ensure_future(alice.talk(stop)))
            for _ in range(KILLS):
                await asyncio.sleep(BETWEEN_S)
                if killed == "server":
                    snapshots.append(not_by_alice(await archived(xmpp, room)))
                    xmpp.kill()
                    await asyncio.to_thread(xmpp.start)
                else:
                    await server.kill()
                    await server.start()
                begin = loop.time()
                await said_again(xmpp, room)
                waits.append(loop.time() - begin)
            await asyncio.sleep(BETWEEN_S)
            stop.set()
            async with asyncio.timeout(SETTLE_S):
                await asyncio.gather(*talking)
                wanted = not_by_alice(stored(database))
                while wanted[-1] not in (there := await archived(xmpp, room)):
                    await asyncio.sleep(0.5)
                while not set(alice.shown) <= set(stored(database)):
                    await asyncio.sleep(0.5)
            for person in people:
                await person.client.disconnect()
        finally:
            await server.kill()
    here = stored(database)
    ours, heard = not_by_alice(there), not_by_alice(alice.heard)
    theirs = [text for text in here if text.startswith("x ")]
    seen = {text for one in (ours, heard, *snapshots) for text in one}
    figures = {
        "kills": KILLS,
        "said in the chat": len(wanted),
        "seen by nobody": len(set(wanted) - seen),
        "doubled": max(len(one) - len(set(one)) for one in (ours, heard)),
        "said on xmpp": len(alice.shown),
        "lost on the way here": len(set(alice.shown) - set(theirs)),
        "doubled on the way here": len(theirs) - len(set(theirs)),
        "rejoined after, s": round(max(waits, default=0.0), 2),
    }
    print(figures)
    for name, figure in figures.items():
        record_property(name, figure)
    assert len(wanted) >= (KILLS + 1) * BETWEEN_S * PEOPLE * RATE / SENDERS / 4
    # What ejabberd has shown to the bridge alone when it is killed, it has lost: one each time.
    is_forgetful = kind == "ejabberd" and killed == "server"
    lost = set(wanted) - seen
    assert lost <= (shown_to_us(database) if is_forgetful else set()), figures
    assert len(lost) <= KILLS, figures
    assert len(ours) == len(set(ours)), figures
    assert len(heard) == len(set(heard)), figures
    if kind == "prosody" or killed == "chat":
        assert ours == wanted, figures
    # Whatever is seen of it, by who listens or in an archive before it is lost, is in order.
    for one in (ours, heard, *snapshots):
        assert one == [text for text in wanted if text in set(one)], figures
    assert len(theirs) == len(set(theirs)), figures
    assert [text for text in theirs if text in set(alice.shown)] == alice.shown, figures
    assert max(waits, default=0.0) < REJOIN_LIMIT_S
