"""Two chats, one a bridge's client of the other's IRC front: all that IRC has is there."""

from pathlib import Path
from typing import Any

import pytest

from hubbub.testing import PseudoBackend
from hubbub.translation import Translator
from tests.integration.bridges.house import MANY, Doors, doors
from tests.integration.bridges.networks import Network
from tests.integration.bridges.test_irc_link import joined, moderate
from tests.waiting import until

pytestmark = pytest.mark.anyio


def client_of(far: Doors, folder: Path, **settings: Any) -> Any:
    return joined(
        far,  # type: ignore[arg-type]
        folder,
        nick="carrier",
        sasl_user="carrier",
        **{"sasl_password": "correct horse", **settings},
    )


async def test_ids_carry_replies_reactions_edits_and_deletions(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    async with doors(tmp_path / "far") as far:
        await far.account("carrier")
        zoe = await far.guest("zoe")
        there = await zoe.listen("room:lobby")
        async with client_of(far, tmp_path, munge=False) as near:
            ada = await near.guest("Ada")
            here = await ada.listen("room:lobby")
            await ada.say("hello", lang="en")
            first = (await here.next("message"))["message"]
            echo = (await there.next("message"))["message"]
            assert (echo["nick"], echo["text"], echo["lang"]) == ("carrier", "<Ada> hello", "en")
            # From there: a reply, an edit of it, a reaction, and it is taken back.
            reply = await zoe.say("hi Ada", replyTo=echo["id"])
            told = (await here.next("message"))["message"]
            assert (told["nick"], told["replyTo"]) == ("zoe·net", first["id"])
            await zoe.call("edit", room="lobby", id=reply["id"], text="hi, Ada")
            assert (await here.next("edit"))["id"] == told["id"]
            await zoe.call("react", room="lobby", id=echo["id"], emoji="👍", on=True)
            reaction = await here.next("react")
            assert (reaction["id"], reaction["emoji"]) == (first["id"], "👍")
            await zoe.call("delete", room="lobby", id=reply["id"])
            assert (await here.next("delete"))["id"] == told["id"]
            # From here: an edit is said, a deletion is one.
            await ada.call("edit", room="lobby", id=first["id"], text="hello all")
            while (edit := (await there.next("message"))["message"])["text"] != (
                "<Ada> (edited) hello all"
            ):
                pass
            await ada.call("delete", room="lobby", id=first["id"])
            gone = [(await there.next("delete"))["id"] for _ in range(2)]
            assert gone == [echo["id"], edit["id"]]
            assert near.link.stats().given_up_out == 0  # type: ignore[attr-defined]
            await until(lambda: near.link.stats().queue == 0, within_s=10)  # type: ignore[attr-defined]


async def test_a_wrong_password_lets_nobody_in(tmp_path: Path, caplog: Any) -> None:
    (tmp_path / "far").mkdir()
    async with doors(tmp_path / "far") as far:
        await far.account("carrier")
        with pytest.raises(TimeoutError):
            async with client_of(far, tmp_path, patience_s=3.0, sasl_password="nothing"):
                pass
        assert "not taken: SASL" in caplog.text


async def test_who_reads_another_language_is_told_in_it(tmp_path: Path) -> None:
    async with Network("ngircd", tmp_path) as network:
        bob = await network.peer("bob", "#lobby")
        async with joined(network, tmp_path) as house:
            words = lambda text, source, target: "Bonjour à tous"  # noqa: E731
            house.service._translator = Translator([PseudoBackend([("en", "fr")], words=words)])
            ada = await house.guest("Ada", "en")
            bob.send("PRIVMSG hubbub :help")
            assert "lang fr,en" in (await bob.next("NOTICE", "bob")).params[1]
            bob.send("PRIVMSG hubbub :lang fr,de", "PRIVMSG hubbub :lang nonsense-")
            assert (await bob.next("NOTICE", "bob")).params[1].startswith("You read French, Ger")
            assert "nonsense" in (await bob.next("NOTICE", "bob")).params[1]
            await ada.say("Good morning to all of you", lang="en")
            assert await bob.said("#lobby") == ("hubbub", "<Ada> Good morning to all of you")
            told = (await bob.next("NOTICE", "bob")).params[1]
            assert told == "[fr] #lobby <Ada> Bonjour à tous"
            bob.send("PRIVMSG hubbub :lang off")
            assert "nothing is translated" in (await bob.next("NOTICE", "bob")).params[1]


@pytest.mark.parametrize("mode", ["relay", "puppets"])
async def test_what_a_moderator_takes_away_is_gone_there(tmp_path: Path, mode: str) -> None:
    (tmp_path / "far").mkdir()
    async with doors(tmp_path / "far") as far:
        await far.account("carrier")
        zoe = await far.guest("zoe")
        there = await zoe.listen("room:lobby")
        async with client_of(far, tmp_path, mode=mode, munge=False, limits=MANY) as near:
            ada, bob = await near.guest("Ada"), await near.guest("Bob")
            moderate(near, ada)
            if mode == "puppets":
                nicks = lambda: far.web.service.live.room("lobby").nicks  # noqa: E731
                await until(lambda: {"ada", "bob"} <= nicks().keys(), within_s=10)
            speaker, told = "", {}
            while speaker != ("Bob" if mode == "puppets" else "carrier"):
                # His puppet may still be on its way in.
                spam = await bob.say("spam")
                told = (await there.next("message"))["message"]
                speaker = told["nick"]
            await ada.call("delete", room="lobby", id=spam["id"])
            assert (await there.next("delete"))["id"] == told["id"]
