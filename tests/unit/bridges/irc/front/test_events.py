"""Modes, invitations, monitors, deletions, and what else clients are told only if they ask."""

import pytest
from tests.unit.bridges.irc.front.world import Client, World, entered, told

from hubbub.bridges.irc.front import Gateway
from hubbub.bridges.irc.front.events import Changed, Person, Redacted, RoomRenamed, Said

pytestmark = pytest.mark.anyio

CAPS = (
    *("account-notify", "away-notify", "draft/message-redaction", "echo-message"),
    *("invite-notify", "message-tags"),
)


async def two() -> tuple[World, Client, Client]:
    """Ada, who owns a room and has all capabilities, and Bob in it, who has none."""
    world = World()
    ada, bob = await entered(world, "ada", *CAPS), await entered(world, "bob")
    await ada.send("JOIN #room")
    await bob.send("JOIN #room")
    ada.take()
    return world, ada, bob


async def test_modes_of_a_room() -> None:
    _, ada, bob = await two()
    assert told(await ada.send("MODE #room +im-t", "MODE #room")) == [
        ":ada!~ada@g-ada MODE #room +i",
        ":ada!~ada@g-ada MODE #room +m",
        ":irc.test 324 ada #room +imnt",
        ":irc.test 329 ada #room 1600000000",
    ]
    assert told(bob.take()) == [":ada!~ada@g-ada MODE #room +i", ":ada!~ada@g-ada MODE #room +m"]
    assert told(await ada.send("MODE #room +ov-v bob bob bob")) == [
        ":ada!~ada@g-ada MODE #room +o bob",
        ":ada!~ada@g-ada MODE #room +v bob",
        ":ada!~ada@g-ada MODE #room -v bob",
    ]
    assert told(await ada.send("MODE #room +o", "MODE #room +v nobody", "MODE #room +k key")) == [
        ":irc.test 461 ada MODE :Not enough parameters",
        ":irc.test 401 ada nobody :No such nick/channel",
        ":irc.test 472 ada k :is unknown mode char to me",
    ]
    bob.take()
    assert (await bob.send("MODE #room +i"))[0].command == "482"
    await ada.send("MODE #room +b bob")
    bans = told(await ada.send("MODE #room +b"))
    assert bans[0] == ":irc.test 367 ada #room bob!*@* ada"
    assert len(await ada.send(f"MODE #room +{'m' * 100}")) == 12


async def test_invitations() -> None:
    _, ada, bob = await two()
    eve = await entered(World(), "eve")
    assert (await eve.send("INVITE ada #room"))[0].command == "401"
    assert told(await ada.send("INVITE bob #room", "INVITE nobody #room", "INVITE bob #no")) == [
        ":irc.test 443 ada bob #room :is already on channel",
        ":irc.test 401 ada nobody :No such nick/channel",
        ":irc.test 403 ada #no :No such channel",
    ]
    await ada.send("MODE #room +i")
    await bob.send("PART #room")
    assert (await bob.send("JOIN #room"))[0].command == "473"
    ada.take()
    assert told(await ada.send("INVITE bob #room")) == [":irc.test 341 ada bob #room"]
    assert told(bob.take()) == [":ada!~ada@g-ada INVITE bob #room"]
    assert (await bob.send("JOIN #room"))[0].command == "JOIN"


async def test_who_is_waited_for() -> None:
    world, ada, bob = await two()
    assert told(await ada.send("MONITOR + bob,eve,EVE")) == [
        ":irc.test 730 ada bob!~bob@g-bob",
        ":irc.test 731 ada EVE",
    ]
    eve = await entered(world, "eve")
    assert told(ada.take()) == [":irc.test 730 ada eve!~eve@g-eve"]
    await eve.send("QUIT :bye")
    assert told(ada.take()) == [":irc.test 731 ada eve"]
    assert told(await ada.send("MONITOR L", "MONITOR - bob", "MONITOR S", "MONITOR X")) == [
        ":irc.test 732 ada bob,EVE",
        ":irc.test 733 ada :End of MONITOR list",
        ":irc.test 731 ada EVE",
        ":irc.test 461 ada MONITOR :Not enough parameters",
    ]
    await ada.send("MONITOR C")
    many = ",".join(f"n{number}" for number in range(101))
    lines = told(await ada.send(f"MONITOR + {many}"))
    assert lines[-1] == ":irc.test 734 ada 100 n100 :Monitor list is full."
    assert bob.take() == []


async def test_who_is_away_and_who_has_an_account() -> None:
    world, ada, bob = await two()
    await bob.send("AWAY :lunch")
    await bob.send("AWAY")
    assert told(ada.take()) == [":bob!~bob@g-bob AWAY lunch", ":bob!~bob@g-bob AWAY"]
    before = bob.session.me
    after = Person(before.user, "bob", before.name, "bob", ident="bob")
    world.tell(Changed(before, after, frozenset(("room",))))
    assert told(ada.take()) == [":bob!~bob@g-bob ACCOUNT bob"]
    assert bob.take() == []
    assert bob.session.me.account == "bob"
    world.tell(Changed(before, after, frozenset(("elsewhere",))))
    assert ada.take() == []


async def test_deletions() -> None:
    world, ada, bob = await two()
    await bob.send("PRIVMSG #room :oops")
    ada.take()
    assert told(await ada.send("REDACT #room M0 :no", "REDACT #room M9", "REDACT #no M0")) == [
        ":ada!~ada@g-ada REDACT #room M0 no",
        ":irc.test FAIL REDACT UNKNOWN_MSGID #room M9 :there is no such message",
        ":irc.test FAIL REDACT INVALID_TARGET #no :No such channel",
    ]
    assert told(bob.take()) == [":ada!~ada@g-ada NOTICE #room :(has deleted a message)"]
    world.tell(Redacted("elsewhere", bob.session.me, "M0"))
    assert ada.take() == []


async def test_tags_for_other_clients_pass() -> None:
    world, ada, bob = await two()
    eve = await entered(world, "eve", "message-tags")
    await eve.send("JOIN #room")
    ada.take()
    assert await eve.send("@+x=y;z=q TAGMSG #room", "@z=q TAGMSG #room") == []
    (line,) = ada.take()
    assert (line.command, dict(line.tags)) == ("TAGMSG", {"+x": "y"})
    await eve.send("@+x=y PRIVMSG #room :hi")
    assert ada.take()[0].tags["+x"] == "y"
    assert [one.command for one in bob.take()] == ["JOIN", "PRIVMSG"]
    assert await eve.send("@+a_b=1 TAGMSG #room", "@+a_b=1;+x=y PRIVMSG #room :heard") == []
    (line,) = ada.take()
    assert (line.params[1], line.tags["+x"], "+a_b" in line.tags) == ("heard", "y", False)


async def test_a_room_that_is_called_otherwise() -> None:
    world, ada, _ = await two()
    world.rooms["hall"] = world.rooms.pop("room")
    world.tell(RoomRenamed("room", "hall"))
    lines = told(ada.take())
    assert lines[:2] == [
        ":ada!~ada@g-ada PART #room :is #hall now",
        ":ada!~ada@g-ada JOIN #hall",
    ]
    assert ada.session.in_room("hall")
    assert not ada.session.in_room("room")


async def test_what_is_for_some_is_told_to_them_alone() -> None:
    world, ada, bob = await two()
    sender = Person("u-eve", "eve")
    only = frozenset((bob.session.me.user,))
    world.tell(Said("", 1, sender, "[fr] bonjour", "room", only_for=only))
    assert ada.take() == []
    assert told(bob.take()) == [":eve!~u@u-eve PRIVMSG #room :[fr] bonjour"]


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("WEBIRC secret kiwi host 203.0.113.7", "203.0.113.7"),
        ("WEBIRC secret kiwi host 2001:db8::1 :secure", "2001:db8::1"),
        ("WEBIRC wrong kiwi host 203.0.113.7", "127.0.0.1"),
        ("WEBIRC secret kiwi host nonsense", "127.0.0.1"),
        ("WEBIRC secret kiwi", "127.0.0.1"),
    ],
)
async def test_gateways(line: str, address: str) -> None:
    world = World()
    client = Client(world, (Gateway("secret", ("127.0.0.0/8",)),))
    await client.send(line, "NICK ada", "USER a 0 * :a")
    assert world.arrivals[0].address == address
    late = Client(world, (Gateway("secret"),))
    lines = await late.send("NICK bob", line, "USER a 0 * :a")
    assert lines[0].command == "462"
    assert world.arrivals[1].address == "127.0.0.1"
    foreign = Client(world, (Gateway("secret", ("192.0.2.1",)),))
    await foreign.send(line, "NICK eve", "USER a 0 * :a")
    assert world.arrivals[2].address == "127.0.0.1"


@pytest.mark.parametrize("caps", [(), ("userhost-in-names",)])
async def test_names_are_told_whole_however_long_the_room_is_called(caps: tuple[str, ...]) -> None:
    world = World()
    room = "日本語の部屋で楽しく話しましょう" * 3
    nicks = {f"somebody-with-a-long-nick-{number:02d}" for number in range(40)}
    for nick in sorted(nicks):
        await (await entered(world, nick)).send(f"JOIN #{room}")
    ada = await entered(world, "ada", *caps)
    lines = [one for one in await ada.send(f"JOIN #{room}") if one.command == "353"]
    assert all(one.params[2] == f"#{room}" for one in lines)
    names = [name for one in lines for name in one.params[3].split(" ")]
    assert {name.lstrip("@").partition("!")[0] for name in names} == {*nicks, "ada"}
    assert len(names) == 41
    assert len(lines) < 20
    rooms = {f"#{number}-{'あ' * 50}" for number in range(6)}
    for name in rooms:
        await ada.send(f"JOIN {name}")
    lines = [one for one in await ada.send("WHOIS ada") if one.command == "319"]
    whole = {name.lstrip("@") for one in lines for name in one.params[2].split(" ")}
    assert whole == {*rooms, f"#{room}"}
