"""A room on XMPP that does what it should not: the chat goes on, nothing doubles, nothing grows."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hubbub.bridges.chat import Config, app
from hubbub.testing import serve
from tests.integration.bridges.house import MANY
from tests.integration.bridges.xmpp.test_hostile import HEADER, ROOM, settings
from tests.integration.chat.talker import Ear, House, Talker
from tests.strangers import stranger
from tests.waiting import until

pytestmark = pytest.mark.anyio

TO = "bridge@bridge.test/hubbub"
USER = "http://jabber.org/protocol/muc#user"


class Hostile:
    """A server with one room, in which bob is, that says whatever it is told to."""

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.heard = ""
        self.writer: asyncio.StreamWriter | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.connections += 1
        await reader.readuntil(b">")
        writer.write(HEADER)
        asked = (await reader.readuntil(b"disco#info")).decode()
        id_ = re.findall(r'<iq [^>]*id="([^"]+)"', asked)[-1]
        self.send(f"<iq type='error' from='{ROOM}' to='{TO}' id='{id_}'/>")
        await reader.readuntil(b"<history")
        self.comes("bob")
        self.send(
            f"<presence from='{ROOM}/hubbub' to='{TO}'><x xmlns='{USER}'>"
            f"<status code='110'/></x></presence>"
            f"<message from='{ROOM}' to='{TO}' type='groupchat'><subject/></message>"
        )
        while piece := await reader.read(65_536):
            self.heard += piece.decode(errors="replace")

    def send(self, *stanzas: str) -> None:
        assert self.writer is not None
        self.writer.write("".join(stanzas).encode())

    def comes(self, nick: str) -> None:
        self.send(
            f"<presence from='{ROOM}/{nick}' to='{TO}'><x xmlns='{USER}'>"
            "<item role='participant' affiliation='none'/></x></presence>"
        )

    def goes(self, nick: str, code: int = 333, new: str = "") -> None:
        item = f"<item role='none' affiliation='none' nick='{new}'/>" if new else ""
        self.send(
            f"<presence type='unavailable' from='{ROOM}/{nick}' to='{TO}'><x xmlns='{USER}'>"
            f"{item}<status code='{code}'/></x></presence>"
        )

    def says(self, nick: str, text: str, id_: str = "", more: str = "") -> None:
        id_ = f" id='{id_}'" if id_ else ""
        self.send(
            f"<message from='{ROOM}/{nick}' to='{TO}' type='groupchat'{id_}>"
            f"<body>{text}</body>{more}</message>"
        )


class At:
    """The chat that is attacked."""

    def __init__(self, room: Hostile, house: House, link: Any, ada: Talker, ear: Ear) -> None:
        self.room, self.house, self.link, self.ada, self.ear = room, house, link, ada, ear

    async def heard(self) -> tuple[str, str]:
        message = (await self.ear.next("message"))["message"]
        return message["nick"], message["text"]

    def nicks(self) -> set[str]:
        members = self.house.service.live.room("lobby").members.values()
        return {one.nick for one in members}


@contextlib.asynccontextmanager
async def attacked(folder: Path, connections: int = 1) -> AsyncIterator[At]:
    room = Hostile()
    async with stranger(room.serve) as room.port:
        table = msgspec.to_builtins(msgspec.structs.replace(settings(room.port), puppets=False))
        made = app(
            Config(database=str(folder / "chat.sqlite3"), bridges={"jab": table}, limits=MANY)
        )
        async with serve(made) as served:
            house = House(served, made.state.chat)
            link: Any = made.bridges["jab"]
            await until(lambda: link.stats().channels == 1, within_s=20)
            ada = await house.guest("Ada")
            at = At(room, house, link, ada, await ada.listen("room:lobby"))
            yield at
            # It lives, hears and is heard, by the same connection unless that had to end.
            await until(lambda: link.stats().channels == 1, within_s=20)
            room.says("bob", "the end", "end")
            while await at.heard() != ("bob·jab", "the end"):
                pass
            await ada.say("still here")
            await until(lambda: "still here" in room.heard, within_s=10)
            assert room.connections == connections
            await ada.client.disconnect()
        if room.writer is not None:
            room.writer.transport.abort()


async def test_nick_storms_and_splits(tmp_path: Path) -> None:
    async with attacked(tmp_path) as at:
        room = at.room
        for n in range(300):
            room.comes(f"n{n}")
        await until(lambda: at.link.stats().people == 301, within_s=30)
        for turn in range(5):
            for n in range(300):
                before, after = f"{'nabcd'[turn]}{n}", f"{'abcde'[turn]}{n}"
                room.goes(before, 303, after)
                room.comes(after)
        # Those of another server are gone at once; some come back, some of these leave.
        for n in range(300):
            room.goes(f"e{n}")
        for n in range(100):
            room.comes(f"e{n}")
        for n in range(50):
            room.goes(f"e{n}", 307)
        left = {"Ada", "bob·jab", *(f"e{n}·jab" for n in range(50, 100))}
        await until(lambda: at.nicks() == left, within_s=60)
        assert at.link.stats().people == 51


async def test_replayed_history(tmp_path: Path) -> None:
    """What the room tells again is heard once; without an id, what is past is not heard at all."""
    delay = f"<delay xmlns='urn:xmpp:delay' from='{ROOM}' stamp='2026-01-01T00:00:00Z'/>"
    async with attacked(tmp_path) as at:
        for turn in range(3):
            for n in range(90):
                name = f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='s{n}'/>"
                at.room.says("bob", f"named {n}", f"m{n}", name + (delay if turn else ""))
                at.room.says("bob", f"nameless {n}", "", delay)
        at.room.says("bob", "news", "news")
        said = [(await at.heard())[1]]
        while said[-1] != "news":
            said.append((await at.heard())[1])
        assert said == [*(f"named {n}" for n in range(90)), "news"]


async def test_a_flood_is_given_up_and_others_are_heard(tmp_path: Path) -> None:
    async with attacked(tmp_path) as at:
        at.room.comes("eve")
        for n in range(3000):
            at.room.says("eve", f"{n}", f"f{n}")
        await until(lambda: at.link.stats().given_up_in > 2000, within_s=30)
        at.link.block(f"{ROOM} nick eve")
        await until(lambda: "eve·jab" not in at.nicks(), within_s=60)


async def test_odd_texts(tmp_path: Path) -> None:
    """Characters of all planes, marks without end, what only looks like markup, a great text."""
    texts = (
        "\U0010fffd \u202e\u2066 x",
        "e" + "\u0301" * 500,
        "&lt;script&gt;",
        "&#x9;&#xA;a &#x1F600;",
    )
    async with attacked(tmp_path) as at:
        for n, text in enumerate((*texts, "x" * 200_000)):
            at.room.says("bob", text, f"t{n}")
        said = [(await at.heard())[1] for _ in range(len(texts) + 1)]
        assert said[2] == "<script>"
        assert len(said[-1]) <= at.house.service.config.text_limit
