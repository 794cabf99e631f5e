"""What nobody should send: each is refused with its own code, and nothing else happens."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import centrifuge
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from hubbub.apps.chat import Config, Limits, app
from hubbub.apps.chat.store import DatabaseDamaged, StoreFailure
from hubbub.apps.chat.store.backup import copy
from hubbub.apps.chat.store.schema import NewerDatabase
from hubbub.testing import serve
from tests.integration.chat.talker import House, Talker, house

pytestmark = pytest.mark.anyio

SECRET = "a secret of the tests"


@pytest.fixture
async def chat(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, jwt_secret=SECRET) as made:
        yield made


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"text": "x" * 4_001}, 413),
        ({"text": ""}, 400),
        ({"text": " \n "}, 400),
        ({"text": "a\x00b"}, 400),
        ({"text": "\x1b[31mred"}, 400),
        ({"text": "x", "lang": "not a language"}, 400),
        ({"text": "x", "lang": "x" * 100}, 400),
        ({"text": "x", "nonce": "n" * 65}, 413),
        ({"text": "x", "replyTo": "01JDSN0TAMESSAGE0000000000"}, 404),
        ({"text": "x", "kind": "html"}, 107),
        ({"text": "x", "files": [{"url": "javascript:alert(1)", "name": "x"}]}, 400),
        ({"text": "x", "files": [{"url": "https://h/\nx", "name": "x"}]}, 400),
        ({"text": "x", "files": [{"url": "https://h/", "name": ""}]}, 400),
        ({"text": 7}, 107),
        ({}, 400),
    ],
)
async def test_no_message(chat: House, params: dict[str, Any], code: int) -> None:
    ada = await chat.guest("Ada")
    assert (await ada.refused("say", room="lobby", **params))[0] == code
    assert (await ada.call("history", room="lobby"))["messages"] == []


async def test_a_room_that_is_not_there_is_like_one_that_is_not_for_you(chat: House) -> None:
    ada, eve = await chat.account("Ada"), await chat.guest("Eve")
    room = (await ada.call("rooms.create", name="Board", kind="members"))["id"]
    for place in (room, "r000000000000", "", "x" * 300, "lobby'--"):
        for method in ("rooms.open", "rooms.join", "history", "members", "export"):
            assert await eve.refused(method, room=place) == (404, False), (method, place)
        assert await eve.refused("say", room=place, text="x") == (404, False)
        assert await eve.refused("sync", room=place, after=0) == (404, False)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await eve.listen(f"room:{room}")
    said = await ada.say("secret", room=room)
    assert await eve.refused("react", room="lobby", id=said["id"], emoji="x") == (404, False)
    assert (await eve.call("search", q="secret"))["messages"] == []
    assert await eve.refused("search", q=f"secret in:{room}") == (404, False)
    answer = await chat.server.get(f"/api/export/{room}", headers={"cookie": eve.cookie})
    assert answer.status == 404


async def test_nobody_speaks_for_another(chat: House) -> None:
    ada, eve = await chat.guest("Ada"), await chat.guest("Eve")
    said = await eve.call(
        "say", room="lobby", text="I am Ada", user=ada.user, nick="Ada", id="1", seq=1, nonce="1"
    )
    assert (said["message"]["user"], said["message"]["nick"]) == (eve.user, "Eve")
    # Nor by publishing past the service.
    with pytest.raises(centrifuge.ReplyError) as refused:
        await eve.client.publish("room:lobby", {"type": "message"})
    assert refused.value.code == 103
    assert (await chat.server.post("/api/guest", json={"nick": "Αda"})).status == 409


async def test_markup_is_text_wherever_it_goes(chat: House) -> None:
    ada = await chat.guest("Ada")
    script = "<script>alert(1)</script> <img src=x onerror=alert(1)> [x](javascript:alert(1)) \"'&"
    said = await ada.say(script)
    assert said["text"] == script
    url = (await ada.call("export", room="lobby", format="html"))["url"]
    page = await chat.server.get("/" + url, headers={"cookie": ada.cookie})
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "href" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    lines = await chat.server.get(
        "/" + url.replace("html", "jsonl"), headers={"cookie": ada.cookie}
    )
    (line,) = [one for one in lines.text.splitlines() if one.startswith("{")]
    assert msgspec.json.decode(line) == said


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"nick": ""}, 400),
        ({"nick": "a b"}, 400),
        ({"nick": "a\u200db"}, 400),
        ({"nick": "\u202eada"}, 400),
        ({"nick": "\u3164"}, 400),
        ({"nick": "e" + "\u0301" * 9}, 400),
        ({"nick": "x" * 33}, 413),
        ({"nick": "<b>"}, 400),
        ({"nick": "..."}, 400),
        ({"nick": "Ada", "langs": ["xx-not-a-tag"]}, 400),
        ({"nick": "Ada", "langs": ["en"] * 21}, 400),
        ({"nick": "Ada", "preferred": "klingonese"}, 400),
        ({"nick": 7}, 422),
        ({}, 422),
    ],
)
async def test_no_nick(chat: House, form: dict[str, Any], code: int) -> None:
    assert (await chat.server.post("/api/guest", json=form)).status == code


async def test_nobody_speaks_for_another_network(chat: House) -> None:
    ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
    forged = {"bridge": "irc", "name": "Bob"}
    said = await ada.say("it is me, Bob", via=forged)
    assert said["nick"] == "Ada"
    (kept,) = (await bob.call("history", room="lobby"))["messages"]
    assert "via" not in said
    assert "via" not in kept


async def test_a_form_of_another_page_is_not_taken(chat: House) -> None:
    body = b'{"nick": "Ada"}'
    plain = await chat.server.post("/api/guest", body=body, headers={"content-type": "text/plain"})
    assert plain.status == 415


async def test_passwords_are_not_guessed(tmp_path: Path) -> None:
    async with house(tmp_path, limits=Limits(passwords_per_nick=(0.001, 3))) as chat:
        await chat.account("Ada")
        form = {"nick": "Ada", "password": "wrong horse"}
        answers = [await chat.server.post("/api/login", json=form) for _ in range(4)]
        assert [one.status for one in answers] == [401, 401, 401, 429]
        nobody = await chat.server.post("/api/login", json={"nick": "Bob", "password": "x"})
        assert nobody.json()["error"] == answers[0].json()["error"]
        guest = await chat.server.post("/api/register", json={"nick": "Cy", "password": "short"})
        assert guest.status == 400


async def test_tokens(chat: House) -> None:
    def token(**claims: Any) -> str:
        return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))

    async def ends(signed: str) -> int:
        talker = Talker(chat.server, "", {"user": ""})
        talker.client = talker._client(signed)
        await talker.client.connect()
        async with asyncio.timeout(10):
            return await talker.own.ended.get()

    good = Talker(chat.server, "", {"user": "ext-1"})
    good.client = good._client(token(sub="ext-1", info={"nick": "Grace"}))
    chat.talkers.append(good)
    await good.connect()
    assert (await good.say("signed"))["nick"] == "Grace"
    forged = jwt.encode(
        {"alg": "HS256"}, {"sub": "ext-1"}, OctKey.import_key("another secret, not ours")
    )
    assert await ends(forged) == 3500
    # A token cannot speak for somebody who has an account of their own here.
    ada = await chat.account("Ada")
    assert await ends(token(sub=ada.user)) == 4501
    assert await ends("") == 4501
    # One that has expired is to be renewed; this client has nothing to renew it with.
    assert await ends(token(sub="ext-1", exp=int(time.time()) - 5)) in (1, 3500, 4501)


async def test_a_session_that_has_ended_is_nobody(chat: House) -> None:
    ada = await chat.guest("Ada")
    answer = await chat.server.post("/api/logout", headers={"cookie": ada.cookie})
    assert answer.status == 200
    async with asyncio.timeout(10):
        assert await ada.own.ended.get() == 4502
    assert (await chat.server.get("/api/me", headers={"cookie": ada.cookie})).status == 401


async def test_floods_are_told_to_stop(tmp_path: Path) -> None:
    limits = Limits(messages_per_user=(0.01, 5), messages_per_room=(0.01, 8))
    async with house(tmp_path, limits=limits) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        for number in range(5):
            await ada.say(f"{number}")
        assert await ada.refused("say", room="lobby", text="x", nonce="1") == (429, True)
        for number in range(3):
            await bob.say(f"{number}")
        assert await bob.refused("say", room="lobby", text="x", nonce="1") == (429, True)


async def test_a_full_disk_refuses_and_loses_nothing(tmp_path: Path) -> None:
    async with house(tmp_path, limits=Limits(messages_per_user=(100, 100))) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        ear = await bob.listen("room:lobby")
        before = await ada.say("before")
        writer = chat.service.store

        async def pages(limit: int) -> None:
            def write(db: sqlite3.Connection) -> None:
                now = db.execute("pragma page_count").fetchone()[0]
                db.execute(f"pragma max_page_count = {limit or now}")

            await writer.write(write)

        # SQLite's own way of having no more room: what it says and does is what ENOSPC brings.
        await pages(0)
        refusals, codes = 0, set[tuple[int, bool]]()
        text = "y" * 4_000
        for number in range(20):
            try:
                await ada.say(text, nonce=f"full{number}")
            except centrifuge.ReplyError as error:
                codes.add((error.code, error.temporary))
                refusals += 1
        assert codes == {(507, True)}
        assert refusals > 10
        await pages(1 << 30)
        after = await ada.say(text, nonce="full19")
        again = await ada.say(text, nonce="full19")
        assert after == again
        kept = (await bob.call("history", room="lobby", limit=100))["messages"]
        assert kept[0] == before
        assert kept[-1] == after
        assert len(kept) == 22 - refusals
        heard = [(await ear.next("message"))["message"] for _ in kept]
        assert heard == kept


def _damaged(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\x5a" * (len(whole) - 4096))


async def test_a_damaged_database_is_not_served(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        await (await chat.guest("Ada")).say("kept")
    database = tmp_path / "chat.sqlite3"
    copy(database)
    _damaged(database)
    before = database.read_bytes()
    with pytest.raises(DatabaseDamaged) as damaged:
        async with serve(app(Config(database=str(database)))):
            pass
    assert damaged.value.path == str(database)
    assert damaged.value.backup == str(tmp_path / "chat.sqlite3.backup")
    assert "put the copy in its place" in str(damaged.value)
    assert database.read_bytes() == before
    (tmp_path / "chat.sqlite3.backup").replace(database)
    for rest in ("-wal", "-shm"):
        (tmp_path / f"chat.sqlite3{rest}").unlink(missing_ok=True)
    async with house(tmp_path) as chat:
        messages = (await (await chat.guest("Bob")).call("history", room="lobby"))["messages"]
        assert [one["text"] for one in messages] == ["kept"]


async def test_what_is_no_database_of_ours_is_not_touched(tmp_path: Path) -> None:
    no_database = tmp_path / "text.sqlite3"
    no_database.write_text("dear diary, " * 1_000)
    with pytest.raises(DatabaseDamaged, match="no copy beside it"):
        async with serve(app(Config(database=str(no_database)))):
            pass
    foreign = tmp_path / "foreign.sqlite3"
    with sqlite3.connect(foreign) as db:
        db.execute("pragma application_id = 7")
    db.close()
    with pytest.raises(NewerDatabase):
        async with serve(app(Config(database=str(foreign)))):
            pass
    folder = tmp_path / "file"
    folder.write_text("")
    with pytest.raises(StoreFailure):
        async with serve(app(Config(database=str(folder / "chat.sqlite3")))):
            pass
