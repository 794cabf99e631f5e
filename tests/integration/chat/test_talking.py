"""People talk: what one says, all hear, in order, once, and find again."""

import asyncio
from pathlib import Path

import pytest

from tests.integration.chat.talker import house

pytestmark = pytest.mark.anyio


async def test_what_is_said_is_heard_and_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob", "fr")
        ear = await bob.listen("room:lobby")
        said = await ada.say("Hello **you**", lang="en")
        heard = await ear.next("message")
        assert heard["message"] == said
        assert (said["user"], said["nick"], said["kind"]) == (ada.user, "Ada", "text")
        assert (said["lang"], said["langSource"], len(said["id"])) == ("en", "user", 26)
        opened = await bob.call("rooms.open", room="lobby")
        assert opened["messages"] == [said]
        assert opened["seq"] == heard["seq"] == said["seq"]
        assert {(one["nick"], one["online"]) for one in opened["members"]} == {
            ("Ada", True),
            ("Bob", True),
        }
    # And once more, from the file.
    async with house(tmp_path) as chat:
        cleo = await chat.guest("Cleo")
        assert (await cleo.call("history", room="lobby"))["messages"] == [said]


async def test_the_same_nonce_is_the_same_message(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada = await chat.guest("Ada")
        both = await asyncio.gather(ada.say("once", nonce="7"), ada.say("once", nonce="7"))
        assert both[0] == both[1] == await ada.say("another text", nonce="7")
        assert len((await ada.call("history", room="lobby"))["messages"]) == 1


async def test_a_sender_knows_their_words_again(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        ear = await ada.listen("room:lobby")
        opened = await ada.call("rooms.open", room="lobby")
        said = await ada.say("mine", nonce="n-1")
        heard = await ear.next("message")
        assert (heard["message"], heard["nonce"]) == (said, "n-1")
        # From the file, too; but there, nobody learns another's.
        for who, nonces in ((ada, ["n-1"]), (bob, [None])):
            missed = await who.call("sync", room="lobby", after=opened["seq"])
            found = [one.get("nonce") for one in missed["events"] if one["type"] == "message"]
            assert found == nonces


async def test_messages_change(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        ear = await bob.listen("room:lobby")
        first = await ada.say("helo @Bob")
        assert first["mentions"] == [bob.user]
        assert (await bob.own.ear.next("mention"))["message"] == first
        place = {"room": "lobby", "id": first["id"]}
        await ada.call("edit", **place, text="hello @Bob")
        assert (await ear.next("edit"))["text"] == "hello @Bob"
        await bob.call("react", **place, emoji="👍", on=True)
        assert (await ear.next("react"))["on"] is True
        await bob.call("lang", **place, lang="en-GB")
        assert (await ear.next("lang"))["lang"] == "en-GB"
        kept = (await bob.call("history", room="lobby"))["messages"][0]
        assert (kept["text"], kept["lang"], kept["langSource"]) == ("hello @Bob", "en-GB", "user")
        assert kept["reactions"] == {"👍": [bob.user]}
        assert await bob.refused("edit", **place, text="mine") == (403, False)
        await ada.call("delete", **place)
        assert (await ear.next("delete"))["by"] == ada.user
        gone = (await bob.call("history", room="lobby"))["messages"][0]
        assert gone["text"] == ""
        assert "reactions" not in gone
        assert (await bob.call("search", q="hello"))["messages"] == []
        assert await ada.refused("edit", **place, text="again") == (404, False)


async def test_who_was_away_is_told_what_happened(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        seq = (await bob.call("rooms.open", room="lobby"))["seq"]
        one = await ada.say("one")
        two = await ada.say("two")
        await ada.call("edit", room="lobby", id=one["id"], text="uno")
        missed = await bob.call("sync", room="lobby", after=seq)
        assert [event["type"] for event in missed["events"]] == ["message", "message", "edit"]
        assert [event["seq"] for event in missed["events"]] == [seq + 1, seq + 2, seq + 3]
        assert missed["events"][0]["message"]["text"] == "uno"
        assert missed["events"][1]["message"] == two
        assert missed["seq"] == seq + 3
        ahead = await bob.call("sync", room="lobby", after=seq + 1000)
        assert ahead["reset"] is True


async def test_typing_and_presence_are_told_to_those_who_look(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada = await chat.guest("Ada")
        ear = await ada.listen("live:lobby")
        bob = await chat.guest("Bob")
        come = await ear.next("presence")
        while bob.user not in come.get("online", ()):
            come = await ear.next("presence")
        assert come["count"] == 2
        await bob.call("typing", room="lobby", on=True)
        assert (await ear.next("typing"))["user"] == bob.user
        await bob.client.disconnect()
        gone = await ear.next("presence")
        assert (gone["offline"], gone["count"]) == ([bob.user], 1)


async def test_what_is_read_here_is_read_everywhere(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        for number in range(3):
            said = await ada.say(f"@Bob {number}")
        (lobby,) = (await bob.call("rooms.list"))["rooms"]
        assert (lobby["unread"], lobby["mentions"]) == (3, 3)
        await bob.call("read", room="lobby", id=said["id"])
        assert (await bob.own.ear.next("read"))["seq"] == said["seq"]
        (lobby,) = (await bob.call("rooms.list"))["rooms"]
        assert (lobby["unread"], lobby["mentions"], lobby["lastRead"]) == (0, 0, said["seq"])
