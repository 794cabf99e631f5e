"""What was taken away is nowhere: not in the history, nor in what the hub and the log remember."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from hubbub.apps.chat.housekeeping import Housekeeping
from hubbub.apps.chat.store import schema
from hubbub.testing.translation import PseudoBackend
from hubbub.translation import Cache, Translator
from tests.integration.chat.talker import House, Talker, house
from tests.integration.hub.protocol_client import ProtocolClient

pytestmark = pytest.mark.anyio

SECRET = "a secret of the tests"


@asynccontextmanager
async def _reader(chat: House, nick: str) -> AsyncIterator[ProtocolClient]:
    """Somebody who keeps where they stand in each channel."""
    claims = {"sub": f"ext-{nick}", "info": {"nick": nick}}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
    reader = ProtocolClient(chat.server.ws_url + "/connection/websocket", token)
    await reader.open()
    try:
        yield reader
    finally:
        await reader.close()


async def _call(reader: ProtocolClient, method: str, **params: Any) -> Any:
    return (await reader.ask("rpc", {"method": method, "data": params}))["data"]


async def _heard(reader: ProtocolClient, kind: str) -> Any:
    async with asyncio.timeout(10):
        while True:
            data = (await reader.pushes.get()).get("pub", {}).get("data", {})
            if data.get("type") == kind:
                return data


async def _all_that_is_told(chat: House, nick: str, room: str) -> str:
    """Whatever a newcomer can get of a room, by all ways there are."""
    channel = f"room:{room}"
    async with _reader(chat, nick) as late:
        told = [await late.ask("subscribe", {"channel": channel})]
        epoch = told[0]["epoch"]
        told.append(await late.ask("history", {"channel": channel, "limit": -1}))
        await late.ask("unsubscribe", {"channel": channel})
        position = {"recover": True, "offset": 0, "epoch": epoch}
        told.append(await late.ask("subscribe", {"channel": channel, **position}))
        for method, more in (("sync", {"after": 1}), ("history", {}), ("rooms.open", {})):
            told.append(await _call(late, method, room=room, **more))
    return json.dumps(told)


async def test_what_was_taken_away_is_told_to_nobody(tmp_path: Path) -> None:
    async with house(tmp_path, jwt_secret=SECRET) as chat:
        ada, bob = await chat.account("Adalovelace"), await chat.account("Bob")
        room = (await bob.call("rooms.create", name="Garden"))["id"]
        await ada.call("rooms.join", room=room)
        kept = await bob.say("KEPT", room=room)
        changed = await ada.say("CHANGED", room=room)
        await ada.call("edit", room=room, id=changed["id"], text="new")
        deleted = await ada.say("DELETED", room=room)
        await ada.call("delete", room=room, id=deleted["id"])
        told = await _all_that_is_told(chat, "One", room)
        assert "CHANGED" not in told
        assert "DELETED" not in told
        await ada.say("ERASED", room=room)
        assert "ERASED" in await _all_that_is_told(chat, "Two", room)
        await ada.call("me.erase", password="correct horse")
        told = await _all_that_is_told(chat, "Three", room)
        assert "ERASED" not in told
        assert "Adalovelace" not in told
        assert kept["id"] in told
        await bob.call("rooms.settings", room=room, retention=60)
        chat.service.clock_s = lambda: time.time() + 61
        await Housekeeping(chat.service).forget_old_messages()
        assert "KEPT" not in await _all_that_is_told(chat, "Four", room)


async def test_whoever_hears_a_room_goes_on(tmp_path: Path) -> None:
    async with house(tmp_path, jwt_secret=SECRET) as chat:
        ada = await chat.account("Ada")
        async with _reader(chat, "Bob") as bob, _reader(chat, "Cleo") as cleo:
            for one in (bob, cleo):
                await one.subscribe("room:lobby")
            first = await ada.say("first")
            for one in (bob, cleo):
                assert (await _heard(one, "message"))["message"] == first
            await cleo.drop()
            secret = await ada.say("secret")
            await ada.call("delete", room="lobby", id=secret["id"])
            assert (await _heard(bob, "delete"))["id"] == secret["id"]
            # He has missed nothing yet: what comes now is recovered, and once.
            await bob.drop()
            said = await ada.say("next")
            await bob.open()
            assert [one.get("message") for _, one in bob.heard][-1] == said
            # She has missed what was taken away: she is told that there is a gap, and asks.
            before = len(cleo.heard)
            await cleo.open()
            assert len(cleo.heard) == before
            missed = await _call(cleo, "sync", room="lobby", after=first["seq"])
            assert [one["type"] for one in missed["events"]] == ["message", "delete", "message"]
            assert [one["message"]["text"] for one in missed["events"][::2]] == ["", "next"]
            # From then on, they hear the same.
            last = await ada.say("last")
            for one in (bob, cleo):
                assert (await _heard(one, "message"))["message"] == last


async def test_no_room_remembers_the_nick_of_who_was_erased(tmp_path: Path) -> None:
    path = tmp_path / "chat.sqlite3"
    await asyncio.to_thread(_older, path)
    async with house(tmp_path, jwt_secret=SECRET) as chat:
        ada, bob = await chat.account("Adalovelace"), await chat.account("Bob")
        # Where she has been, too, without having said a word.
        room = (await bob.call("rooms.create", name="Garden"))["id"]
        await ada.call("rooms.join", room=room)
        await ada.call("rooms.leave", room=room)
        await ada.call("me.set", nick="Adalove")
        await ada.call("me.erase", password="correct horse")
        for place in (room, "lobby"):
            assert "Adalove" not in await _all_that_is_told(chat, f"in-{place}", place)
            types = [one["type"] for one in (await bob.call("sync", room=place, after=0))["events"]]
            assert "erase" in types
    assert b"Adalove" not in await asyncio.to_thread(_all_bytes, tmp_path)


def _older(path: Path) -> None:
    """A file as the first version has made it."""
    db = sqlite3.connect(path)
    db.executescript(
        f"{schema.VERSIONS[0]} pragma user_version = 1;"
        f" pragma application_id = {schema.APPLICATION_ID};"
    )
    db.close()


def _all_bytes(folder: Path, name: str = "chat.sqlite3") -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob(f"{name}*"))


async def test_no_translation_is_kept_of_what_was_taken_away(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        cache = Cache(path=tmp_path / "translations.sqlite3")
        chat.service._translator = translator = Translator([PseudoBackend()], cache=cache)
        ada, bob = await chat.account("Ada"), await chat.account("Bob")
        room = (await bob.call("rooms.create", name="Garden"))["id"]
        await ada.call("rooms.join", room=room)
        said = {"OLD": await bob.say("it is OLD", room=room)}
        chat.service.clock_s = lambda: time.time() + 120
        for who, text in ((ada, "CHANGED"), (ada, "DELETED"), (ada, "ERASED"), (bob, "KEPT")):
            said[text] = await who.say(f"it is {text}", room=room)
        for message in said.values():
            await translator.translate(message["text"], "en", "fr")
        await ada.call("edit", room=room, id=said["CHANGED"]["id"], text="new")
        await ada.call("delete", room=room, id=said["DELETED"]["id"])
        await ada.call("me.erase", password="correct horse")
        await bob.call("rooms.settings", room=room, retention=60)
        await Housekeeping(chat.service).forget_old_messages()
    everything = await asyncio.to_thread(_all_bytes, tmp_path, "translations.sqlite3")
    assert [text for text in said if text.encode() in everything] == ["KEPT"]


async def test_no_mention_remembers_what_was_taken_away(tmp_path: Path) -> None:
    async with house(tmp_path, jwt_secret=SECRET) as chat, _reader(chat, "Bob") as bob:
        ada, eve = await chat.account("Ada"), await chat.account("Eve")
        said: dict[str, Any] = {}

        async def mention(who: Talker, text: str) -> None:
            said[text] = await who.say(f"@Bob {text}", room=room)
            assert (await _heard(bob, "mention"))["message"] == said[text]

        async def told() -> list[str]:
            """Whatever comes again to whoever has missed something."""
            asked = await bob.ask("history", {"channel": "user:ext-Bob", "limit": -1})
            return [text for text in said if text in json.dumps(asked)]

        room = (await eve.call("rooms.create", name="Garden"))["id"]
        await ada.call("rooms.join", room=room)
        await _call(bob, "rooms.join", room=room)
        await mention(ada, "CHANGED")
        assert await told() == ["CHANGED"]
        await ada.call("edit", room=room, id=said["CHANGED"]["id"], text="@Bob it is new")
        assert await told() == []
        await mention(ada, "DELETED")
        await ada.call("delete", room=room, id=said["DELETED"]["id"])
        assert await told() == []
        await mention(ada, "ERASED")
        await ada.call("me.erase", password="correct horse")
        assert await told() == []
        await mention(eve, "OLD")
        await eve.call("rooms.settings", room=room, retention=60)
        chat.service.clock_s = lambda: time.time() + 61
        await Housekeeping(chat.service).forget_old_messages()
        assert await told() == []
        # Where nobody is told any more of the one, the other is still to be recovered.
        await mention(eve, "ANCIENT")
        chat.service.clock_s = lambda: time.time() + 1000
        await mention(eve, "NEW")
        await eve.call("delete", room=room, id=said["ANCIENT"]["id"])
        assert "NEW" in await told()
