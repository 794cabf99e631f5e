"""`on_connect` and `on_disconnect`: whoever was let in is told to be gone, exactly once.

And whom further tokens are for, where `on_connect` says otherwise than the first.
"""

import asyncio
from collections.abc import Callable

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.unit.hub.world import START_S, World

from hubbub.hub import Client, ConnectRequest, Disconnected, HubLimits, Welcome
from hubbub.hub.rules import Rules
from hubbub.hub.tokens import Tokens

Comings = list[tuple[str, str]]


def counting(limits: HubLimits | None = None) -> tuple[World, Comings]:
    """A world that keeps who has come and gone; the data of a connect are the welcome."""
    noted: Comings = []

    def come(client: Client, request: ConnectRequest) -> Welcome:
        user, *channels = bytes(request.data).decode().strip('"').split()
        if user == "eve":
            raise Disconnected(4500, "not you")
        noted.append(("come", user))
        return Welcome(user=user, channels=tuple(channels))

    def go(client: Client) -> None:
        noted.append(("go", client.user))

    return World(Rules(on_connect=come, on_disconnect=go), limits), noted


COME, GO = ("come", "ada"), ("go", "ada")


def test_who_was_in() -> None:
    world, noted = counting()
    ada = world.login("ada")
    assert noted == [COME]
    ada.leave()
    ada.leave()
    assert noted == [COME, GO]


def test_whom_the_hub_has_refused() -> None:
    world, noted = counting(HubLimits(user_connections=1))
    world.login("ada")
    second = world.open()
    second.say({"id": 1, "connect": {"data": "ada"}})
    assert second.pipe.closed == (3504, "connection limit")
    second.leave()
    assert noted == [COME, COME, GO]


def test_who_tries_again_after_a_refusal() -> None:
    world, noted = counting(HubLimits(subscriptions=1))
    ada = world.open()
    assert ada.ask(connect={"data": "ada a b"})["error"]["code"] == 106
    assert noted == [COME, GO]
    assert "connect" in ada.ask(connect={"data": "ada a"})
    ada.leave()
    assert noted == [COME, GO, COME, GO]


def test_not_whom_the_application_has_refused() -> None:
    world, noted = counting()
    eve = world.open()
    eve.say({"id": 1, "connect": {"data": "eve"}})
    assert eve.pipe.closed is not None
    eve.leave()
    assert noted == []


def test_without_on_connect_those_who_were_in() -> None:
    gone: list[str] = []
    rules = Rules(allow_anonymous=True, on_disconnect=lambda client: gone.append(client.id))
    world = World(rules, HubLimits(subscriptions=1))
    stranger, guest = world.open(), world.connect()
    stranger.leave()
    guest.leave()
    assert gone == [guest.client.id]


def leave(world: World, client: Client) -> None:
    world.dispatch.closed(client)


def send_away(world: World, client: Client) -> None:
    client.disconnect()


@pytest.mark.parametrize("end", [leave, send_away])
@pytest.mark.anyio
async def test_whose_connection_ends_while_they_are_let_in(
    end: Callable[[World, Client], None],
) -> None:
    noted: Comings = []
    may_go_on = asyncio.Event()

    async def come(client: Client, request: ConnectRequest) -> Welcome:
        noted.append(COME)
        await may_go_on.wait()
        return Welcome(user="ada")

    world = World(Rules(on_connect=come, on_disconnect=lambda client: noted.append(GO)))
    ada = world.open()
    ada.say({"id": 1, "connect": {}})
    await asyncio.sleep(0)
    end(world, ada.client)
    assert noted == [COME]
    may_go_on.set()
    await asyncio.gather(*world.spawned)
    ada.leave()
    assert noted == [COME, GO]
    assert not world.sessions.clients


SECRET = "a secret of more than sixteen bytes"


def token(sub: str, **claims: object) -> str:
    claims = {"sub": sub, "exp": START_S + 60, **claims}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


def renaming() -> World:
    """Whoever comes is 42, whatever their token says."""

    def rename(client: Client, request: ConnectRequest) -> Welcome:
        return Welcome(user="42")

    return World(Rules(tokens=Tokens(secret=SECRET), on_connect=rename))


@pytest.mark.parametrize(("first", "good", "bad"), [("ada", "ada", "42"), ("", "42", "ada")])
def test_further_tokens_are_for_whom_the_first_was_for(first: str, good: str, bad: str) -> None:
    world = renaming()
    client = world.open()
    assert "connect" in client.ask(connect={"token": token(first)} if first else {})
    assert client.client.user == "42"
    assert client.ask(refresh={"token": token(good)})["refresh"]["ttl"] == 60
    of_channel = {"channel": "room", "token": token(good, channel="room")}
    assert client.ask(subscribe=of_channel)["subscribe"]["ttl"] == 60
    assert client.ask(sub_refresh=of_channel)["sub_refresh"]["ttl"] == 60
    of_another = {"channel": "room", "token": token(bad, channel="room")}
    assert client.ask(sub_refresh=of_another)["error"]["code"] == 103
    client.say({"id": 9, "refresh": {"token": token(bad)}})
    assert client.pipe.closed == (3500, "invalid token")
