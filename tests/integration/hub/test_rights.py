"""Who may hear what: rights that are taken away at once, and hubs that do not meet."""

import asyncio
import time

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from hubbub import App, Reject
from hubbub.hub import Client, ConnectRequest, Disconnected, Grant, Hub, Refused
from hubbub.testing import serve
from tests.integration.hub.protocol_client import ProtocolClient
from tests.integration.hub.protocol_client import Refused as Told
from tests.integration.hub.test_clients import SECRET, token

pytestmark = pytest.mark.anyio


async def test_rights_that_are_taken_away_are_gone_within_a_second() -> None:
    """A3: the subscription ends, commands are refused, and nothing more is heard."""
    app = App()
    hub = Hub(app, secret=SECRET)
    hub.channel("room:*", history_limit=10, presence=True, publish="subscribers")
    members = {"ada", "bob"}

    @hub.authorize("room:*")
    async def may_enter(client: Client, channel: str) -> bool:
        return client.user in members

    @hub.rpc
    def secrets(client: Client) -> str:
        if client.user not in members:
            raise Refused(403, "no longer")
        return "told"

    async with serve(app) as server:
        url = server.ws_url + "/connection/websocket"
        ada, bob = ProtocolClient(url, token("ada")), ProtocolClient(url, token("bob"))
        for one in (ada, bob):
            await one.open()
            await one.subscribe("room:a")
        assert (await bob.ask("rpc", {"method": "secrets"}))["data"] == "told"
        members.remove("bob")
        began = time.monotonic()
        assert await hub.recheck("bob") == 1
        push = await bob.pushes.get()
        took_s = time.monotonic() - began
        assert push["unsubscribe"] == {"code": 2003, "reason": "permission denied"}
        assert took_s < 1
        hub.publish("room:a", "for members")
        assert (await ada.pushes.get())["pub"]["data"] == "for members"
        refusals = {"publish": {"data": 1}, "history": {}, "presence": {}, "subscribe": {}}
        for name, request in refusals.items():
            with pytest.raises(Told) as told:
                await bob.ask(name, {"channel": "room:a", **request})
            assert told.value.code == 103
        with pytest.raises(Told):
            await bob.ask("rpc", {"method": "secrets"})
        assert bob.pushes.empty()
        assert bob.heard == []
        assert hub.presence("room:a") == (1, 1)
        assert await hub.recheck() == 0
        hub.disconnect("bob")
        async with asyncio.timeout(1):
            while len(hub.clients()) > 1:
                await asyncio.sleep(0)
        await ada.close()


async def test_hubs_of_one_app_do_not_hear_each_other() -> None:
    app = App()
    first = Hub(app, allow_anonymous=True)
    second = Hub(app, "/other", allow_anonymous=True)
    for hub in (first, second):
        hub.channel("news", subscribe="anyone")
    async with serve(app) as server:
        here = ProtocolClient(server.ws_url + "/connection/websocket", "")
        there = ProtocolClient(server.ws_url + "/other/websocket", "")
        for client in (here, there):
            await client.open()
            await client.subscribe("news")
        first.publish("news", "here")
        second.publish("news", "there")
        assert (await here.pushes.get())["pub"]["data"] == "here"
        assert (await there.pushes.get())["pub"]["data"] == "there"
        for client in (here, there):
            assert await client.ask("ping", {}) == {}
            assert client.pushes.empty()
            await client.close()


async def test_a_refusal_that_is_kept_keeps_nothing() -> None:
    """Python adds each raise's frames to those an exception has, and so all that is in them."""
    kept = Disconnected(4501, "sign in first"), Refused(400, "no"), Reject(403), Refused(403, "")
    gone, refused, rejected, revoked = kept
    heard: set[str] = set()
    app = App()
    hub = Hub(app)

    @hub.on_connect
    async def connecting(client: Client, request: ConnectRequest) -> None:
        await asyncio.sleep(0)
        if request.data:
            raise gone

    @hub.authorize("plain")
    def never(client: Client, channel: str) -> Grant:
        raise rejected

    @hub.authorize("once")
    def once(client: Client, channel: str) -> Grant:
        if channel in heard:
            raise revoked
        heard.add(channel)
        return Grant()

    @hub.rpc
    async def no(client: Client) -> None:
        await asyncio.sleep(0)
        raise refused

    async with serve(app) as server:
        client = ProtocolClient(server.ws_url + "/connection/websocket", "")
        await client.open()
        for name, request in {"subscribe": {"channel": "plain"}, "rpc": {"method": "no"}}.items():
            with pytest.raises(Told):
                await client.ask(name, request)
        await client.subscribe("once")
        assert await hub.recheck() == 1
        await client.close()
        async with connect(server.ws_url + "/connection/websocket") as socket:
            await socket.send('{"id": 1, "connect": {"data": 1}}')
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4501
    assert [one.__traceback__ for one in kept] == [None] * len(kept)
