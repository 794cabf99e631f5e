"""An app with a hub is reloaded: its clients notice nothing, and its channels forget nothing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import hubbub
from tests.integration.test_reload import clean_imports, serving  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio

HUB = """
from hubbub.hub import Client, Hub
hub = Hub(app, allow_anonymous=True)
hub.channel("room", subscribe="anyone", publish="subscribers", history_limit=10, presence=True)

@hub.rpc
def version(client: Client) -> str:
    return VERSION
"""


async def ask(ws: hubbub.WebSocket[None], number: int, **request: Any) -> Any:
    ws.send(json.dumps({"id": number, **request}))
    async with asyncio.timeout(5):
        while True:
            answer = json.loads(await ws.recv())
            if answer.get("id") == number:
                return answer


async def test_clients_and_channels_go_over(tmp_path: Path) -> None:
    async with serving(tmp_path, HUB) as served:
        async with hubbub.connect(served.url + "/connection/websocket") as ws:
            await ask(ws, 1, connect={})
            first = (await ask(ws, 2, subscribe={"channel": "room"}))["subscribe"]
            await ask(ws, 3, publish={"channel": "room", "data": "before"})
            assert (await ask(ws, 4, rpc={"method": "version"}))["rpc"]["data"] == "one"
            await served.reload("two", HUB)
            assert (await ask(ws, 5, rpc={"method": "version"}))["rpc"]["data"] == "two"
            await ask(ws, 6, publish={"channel": "room", "data": "after"})
            history = (await ask(ws, 7, history={"channel": "room", "limit": -1}))["history"]
            assert history["epoch"] == first["epoch"]
            kept = [(one["data"], one["offset"]) for one in history["publications"]]
            assert kept == [("before", 1), ("after", 2)]
            stats = await ask(ws, 8, presence_stats={"channel": "room"})
            assert stats["presence_stats"] == {"num_clients": 1, "num_users": 1}
        async with hubbub.connect(served.url + "/connection/websocket") as ws:
            await ask(ws, 1, connect={})
            await ask(ws, 2, subscribe={"channel": "room"})
            stats = await ask(ws, 3, presence_stats={"channel": "room"})
            assert stats["presence_stats"]["num_clients"] == 1
