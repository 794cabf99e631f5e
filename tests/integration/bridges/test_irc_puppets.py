"""Everybody of the chat has a connection of their own to the network."""

import asyncio
from pathlib import Path

import pytest

from hubbub.bridges.irc.client.puppets import address_of
from tests.integration.bridges.networks import Network
from tests.integration.bridges.test_irc_link import joined, moderate, network

__all__ = ["network"]

pytestmark = pytest.mark.anyio


async def test_they_speak_for_themselves_and_in_order(network: Network, tmp_path: Path) -> None:
    bob = await network.peer("bob", "#lobby")
    async with joined(network, tmp_path, mode="puppets", puppets={"suffix": "|w"}) as house:
        ada, eve = await house.guest("Ada"), await house.guest("Éve")
        ear = await ada.listen("room:lobby")
        nicks = {(await bob.next("JOIN", "#lobby")).source.partition("!")[0] for _ in range(3)}
        assert nicks >= {"hubbub", "Ada|w"}
        (other,) = nicks - {"hubbub", "Ada|w"}
        assert other.startswith("Eve|")
        for number in range(10):
            await (ada, eve)[number % 2].say(f"line {number}")
        said = [await bob.said("#lobby") for _ in range(10)]
        assert said == [(("Ada|w", other)[n % 2], f"line {n}") for n in range(10)]
        await ada.say("waves", kind="action")
        assert await bob.said("#lobby") == ("Ada|w", "\x01ACTION waves\x01")
        # What they say is not heard a second time, from there.
        bob.send("PRIVMSG #lobby :Ada|w: enough")
        heard = []
        while not heard or heard[-1][0] != "bob·net":
            told = (await ear.next("message"))["message"]
            heard.append((told["nick"], told["text"]))
        assert [nick for nick, _ in heard].count("bob·net") == 1
        assert len(heard) == 12


async def test_one_that_is_killed_is_spoken_for(network: Network, tmp_path: Path) -> None:
    bob = await network.peer("bob", "#lobby")
    async with joined(network, tmp_path, mode="puppets", puppets={"limit": 1}) as house:
        ada, eve = await house.guest("Ada"), await house.guest("Eve")
        names = {(await bob.next("JOIN", "#lobby")).source.partition("!")[0] for _ in range(2)}
        assert len(names) == 2
        bob.send(f"KICK #lobby {(names - {'hubbub'}).pop()} :out")
        await bob.next("KICK", "#lobby")
        await asyncio.gather(ada.say("one"), eve.say("two"))
        # Whoever says it, it is said once.
        await asyncio.gather(ada.say("three"), eve.say("four"))
        said = [(await bob.said("#lobby"))[1].rpartition(" ")[2] for _ in range(4)]
        assert sorted(said[:2]) == ["one", "two"]
        assert sorted(said[2:]) == ["four", "three"]


def test_an_address_is_private_and_always_the_same() -> None:
    assert address_of("u1").startswith("fd")
    assert address_of("u1") == address_of("u1") != address_of("u2")


async def test_who_takes_a_message_away_says_so(network: Network, tmp_path: Path) -> None:
    bob = await network.peer("bob", "#lobby")
    async with joined(network, tmp_path, mode="puppets") as house:
        ada, eve = await house.guest("Ada"), await house.guest("Eve")
        moderate(house, ada)
        nicks = {(await bob.next("JOIN", "#lobby")).source.partition("!")[0] for _ in range(3)}
        assert nicks >= {"Ada", "Eve"}
        spam = await eve.say("spam")
        assert await bob.said("#lobby") == ("Eve", "spam")
        await ada.call("delete", room="lobby", id=spam["id"])
        notice = await bob.next("NOTICE", "#lobby")
        assert notice.source.partition("!")[0] == "Ada"
        assert notice.params[1] == "(has deleted a message)"
