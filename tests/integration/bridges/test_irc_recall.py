"""History by IRC: what was deleted is left out, and hides nothing of what was not."""

from pathlib import Path

import pytest

from tests.integration.bridges.house import EVERYTHING, Irc, doors

pytestmark = pytest.mark.anyio

EVER = "timestamp=2020-01-01T00:00:00.000Z timestamp=2099-01-01T00:00:00.000Z"


async def _texts(irc: Irc, question: str) -> list[str]:
    irc.send(f"CHATHISTORY {question}")
    return [line.params[1] for line in await irc.until_pong() if line.command == "PRIVMSG"]


async def test_what_was_deleted_takes_no_place(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada, spam = await both.account("Ada"), await both.account("Spam")
        first = await ada.say("first")
        for number in range(5):
            await spam.say(f"spam {number}")
        last = await ada.say("last")
        await spam.call("me.erase", password="correct horse")
        bob = await both.irc("bob", *EVERYTHING)
        assert await _texts(bob, "LATEST #lobby * 2") == ["first", "last"]
        assert await _texts(bob, f"BEFORE #lobby msgid={last['id']} 2") == ["first"]
        assert await _texts(bob, f"AFTER #lobby msgid={first['id']} 2") == ["last"]
        assert await _texts(bob, f"AROUND #lobby msgid={last['id']} 2") == ["first", "last"]
        between = f"BETWEEN #lobby msgid={first['id']} msgid={last['id']} 2"
        assert await _texts(bob, between) == []


async def test_a_conversation_is_there_as_long_as_something_of_it_is(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        kim, bob = await both.account("Kim"), await both.irc("bob", *EVERYTHING)

        async def targets() -> list[str]:
            bob.send(f"CHATHISTORY TARGETS {EVER} 50")
            lines = await bob.until_pong()
            return [line.params[1] for line in lines if line.command == "CHATHISTORY"]

        bob.send("PRIVMSG Kim :one", "PRIVMSG Kim :two")
        said = [line for line in await bob.until_pong() if line.command == "PRIVMSG"]
        for line in reversed(said):
            assert await targets() == ["Kim"]
            bob.send(f"REDACT Kim {line.tags['msgid']}")
            await bob.next("REDACT")
        assert await targets() == []
        await kim.say("something in the lobby")
        assert await targets() == ["#lobby"]
