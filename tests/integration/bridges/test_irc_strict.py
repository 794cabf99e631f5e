"""Networks that want TLS, are told from where people come, ban, and are away for long."""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hubbub.bridges.irc.chat.spelling import host_of
from hubbub.bridges.irc.client.puppets import address_of
from tests.authority import Authority
from tests.integration.bridges.house import MANY
from tests.integration.bridges.networks import WEBIRC, Network
from tests.integration.bridges.test_irc_link import joined, network
from tests.waiting import until

__all__ = ["network"]

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["ngircd", "inspircd"])
async def secured(
    request: pytest.FixtureRequest, tmp_path: Path, authority: Authority
) -> AsyncIterator[Network]:
    certificate = authority.pair("localhost", "127.0.0.1")
    async with Network(request.param, tmp_path, certificate) as started:
        yield started


async def test_by_tls_and_from_where_people_come(
    secured: Network, tmp_path: Path, authority: Authority
) -> None:
    bob = await secured.peer("bob", "#lobby")
    settings = {
        "server": f"127.0.0.1:{secured.tls_port}",
        "tls": True,
        "certificates": authority.file,
        "mode": "puppets",
        "puppets": {"webirc_password": WEBIRC},
    }
    async with joined(secured, tmp_path, **settings) as house:
        ada = await house.guest("Ada")
        while not (came := await bob.next("JOIN", "#lobby")).source.startswith("Ada!"):
            pass
        # Some take the name that the gateway gives, some only believe in the address.
        host = came.source.partition("@")[2]
        assert host in (host_of(ada.user), address_of(ada.user))
        await ada.say("by a wire of my own")
        assert await bob.said("#lobby") == ("Ada", "by a wire of my own")


async def test_a_certificate_that_nobody_vouches_for(
    secured: Network, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "hubbub")
    settings = {"server": f"127.0.0.1:{secured.tls_port}", "tls": True}
    with pytest.raises(TimeoutError):
        async with joined(secured, tmp_path, patience_s=3.0, **settings):
            pass
    assert any("certificate verify failed" in one for one in caplog.messages)


async def test_a_ban_is_waited_out(
    network: Network, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    op = await network.peer("op", "#lobby")
    async with joined(network, tmp_path) as house:
        link: Any = house.link  # type: ignore[attr-defined]
        ada = await house.guest("Ada")
        op.send("MODE #lobby +b hubbub!*@*", "KICK #lobby hubbub :banned")
        await op.next("KICK", "hubbub")
        await ada.say("waiting")
        refused = lambda: [  # noqa: E731
            one for one in caplog.messages if "out of #lobby" in one and "kicked" not in one
        ]
        await until(refused, within_s=20)
        assert link.stats().channels == 0
        assert link.stats().queue == 1
        op.send("MODE #lobby -b hubbub!*@*")
        assert await op.said("#lobby") == ("hubbub", "<Ada> waiting")
        assert link.stats().rejoins == 1


async def test_a_puppet_that_is_banned_is_spoken_for(network: Network, tmp_path: Path) -> None:
    op = await network.peer("op", "#lobby")
    async with joined(network, tmp_path, mode="puppets") as house:
        ada = await house.guest("Ada")
        while not (await op.next("JOIN", "#lobby")).source.startswith("Ada!"):
            pass
        await ada.say("myself")
        assert await op.said("#lobby") == ("Ada", "myself")
        op.send("MODE #lobby +b Ada!*@*", "KICK #lobby Ada :banned")
        await op.next("KICK", "Ada")
        await ada.say("by another's mouth")
        assert await op.said("#lobby") == ("hubbub", "<Ada> by another's mouth")


# The default's whole: HUBBUB_BRIDGE_QUEUE=10000.
QUEUE = int(os.environ.get("HUBBUB_BRIDGE_QUEUE", "100"))
TOO_MANY = 50


@pytest.mark.parametrize(
    "limit", [{"queue_limit": QUEUE}, {"queue_age": "1s"}], ids=["many", "old"]
)
async def test_what_waits_too_long_or_is_too_much_is_given_up(
    limit: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hubbub.bridges.link.link._TICKS_OF_CARE", 2)
    async with Network("inspircd", tmp_path) as network:
        async with joined(network, tmp_path, limits=MANY, **limit) as house:
            link: Any = house.link  # type: ignore[attr-defined]
            ada = await house.guest("Ada")
            await network.kill()
            await until(lambda: not link.stats().up, within_s=10)
            for number in range(QUEUE + TOO_MANY):
                await ada.say(f"waiting {number}")
            left = QUEUE if "queue_limit" in limit else 0
            await until(lambda: link.stats().queue == left, within_s=20)
            assert link.stats().given_up_out == QUEUE + TOO_MANY - left
            await network.start()
            bob = await network.peer("bob", "#lobby")
            await until(lambda: link.stats().channels == 1, within_s=30)
            await ada.say("the last")
            said = [await bob.said("#lobby") for _ in range(left + 1)]
            first = QUEUE + TOO_MANY - left
            wanted = [f"waiting {number}" for number in range(first, QUEUE + TOO_MANY)]
            wanted.append("the last")
            assert said == [("hubbub", f"<Ada> {text}") for text in wanted]
