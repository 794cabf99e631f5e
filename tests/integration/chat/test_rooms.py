"""Rooms: who comes in, who goes, who must go, and what is left of them."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hubbub.apps.chat.housekeeping import Housekeeping
from tests.integration.chat.talker import House, Talker, house

pytestmark = pytest.mark.anyio


async def test_a_room_of_ones_own(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.account("Ada"), await chat.guest("Bob")
        made = await ada.call("rooms.create", name="Garden", kind="members", topic="Roses")
        assert (made["role"], made["topic"], made["members"]) == ("owner", "Roses", 1)
        room = made["id"]
        assert await ada.refused("rooms.create", name="Gаrden") == (409, False)
        await ada.call("rooms.invite", room=room, user=bob.user)
        assert (await bob.own.ear.next("invite"))["room"]["id"] == room
        ear = await ada.listen(f"room:{room}")
        joined = await bob.call("rooms.join", room=room)
        assert (joined["joined"], joined["members"]) == (True, 2)
        assert (await ear.next("member"))["joined"] is True
        await ada.call("rooms.settings", room=room, topic="Tulips", moderated=True)
        assert (await ear.next("topic"))["topic"] == "Tulips"
        assert await bob.refused("say", room=room, text="x", nonce="1") == (403, False)
        await ada.call("moderate", room=room, user=bob.user, action="voice")
        assert (await bob.say("now", room=room))["text"] == "now"
        await bob.call("rooms.leave", room=room)
        assert (await ear.next("part"))["kind"] == "part"
        assert await bob.refused("rooms.open", room=room) == (404, False)


async def test_rights_that_are_taken_away_are_gone(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, eve = await chat.account("Ada"), await chat.guest("Eve")
        room = (await ada.call("rooms.create", name="Garden"))["id"]
        await eve.call("rooms.join", room=room)
        ear = await eve.listen(f"room:{room}")
        place = {"room": room, "user": eve.user}
        assert await eve.refused("moderate", room=room, user=ada.user, action="kick") == (
            403,
            False,
        )
        await ada.call("moderate", **place, action="mute", seconds=60)
        assert await eve.refused("say", room=room, text="x", nonce="1") == (403, False)
        await ada.call("moderate", **place, action="unmute")
        await eve.say("x", room=room)
        await ada.call("moderate", **place, action="ban", reason="enough")
        async with asyncio.timeout(1):
            assert await ear.out.get() == 2000
        assert (await eve.own.ear.next("left"))["kind"] == "ban"
        assert await eve.refused("rooms.join", room=room) == (403, False)
        assert await eve.refused("say", room=room, text="x", nonce="2") == (404, False)
        (ban,) = (await ada.call("bans", room=room))["bans"]
        assert (ban["nick"], ban["reason"]) == ("Eve", "enough")
        await ada.call("moderate", **place, action="unban")
        assert (await eve.call("rooms.join", room=room))["joined"] is True


async def test_a_mute_outlasts_leaving_and_the_server(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, eve = await chat.account("Ada"), await chat.account("Eve")
        room = (await ada.call("rooms.create", name="Garden"))["id"]
        await eve.call("rooms.join", room=room)
        mine = await eve.say("before", room=room)
        ear = await ada.listen(f"room:{room}")
        await ada.call("moderate", room=room, user=eve.user, action="mute", seconds=3600)
        until = (await ear.next("member"))["muted"]
        told = {"room": room, "id": mine["id"], "lang": "fr", "text": "encore", "engine": "x"}
        assert await eve.refused("attach", **told) == (403, False)
        await eve.call("rooms.leave", room=room)
    async with house(tmp_path) as chat:
        eve = await chat.sign_in("login", nick="Eve", password="correct horse")
        chat.talkers.append(eve)
        await eve.connect()
        await eve.call("rooms.join", room=room)
        assert await eve.refused("say", room=room, text="x", nonce="1") == (403, False)
        (member,) = [
            one
            for one in (await eve.call("members", room=room))["members"]
            if one["user"] == eve.user
        ]
        assert member["muted"] == until
    async with house(tmp_path) as chat:
        # And where she has not left meanwhile.
        eve = await chat.sign_in("login", nick="Eve", password="correct horse")
        chat.talkers.append(eve)
        await eve.connect()
        assert await eve.refused("say", room=room, text="x", nonce="1") == (403, False)


async def test_who_owns_a_room_leaves_it_to_somebody(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.account("Ada"), await chat.guest("Bob")
        room = (await ada.call("rooms.create", name="Garden"))["id"]
        await bob.call("rooms.join", room=room)
        ear = await bob.listen(f"room:{room}")
        await ada.call("rooms.leave", room=room)
        given = await ear.next("member")
        assert (given["user"], given["role"], given["by"]) == (bob.user, "owner", ada.user)
        assert (await ear.next("part"))["user"] == ada.user
        await bob.call("rooms.settings", room=room, topic="Tulips")
    async with house(tmp_path) as chat:
        assert chat.service.live.room(room).members[bob.user].role == "owner"


@pytest.mark.parametrize("kinds", [("room",), ("live",), ("room", "live")])
async def test_whoever_only_listens_is_put_out_when_the_door_closes(
    tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    async with house(tmp_path) as chat:
        ada, bob, spy = await chat.account("Ada"), await chat.guest("Bob"), await chat.guest("Spy")
        room = (await ada.call("rooms.create", name="Garden"))["id"]
        await bob.call("rooms.join", room=room)
        theirs = [await spy.listen(f"{kind}:{room}") for kind in kinds]
        bobs = await bob.listen(f"live:{room}")
        await ada.call("rooms.settings", room=room, kind="members")
        for ear in theirs:
            async with asyncio.timeout(10):
                assert await ear.out.get() == 2000
        await ada.call("typing", room=room, on=True)
        assert (await bobs.next("typing"))["user"] == ada.user


async def test_a_conversation_of_two(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob, eve = [await chat.guest(nick) for nick in ("Ada", "Bob", "Eve")]
        room = await ada.call("direct.open", user=bob.user)
        assert (room["kind"], room["peer"]["nick"]) == ("direct", "Bob")
        told = await bob.own.ear.next("room")
        while told["room"]["id"] != room["id"]:
            told = await bob.own.ear.next("room")
        assert told["room"]["peer"]["nick"] == "Ada"
        both = await asyncio.gather(
            bob.call("direct.open", user=ada.user), ada.call("direct.open", user=bob.user)
        )
        assert {one["id"] for one in both} == {room["id"]}
        await ada.say("between us", room=room["id"])
        assert (await bob.call("search", q="between"))["messages"][0]["text"] == "between us"
        assert await eve.refused("rooms.open", room=room["id"]) == (404, False)
        assert room["id"] not in {one["id"] for one in (await eve.call("rooms.list"))["rooms"]}


async def _names(chat: House) -> set[str]:
    return {member.nick for member in chat.service.live.room("lobby").members.values()}


async def test_people_change(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        ear = await bob.listen("room:lobby")
        me = await ada.call("me.set", nick="Ada.L", langs=["fr", "EN_gb"], preferred="fr")
        assert (me["nick"], me["langs"], me["preferred"]) == ("Ada.L", ["fr", "en-GB"], "fr")
        event = await ear.next("member")
        assert (event["nick"], event["langs"], event.get("joined")) == (
            "Ada.L",
            ["fr", "en-GB"],
            None,
        )
        assert await ada.refused("me.set", nick="bob") == (409, False)
        assert (await ada.call("me.set", password="correct horse"))["guest"] is False
        answer = await chat.server.post(
            "/api/login", json={"nick": "ada.l", "password": "correct horse"}
        )
        assert answer.json()["user"] == ada.user
        assert await ada.refused("me.set", password="another horse") == (403, False)


async def test_another_password_signs_others_out(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada = await chat.account("Ada")
        thief = await chat.sign_in("login", nick="Ada", password="correct horse")
        tab = Talker(chat.server, ada.cookie, ada.me)
        chat.talkers += [thief, tab]
        await thief.connect()
        await tab.connect()
        await ada.call("me.set", preferred="fr")
        assert thief.own.ended.empty()
        await ada.call("me.set", password="another battery", oldPassword="correct horse")
        async with asyncio.timeout(10):
            assert await thief.own.ended.get() == 4502
        assert (await tab.say("still here"))["user"] == ada.user
        assert (await ada.say("still here"))["user"] == ada.user
        assert (ada.own.ended.qsize(), tab.own.ended.qsize()) == (0, 0)


async def test_nothing_is_done_for_who_is_being_erased(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.account("Ada"), await chat.guest("Bob")
        room = (await bob.call("rooms.create", name="Garden"))["id"]
        with chat.service.people.erasing(ada.user):
            assert await ada.refused("rooms.join", room=room) == (404, False)
            assert await ada.refused("say", room="lobby", text="x", nonce="1") == (404, False)
            assert await ada.refused("me.set", nick="Eda") == (404, False)
        assert (await ada.call("rooms.join", room=room))["joined"] is True


@asynccontextmanager
async def _busy_disk(chat: House) -> AsyncIterator[None]:
    """Meanwhile nothing comes onto the disk: whoever looks there finds everything as it was."""
    gate, is_waiting = threading.Event(), threading.Event()

    def wait(db: sqlite3.Connection) -> None:
        is_waiting.set()
        gate.wait()

    chat.service.store.submit(wait, lambda failure: None)
    try:
        await asyncio.to_thread(is_waiting.wait)
        yield
    finally:
        gate.set()


async def test_nobody_signs_in_while_the_password_changes(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada = await chat.account("Ada")
        old = {"nick": "Ada", "password": "correct horse"}
        async with _busy_disk(chat):
            more = {"nick": "Cleo", "oldPassword": old["password"]}
            changed = asyncio.create_task(ada.call("me.set", password="another battery", **more))
            while chat.service.live.room("lobby").members[ada.user].nick != "Cleo":
                await asyncio.sleep(0.01)
            thief = asyncio.create_task(chat.server.post("/api/login", json=old))
            # The old password is the right one still; the session is on its way behind the change.
            queue = chat.service.store._writer._queue
            while queue.qsize() < 2 and not thief.done():
                await asyncio.sleep(0.01)
        await changed
        assert (await thief).status == 401
        new = {"nick": "Cleo", "password": "another battery"}
        assert (await chat.server.post("/api/login", json=new)).status == 200


async def test_two_who_take_a_nick_at_once_are_no_trouble_to_others(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, eve, bob = [await chat.account(nick) for nick in ("Ada", "Eve", "Bob")]
        async with _busy_disk(chat):
            first = asyncio.create_task(ada.call("me.set", nick="Cleo"))
            said = asyncio.create_task(bob.say("before"))
            while chat.service.live.room("lobby").members[ada.user].nick != "Cleo":
                await asyncio.sleep(0.01)
            assert await eve.refused("me.set", nick="cleo") == (409, False)
            answer = await chat.server.post("/api/guest", json={"nick": "CLEO"})
            assert answer.status == 409
            after = asyncio.create_task(bob.say("after"))
        assert (await first)["nick"] == "Cleo"
        assert [(await one)["text"] for one in (said, after)] == ["before", "after"]
        assert (await ada.call("me.set", nick="Ada"))["nick"] == "Ada"
        assert (await eve.call("me.set", nick="Cleo"))["nick"] == "Cleo"


def _all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob("chat.sqlite3*"))


async def test_a_person_is_erased(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.account("Ada"), await chat.guest("Bob")
        ear = await bob.listen("room:lobby")
        await ada.say("do remember Zanzibar")
        theirs = await bob.say("mine")
        await ada.call("react", room="lobby", id=theirs["id"], emoji="x", on=True)
        assert await ada.refused("me.erase", password="wrong") == (403, False)
        await ada.call("me.erase", password="correct horse")
        assert (await ear.next("erase"))["user"] == ada.user
        async with asyncio.timeout(10):
            assert await ada.own.ended.get() == 4502
        gone, kept = (await bob.call("history", room="lobby"))["messages"]
        assert (gone["text"], gone["nick"], bool(gone["deleted"])) == ("", "", True)
        assert "reactions" not in kept
        assert (await bob.call("search", q="remember"))["messages"] == []
        assert {one["nick"] for one in (await bob.call("members", room="lobby"))["members"]} == {
            "Bob"
        }
        again = await chat.server.post("/api/guest", json={"nick": "Ada"})
        assert again.status == 200
    raw = await asyncio.to_thread(_all_bytes, tmp_path)
    # Neither the message, nor the words as the search index writes them.
    assert b"do remember" not in raw
    assert b"zanzibar" not in raw.lower()


async def test_old_messages_go(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada = await chat.account("Ada")
        room = (await ada.call("rooms.create", name="Brief"))["id"]
        for number in range(5):
            await ada.say(f"word{number}", room=room)
        await ada.call("rooms.settings", room=room, retention=60)
        chat.service.clock_s = lambda: time.time() + 61
        newest = await ada.say("word9", room=room)
        await Housekeeping(chat.service).forget_old_messages()
        assert (await ada.call("history", room=room))["messages"] == [newest]
        assert len((await ada.call("search", q="word"))["messages"]) == 1
        assert (await ada.call("sync", room=room, after=1))["reset"] is True


_CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("react", {"emoji": "x", "on": True}),
    ("edit", {"text": "new"}),
    ("lang", {"lang": "fr"}),
    ("attach", {"lang": "de", "text": "neu", "engine": "x"}),
    ("delete", {}),
]


def _left(chat: House, message: str) -> list[Any]:
    db = chat.service.store.here.db
    return [
        row
        for table in ("reactions", "translations")
        for row in db.execute(f"select * from {table} where message = ?", (message,))
    ]


async def test_nothing_is_done_to_what_is_too_old(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada = await chat.account("Ada")
        room = (await ada.call("rooms.create", name="Brief"))["id"]
        old = await ada.say("old", room=room)
        await ada.call("rooms.settings", room=room, retention=60)
        chat.service.clock_s = lambda: time.time() + 61
        await Housekeeping(chat.service).forget_old_messages()
        for method, more in _CHANGES:
            assert await ada.refused(method, room=room, id=old["id"], **more) == (404, False)
        assert _left(chat, old["id"]) == []


async def test_what_grows_too_old_meanwhile_takes_nothing_else_with_it(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.account("Ada"), await chat.guest("Bob")
        room = (await ada.call("rooms.create", name="Brief"))["id"]
        await bob.call("rooms.join", room=room)
        ear = await bob.listen(f"room:{room}")
        old = await ada.say("old", room=room)
        await bob.say("@Ada", room=room)

        def forget(db: sqlite3.Connection) -> None:
            db.execute("delete from messages where id = ?", (old["id"],))

        # The room remembers it still: as between the disk and the loop.
        await chat.service.store.write(forget)
        for method, more in _CHANGES:
            changed = ada.call(method, room=room, id=old["id"], **more)
            said = bob.say(f"beside {method}", room=room)
            both = await asyncio.gather(changed, said)
            assert both[1]["text"] == f"beside {method}"
        assert _left(chat, old["id"]) == []
        last = await bob.say("last", room=room)
        while (await ear.next("message"))["message"] != last:
            pass
        missed = await bob.call("sync", room=room, after=old["seq"])
        assert missed["seq"] == last["seq"]
        assert "reset" not in missed


async def test_guests_who_do_not_come_back_make_room(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        await ada.say("I was here")
        await ada.client.disconnect()
        while chat.service.people.is_online(ada.user):
            await asyncio.sleep(0.01)
        chat.service.clock_s = lambda: time.time() + 8 * 86_400
        await Housekeeping(chat.service).forget_old_guests()
        assert await _names(chat) == {"Bob"}
        assert (await chat.server.post("/api/guest", json={"nick": "Ada"})).status == 200
        (said,) = (await bob.call("history", room="lobby"))["messages"]
        assert (said["nick"], said["text"]) == ("Ada", "I was here")
