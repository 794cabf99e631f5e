"""One room on ngircd, inspircd, prosody, ejabberd and the web: everybody hears everybody."""

import asyncio
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.integration.bridges.everywhere import (
    CHANNEL,
    WITHIN_S,
    Everywhere,
    Heard,
    OnIrc,
    OnXmpp,
    everywhere,
)
from tests.integration.bridges.xmpp.guest import guest
from tests.integration.bridges.xmpp.test_link import kick
from tests.waiting import until

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

PLACES = ("web", "ng", "pro", "insp", "ejab")
EACH = 20


async def test_everybody_hears_everybody_once_and_in_order(
    tmp_path: Path, authority: Authority
) -> None:
    async with everywhere(tmp_path, authority) as world:
        told: Heard = []

        async def said(place: str, text: str) -> None:
            await world.said(place, text)
            told.append((world.places[place].author, text))

        async def all_say(text: str) -> None:
            for place in PLACES:
                await said(place, f"{text} from {place}")

        await all_say("hello")
        await topics_reach_everybody(world)
        await all_say("after the topics")
        await nicks_change(world)
        await all_say("under other nicks")
        await said_by_those_who_come_and_go(world, told)
        await kicked(world, told)
        await all_say("at the end")
        for place, one in world.places.items():
            assert one.heard() == told, place
        for name, link in world.link.items():
            await until(lambda link=link: link.stats().queue == 0, within_s=WITHIN_S)  # type: ignore[misc]
            stats = link.stats()
            assert (stats.given_up_in, stats.given_up_out, stats.loops) == (0, 0, 0), name


async def topics_reach_everybody(world: Everywhere) -> None:
    """From the web, from a channel of IRC, and from a room on XMPP."""
    insp, pro = world.places["insp"], world.places["pro"]
    assert isinstance(insp, OnIrc)
    assert isinstance(pro, OnXmpp)
    room = world.house.service.live.room("lobby")
    ada = world.house.talkers[0]
    wanted: list[str] = []
    for topic in ("tea from the web", "tea from irc", "tea from xmpp"):
        wanted.append(topic)
        if topic.endswith("web"):
            await ada.call("rooms.settings", room="lobby", topic=topic)
        elif topic.endswith("irc"):
            insp.speaker.send(f"TOPIC {CHANNEL} :{topic}")
        else:
            made = pro.guest.compose.topic("", pro.guest.room, "t1", topic)
            pro.guest.connection.send(made)
        await until(
            lambda: all(one.topics() == wanted for one in world.places.values()),
            within_s=WITHIN_S,
        )
    assert room is not None
    assert room.topic == wanted[-1]


async def nicks_change(world: Everywhere) -> None:
    """Whoever is called otherwise on a network is so in the chat, and where it is told."""
    ng, ejab = world.places["ng"], world.places["ejab"]
    assert isinstance(ng, OnIrc)
    assert isinstance(ejab, OnXmpp)
    ng.speaker.send("NICK nora")
    one = ejab.guest
    one.connection.send(one.compose.join("", f"{one.room}/ella", "", ""))
    ng.author, ejab.author = "nora·ng", "ella·ejab"
    await until(
        lambda: (
            {"nora·ng", "ella·ejab"} <= (now := world.nicks()) and not {"nan·ng", "eda·ejab"} & now
        ),
        within_s=WITHIN_S,
    )
    await seen_on_pro(world, {"nora·ng", "ella·ejab"}, gone={"nan·ng", "eda·ejab"})


async def said_by_those_who_come_and_go(world: Everywhere, told: Heard) -> None:
    """Who comes into one network for two words is in all others for as long."""
    joe = await world.networks["ng"].peer("joe", CHANNEL)
    await until(lambda: "joe·ng" in world.nicks(), within_s=WITHIN_S)
    await seen_on_pro(world, {"joe·ng"})
    joe.send(f"PRIVMSG {CHANNEL} :in and", f"PRIVMSG {CHANNEL} :out", "QUIT :bye")
    for text in ("in and", "out"):
        await world.everybody_heard("joe·ng", text)
        told.append(("joe·ng", text))
    await until(lambda: "joe·ng" not in world.nicks(), within_s=WITHIN_S)
    await seen_on_pro(world, set(), gone={"joe·ng"})
    ejab = world.servers["ejab"]
    async with guest(ejab, "bob", f"lobby@{ejab.rooms}") as bob:
        bob.say("jabber, too")
        await world.everybody_heard("bob·ejab", "jabber, too")
        told.append(("bob·ejab", "jabber, too"))
    await until(lambda: "bob·ejab" not in world.nicks(), within_s=WITHIN_S)
    await seen_on_pro(world, set(), gone={"bob·ejab"})


async def kicked(world: Everywhere, told: Heard) -> None:
    """Who is kicked where they are is gone everywhere; kicked in the chat, they are not heard."""
    ng, pro = world.places["ng"], world.places["pro"]
    assert isinstance(ng, OnIrc)
    assert isinstance(pro, OnXmpp)
    ng.witness.send(f"KICK {CHANNEL} nora :out")
    await until(lambda: "nora·ng" not in world.nicks(), within_s=WITHIN_S)
    ng.speaker.send(f"JOIN {CHANNEL}")
    await until(lambda: "nora·ng" in world.nicks(), within_s=WITHIN_S)
    server = world.servers["pro"]
    async with guest(server, "bob", f"lobby@{server.rooms}") as bob:
        await until(lambda: "bob·pro" in world.nicks(), within_s=WITHIN_S)
        await kick(pro.guest, "bob")
        await until(lambda: "bob·pro" not in world.nicks(), within_s=WITHIN_S)
        assert bob.nick == "bob"
    # The chat's own kick: nothing of theirs is told until they come anew.
    members = world.house.service.live.room("lobby").members.values()
    user = next(one.user for one in members if one.nick == "nora·ng")
    ada = world.house.talkers[0]
    await ada.call("moderate", room="lobby", user=user, action="kick")
    await until(lambda: "nora·ng" not in world.nicks(), within_s=WITHIN_S)
    ng.speaker.send(f"PART {CHANNEL}", f"JOIN {CHANNEL}")
    await until(lambda: "nora·ng" in world.nicks(), within_s=WITHIN_S)
    await world.said("ng", "back again")
    told.append((ng.author, "back again"))


async def seen_on_pro(world: Everywhere, there: set[str], gone: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """Waits until people of other networks are, or are not, in the room on prosody."""
    pro = world.places["pro"]
    assert isinstance(pro, OnXmpp)

    def here() -> set[str]:
        found: set[str] = set()
        for one in pro.guest.presences:
            nick = one.sender.partition("/")[2]
            (found.discard if one.type == "unavailable" else found.add)(nick)
        return found

    await until(lambda: there <= (now := here()) and not gone & now, within_s=WITHIN_S)


async def test_all_talk_at_once(tmp_path: Path, authority: Authority) -> None:
    async with everywhere(tmp_path, authority) as world:
        # Everybody is there before anybody speaks.
        for place in PLACES:
            await world.said(place, f"{place} is here")

        async def talk(place: str) -> None:
            for number in range(EACH):
                await world.places[place].say(f"{place} {number}")
                await asyncio.sleep(0)

        await asyncio.gather(*map(talk, PLACES))
        count = len(PLACES) * (EACH + 1)
        await until(
            lambda: all(len(one.heard()) >= count for one in world.places.values()), within_s=60
        )
        order = world.places["web"].heard()
        assert len(set(order)) == len(order) == count
        for place, one in world.places.items():
            heard = one.heard()
            # Once each, with the right author; and but for what a network shows its own people at
            # once, in the chat's order.
            assert sorted(heard) == sorted(order), place
            foreign = [said for said in heard if said[0] != one.author]
            assert foreign == [said for said in order if said[0] != one.author], place
            own = [said for said in heard if said[0] == one.author]
            assert own == [said for said in order if said[0] == one.author], place
