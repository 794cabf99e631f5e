"""A room of the chat is a channel of a network: with real servers of IRC, in both directions."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hubbub.apps.chat import Limits
from hubbub.bridges.chat import Config, app
from hubbub.testing import serve
from tests.integration.bridges.house import LIMITS
from tests.integration.bridges.networks import Network
from tests.integration.chat.talker import House, Talker
from tests.waiting import until

pytestmark = pytest.mark.anyio

FAST = {"burst_lines": 1000, "lines_per_s": 1000.0}


@pytest.fixture(params=["ngircd", "inspircd"])
async def network(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Network]:
    async with Network(request.param, tmp_path) as started:
        yield started


@contextlib.asynccontextmanager
async def joined(
    network: Network,
    folder: Path,
    *,
    patience_s: float = 20.0,
    limits: Limits = LIMITS,
    **settings: Any,
) -> AsyncIterator[House]:
    """A chat whose lobby is #lobby there."""
    bridge = {
        "kind": "irc",
        "server": f"127.0.0.1:{network.port}",
        "tls": False,
        "rooms": {"lobby": "#lobby"},
        **FAST,
        **settings,
    }
    config = Config(database=str(folder / "chat.sqlite3"), bridges={"net": bridge}, limits=limits)
    made = app(config)
    async with serve(made) as server:
        house = House(server, made.state.chat)
        house.link = made.bridges["net"]  # type: ignore[attr-defined]
        try:
            await until(lambda: made.bridges["net"].stats().channels == 1, within_s=patience_s)
            yield house
        finally:
            for talker in house.talkers:
                await talker.client.disconnect()


def moderate(house: House, talker: Talker) -> None:
    """Lets somebody rule in the lobby."""
    room = house.service.live.room("lobby")
    assert room is not None
    room.members[talker.user].role = "moderator"


async def heard(ear: Any) -> tuple[str, str]:
    """Who says what next in the room."""
    message = (await ear.next("message"))["message"]
    return message["nick"], message["text"]


async def test_what_is_said_on_one_side_is_heard_on_the_other(
    network: Network, tmp_path: Path
) -> None:
    bob = await network.peer("bob", "#lobby")
    async with joined(network, tmp_path) as house:
        ada = await house.guest("Ada")
        ear = await ada.listen("room:lobby")
        await ada.say("**hello** there")
        assert await bob.said("#lobby") == ("hubbub", "<Ada> \x02hello\x02 there")
        assert await heard(ear) == ("Ada", "**hello** there")
        bob.send("PRIVMSG #lobby :\x1dhi\x1d Ada", "PRIVMSG #lobby :\x01ACTION waves\x01")
        assert await heard(ear) == ("bob·net", "*hi* Ada")
        told = (await ear.next("message"))["message"]
        assert (told["kind"], told["text"]) == ("action", "waves")
        assert told["via"] == {"bridge": "net", "name": "bob"}
        bob.send("PRIVMSG #lobby :Ada: how are you?")
        told = (await ear.next("message"))["message"]
        assert told["mentions"] == [ada.user]
        await ada.say("fine", replyTo=told["id"])
        assert await bob.said("#lobby") == ("hubbub", "<Ada> bob: fine")


async def test_who_comes_and_goes_there_comes_and_goes_here(
    network: Network, tmp_path: Path
) -> None:
    op = await network.peer("op", "#lobby")
    async with joined(network, tmp_path) as house:
        ada = await house.guest("Ada")
        nicks = lambda: {  # noqa: E731
            one.nick
            for one in house.service.live.room("lobby").members.values()
            if house.service.people.is_online(one.user)
        }
        await until(lambda: nicks() == {"Ada", "op·net"}, within_s=10)
        bob = await network.peer("bob", "#lobby")
        await until(lambda: "bob·net" in nicks(), within_s=10)
        bob.send("NICK bert")
        await until(lambda: nicks() == {"Ada", "op·net", "bert·net"}, within_s=10)
        ear = await ada.listen("room:lobby")
        bob.send("PRIVMSG #lobby :one", "PART #lobby", "JOIN #lobby", "PRIVMSG #lobby :two")
        assert await heard(ear) == ("bert·net", "one")
        assert (await heard(ear))[1] == "two"
        op.send("KICK #lobby bert :out")
        await until(lambda: nicks() == {"Ada", "op·net"}, within_s=10)
        bob.send("JOIN #lobby", "PRIVMSG #lobby :three", "QUIT :bye")
        assert (await heard(ear))[1] == "three"
        await until(lambda: nicks() == {"Ada", "op·net"}, within_s=10)
        op.send("TOPIC #lobby :about tea")
        assert (await ear.next("topic"))["topic"] == "about tea"


async def test_being_kicked_it_comes_back_and_tells_what_has_waited(
    network: Network, tmp_path: Path
) -> None:
    op = await network.peer("op", "#lobby")
    async with joined(network, tmp_path) as house:
        ada = await house.guest("Ada")
        op.send("KICK #lobby hubbub :out")
        await op.next("KICK", "hubbub")
        await until(lambda: house.link.stats().channels == 0, within_s=10)  # type: ignore[attr-defined]
        for number in range(5):
            await ada.say(f"waiting {number}")
        assert [await op.said("#lobby") for _ in range(5)] == [
            ("hubbub", f"<Ada> waiting {number}") for number in range(5)
        ]


async def test_a_server_that_is_killed_loses_and_doubles_nothing(
    network: Network, tmp_path: Path
) -> None:
    async with joined(network, tmp_path) as house:
        ada = await house.guest("Ada")
        await network.kill()
        await until(lambda: not house.link.stats().up, within_s=10)  # type: ignore[attr-defined]
        for number in range(20):
            await ada.say(f"waiting {number}")
        assert house.link.stats().queue == 20  # type: ignore[attr-defined]
        await network.start()
        # Whoever comes first into the channel hears all of it.
        bob = await network.peer("bob", "#lobby")
        said = [await bob.said("#lobby") for _ in range(20)]
        assert said == [("hubbub", f"<Ada> waiting {number}") for number in range(20)]
        await until(lambda: house.link.stats().queue == 0, within_s=10)  # type: ignore[attr-defined]


async def test_it_rests_and_blocks_as_ordered(network: Network, tmp_path: Path) -> None:
    bob = await network.peer("bob", "#lobby")
    async with joined(network, tmp_path) as house:
        link: Any = house.link  # type: ignore[attr-defined]
        ada = await house.guest("Ada")
        ear = await ada.listen("room:lobby")
        link.block("bob")
        bob.send("PRIVMSG #lobby :nobody hears this")
        await until(lambda: link.stats().given_up_in == 1, within_s=10)
        link.unblock("bob")
        bob.send("PRIVMSG #lobby :and this they do")
        assert await heard(ear) == ("bob·net", "and this they do")
        link.pause()
        await bob.next("QUIT")
        await ada.say("later")
        assert link.stats().queue == 1
        link.resume()
        assert await bob.said("#lobby") == ("hubbub", "<Ada> later")
