"""Whoever is signed out by the chat is gone from IRC, too."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.integration.bridges.house import EVERYTHING, Irc, doors

pytestmark = pytest.mark.anyio


async def _gone(irc: Irc) -> None:
    await irc.next("ERROR", "Closing link: Signed out")
    # What it has still sent, nobody reads: then TCP says so.
    with contextlib.suppress(ConnectionResetError):
        async with asyncio.timeout(10):
            while await irc.reader.readline():
                pass


async def test_another_password_ends_the_sessions_of_the_old_one(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.account("Ada")
        thieves = [await both.irc("Ada", password="correct horse") for _ in range(2)]
        bob = await both.irc("bob")
        await ada.call("me.set", password="another battery", oldPassword="correct horse")
        for thief in thieves:
            await _gone(thief)
        # She herself is still there, and comes in by the new one.
        bob.send("NAMES #lobby")
        assert "Ada" in (await bob.next("353")).params[-1].split()
        again = await both.irc("Ada", password="another battery")
        again.send("PRIVMSG #lobby :it is me")
        await bob.next("PRIVMSG", "it is me")


async def test_who_is_erased_is_not_there(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada, eve = await both.account("Ada"), await both.guest("Eve")
        irc = await both.irc("Ada", *EVERYTHING, password="correct horse")
        bob = await both.irc("bob")
        # What she says before she hears of it is not heard.
        erased = asyncio.create_task(ada.call("me.erase", password="correct horse"))
        await bob.next("PART", "#lobby")
        irc.send("JOIN #lobby", "PRIVMSG #lobby :I am still here", "JOIN #new")
        await _gone(irc)
        await erased
        assert not any(line.command in ("JOIN", "PRIVMSG") for line in await bob.until_pong())
        members = (await eve.call("members", room="lobby"))["members"]
        assert {one["nick"] for one in members} == {"Eve", "bob"}
        assert [one["name"] for one in (await eve.call("rooms.list"))["rooms"]] == ["Lobby"]


async def test_another_password_ends_what_the_old_one_has_begun(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.account("Ada")
        thief = await both.registering("Ada", "correct horse")
        await ada.call("me.set", password="another battery", oldPassword="correct horse")
        thief.send("CAP END")
        assert (await thief.next("465")).params[-1] == "You were signed out"
        assert not any(line.command == "001" for line in await thief.until_pong())


async def test_a_proof_lets_nobody_in_who_is_called_so_by_now(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada, eve = await both.account("Ada"), await both.account("Eve")
        herself, erased = [await both.registering(nick, "correct horse") for nick in ("Ada", "Eve")]
        await ada.call("me.set", nick="Cleo")
        await eve.call("me.erase", password="correct horse")
        for nick in ("Ada", "Eve"):
            await both.web.sign_in("register", nick=nick, password="correct horse", langs=("en",))
        herself.send("CAP END")
        assert (await herself.next("001")).params[0] == "Cleo"
        erased.send("CAP END")
        await erased.next("465")
        assert not any(line.command == "001" for line in await erased.until_pong())
