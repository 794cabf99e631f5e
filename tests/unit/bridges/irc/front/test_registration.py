"""How somebody comes in, and what is refused before."""

import base64

import pytest
from tests.unit.bridges.irc.front.world import Client, World, entered, told

pytestmark = pytest.mark.anyio


def plain(account: str, password: str, authzid: str = "") -> str:
    return base64.b64encode(f"{authzid}\0{account}\0{password}".encode()).decode()


async def test_who_comes_in_is_welcomed_in_order() -> None:
    client = Client(World())
    assert await client.send("NICK ada") == []
    lines = await client.send("USER ada 0 * :Ada Lovelace")
    numerics = [one.command for one in lines]
    assert numerics == [
        *("001", "002", "003", "004", "005", "005"),
        *("251", "252", "253", "254", "255", "265", "266", "375", "372", "376"),
    ]
    assert all(one.params[0] == "ada" for one in lines)
    assert lines[0].params[1] == "Welcome to the Test Network, ada!~ada@g-ada"
    tokens = [token for one in lines if one.command == "005" for token in one.params[1:-1]]
    assert "CASEMAPPING=ascii" in tokens
    assert "UTF8ONLY" in tokens
    assert all(len(one.params) <= 15 for one in lines)


async def test_nothing_else_is_heard_before() -> None:
    client = Client(World())
    assert (
        told(await client.send("JOIN #a", "PRIVMSG #a :x", "WHO #a"))
        == [":irc.test 451 * :You have not registered"] * 3
    )
    assert told(await client.send("PING tok", "PING", "", ":x", "@a", "12 34")) == [
        ":irc.test PONG irc.test tok",
        ":irc.test 409 * :No origin specified",
        ":irc.test 451 * :You have not registered",
    ]


async def test_capabilities_hold_registration_up() -> None:
    client = Client(World())
    (offered,) = await client.send("CAP LS 302")
    assert offered.params[:2] == ("*", "LS")
    assert "sasl=PLAIN" in offered.params[2].split()
    assert await client.send("NICK ada", "USER ada 0 * :Ada") == []
    assert told(await client.send("CAP REQ :server-time batch")) == [
        ":irc.test CAP * ACK :server-time batch"
    ]
    (refused,) = await client.send("CAP REQ :echo-message no-such-thing")
    assert refused.params == ("*", "NAK", "echo-message no-such-thing")
    (held,) = await client.send("CAP LIST")
    assert held.params == ("*", "LIST", "batch cap-notify server-time")
    await client.send("CAP REQ :-batch")
    (unknown,) = await client.send("CAP WHAT")
    assert (unknown.command, unknown.params[1]) == ("410", "WHAT")
    lines = await client.send("CAP END")
    assert lines[0].command == "001"
    assert lines[0].tags["time"] == "2023-11-14T22:13:20.000Z"
    assert (await client.send("CAP REQ :-cap-notify"))[0].params[1] == "NAK"


async def test_old_clients_are_told_no_values() -> None:
    (offered,) = await Client(World()).send("CAP LS")
    assert "sasl" in offered.params[2].split()


@pytest.mark.parametrize(
    ("nick", "numeric"),
    [("", "431"), ("9ada", "432"), ("a" * 33, "432"), ("a!b", "432"), ("é", "432"), (":", "432")],
)
async def test_nicks_that_are_none(nick: str, numeric: str) -> None:
    (line,) = await Client(World()).send(f"NICK :{nick}" if nick else "NICK")
    assert line.command == numeric


async def test_a_nick_that_is_taken_can_be_changed() -> None:
    world = World()
    await entered(world, "ada")
    client = Client(world)
    (taken,) = await client.send("NICK Ada", "USER ada 0 * :Ada")
    assert (taken.command, taken.params[1]) == ("433", "Ada")
    assert (await client.send("NICK ada_"))[0].command == "001"


async def test_sasl() -> None:
    world = World()
    client = Client(world)
    assert (await client.send("AUTHENTICATE PLAIN"))[0].command == "904"
    await client.send("CAP LS 302", "CAP REQ :sasl", "NICK ada", "USER ada 0 * :Ada")
    assert [one.command for one in await client.send("AUTHENTICATE SCRAM-SHA-1")] == ["908", "904"]
    assert (await client.send("AUTHENTICATE PLAIN", "AUTHENTICATE *"))[-1].command == "906"
    for wrong in (
        plain("ada", "wrong"),
        plain("nobody", "secret"),
        plain("ada", "secret", "root"),
        "!!!!",
        base64.b64encode(b"a\0b").decode(),
        base64.b64encode(b"\xff\0\xff\0\xff").decode(),
    ):
        lines = await client.send("AUTHENTICATE PLAIN", f"AUTHENTICATE {wrong}")
        assert [one.command for one in lines] == ["AUTHENTICATE", "904"]
    lines = await client.send("AUTHENTICATE PLAIN", f"AUTHENTICATE {plain('ada', 'secret')}")
    assert [one.command for one in lines] == ["AUTHENTICATE", "900", "903"]
    assert (await client.send("AUTHENTICATE PLAIN"))[0].command == "907"
    assert (await client.send("CAP END"))[0].command == "001"
    assert client.session.me.account == "ada"


async def test_long_sasl_comes_in_pieces_and_not_for_ever() -> None:
    world = World()
    world.accounts["bob"] = "p" * 500
    client = Client(world)
    await client.send("CAP LS 302", "CAP REQ :sasl", "NICK bob", "USER bob 0 * :Bob")
    encoded = plain("bob", "p" * 500)
    pieces = [encoded[at : at + 400] for at in range(0, len(encoded), 400)]
    lines = await client.send("AUTHENTICATE PLAIN", *(f"AUTHENTICATE {one}" for one in pieces))
    assert lines[-1].command == "903"
    other = Client(world)
    await other.send("CAP LS 302", "CAP REQ :sasl")
    lines = await other.send("AUTHENTICATE PLAIN", *(["AUTHENTICATE " + "A" * 400] * 20))
    assert "904" in [one.command for one in lines]
    too_long = await other.send("AUTHENTICATE PLAIN", "AUTHENTICATE " + "A" * 401)
    assert too_long[-1].command == "905"


async def test_a_password_is_as_good() -> None:
    world = World()
    client = Client(world)
    lines = await client.send("PASS ada:secret", "NICK ada", "USER ada 0 * :Ada")
    assert lines[0].command == "001"
    assert client.session.me.account == "ada"
    wrong = Client(world)
    lines = await wrong.send("PASS wrong", "NICK ada", "USER ada 0 * :Ada")
    assert [one.command for one in lines] == ["464"]


async def test_what_comes_twice() -> None:
    client = await entered(World(), "ada")
    assert [one.command for one in await client.send("USER a 0 * :b", "PASS x")] == ["462", "462"]
    assert [one.command for one in await Client(World()).send("USER a 0 *", "USER")] == [
        "461",
        "461",
    ]
