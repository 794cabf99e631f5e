"""PROTOCOL.md is enough: a client written from it alone gets along with the hub."""

import asyncio

import pytest

from hubbub import App
from hubbub.hub import Hub
from hubbub.testing import serve
from tests.integration.hub.protocol_client import ProtocolClient, Refused
from tests.integration.hub.test_clients import hubbed, token

pytestmark = pytest.mark.anyio


async def test_a_client_written_from_the_page() -> None:
    app, hub = hubbed()
    async with serve(app) as server:
        client = ProtocolClient(server.ws_url + "/connection/websocket", token())
        result = await client.open()
        assert result["ping"] > 0
        assert await client.subscribe("room:a") is False
        hub.publish("room:a", 1)
        await client.pushes.get()
        await client.ask("publish", {"channel": "room:a", "data": 2})
        assert (await client.ask("presence_stats", {"channel": "room:a"}))["num_clients"] == 1
        history = await client.ask("history", {"channel": "room:a", "limit": -1})
        assert [one["offset"] for one in history["publications"]] == [1, 2]
        assert (await client.ask("rpc", {"method": "add", "data": [1, 2]}))["data"] == 3
        with pytest.raises(Refused) as refused:
            await client.subscribe("other")
        assert refused.value.code == 103
        for number in range(3, 6):
            await client.drop()
            hub.publish("room:a", number)
            await client.open()
        assert client.heard == [("room:a", number) for number in range(1, 6)]
        await client.ask("unsubscribe", {"channel": "room:a"})
        await client.close()


async def test_a_ping_comes_and_its_answer_is_taken() -> None:
    app = App()
    Hub(app, allow_anonymous=True, ping_s=1)
    async with serve(app) as server:
        client = ProtocolClient(server.ws_url + "/connection/websocket", "")
        await client.open()
        async with asyncio.timeout(10):
            while client.pings < 2:
                await asyncio.sleep(0.05)
        assert await client.ask("ping", {}) == {}
        await client.close()
