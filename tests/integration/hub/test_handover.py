"""An app with a hub is reloaded: its clients notice nothing, and its channels forget nothing."""

import asyncio
import gc
import json
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

import hubbub
from hubbub.errors import ModuleFailed
from tests.integration.test_reload import clean_imports, serving  # noqa: F401 - a fixture
from tests.waiting import until

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


SLOW = """
import asyncio
from hubbub.hub import Client, Hub
hub = Hub(app, allow_anonymous=True)
hub.channel("room", publish="subscribers")
app.state.gate = asyncio.Event()
begun = asyncio.Event()

@app.handover
def take(old: App) -> None:
    app.state.gate = old.state.gate

@hub.authorize("room")
async def may_hear(client: Client, channel: str) -> bool:
    await app.state.gate.wait()
    return True

@hub.rpc
async def slow(client: Client) -> str:
    begun.set()
    await app.state.gate.wait()
    return VERSION

@hub.rpc
def version(client: Client) -> str:
    return VERSION

@hub.rpc
async def has_begun(client: Client) -> None:
    await begun.wait()

@hub.rpc
def go(client: Client) -> None:
    app.state.gate.set()
"""


def say(ws: hubbub.WebSocket[None], number: int, **request: Any) -> None:
    ws.send(json.dumps({"id": number, **request}))


async def answers(ws: hubbub.WebSocket[None], count: int) -> list[Any]:
    """So many answers, in the order in which they come."""
    found: list[Any] = []
    async with asyncio.timeout(10):
        while len(found) < count:
            frame = json.loads(await ws.recv())
            found += [frame] if "id" in frame else []
    return found


async def test_what_was_asked_before_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path, SLOW, timeout_s=0.05) as served:
        url = served.url + "/connection/websocket"
        async with hubbub.connect(url) as ada, hubbub.connect(url) as bob:
            for ws in (ada, bob):
                await ask(ws, 1, connect={})
            say(ada, 2, rpc={"method": "slow"})
            say(ada, 3, subscribe={"channel": "room"})
            say(ada, 4, rpc={"method": "version"})
            # Between connections in different threads there is no order.
            await ask(bob, 2, rpc={"method": "has_begun"})
            told = await served.reload("two", SLOW)
            assert told.behind == 2
            say(ada, 5, publish={"channel": "room", "data": "hello"})
            say(ada, 6, rpc={"method": "version"})
            await ask(bob, 3, rpc={"method": "go"})
            first, *others = sorted(await answers(ada, 5), key=lambda one: one["id"])
            assert first["rpc"]["data"] == "one"
            assert [one["id"] for one in others] == [3, 4, 5, 6]
            assert not any("error" in one for one in others)
            assert [others[0]["subscribe"], others[1]["rpc"], others[3]["rpc"]] == [
                {},
                {"data": "two"},
                {"data": "two"},
            ]
            await until(lambda: served.modules.stats()["drill"].behind == 0)
            assert (await ask(ada, 7, rpc={"method": "version"}))["rpc"]["data"] == "two"


async def test_a_version_that_is_refused_at_the_last_moment_gives_everything_back(
    tmp_path: Path,
) -> None:
    refused = "\n@app.handover\ndef fail(old: App) -> None:\n    raise KeyError('no')\n"
    async with serving(tmp_path, SLOW) as served:
        async with hubbub.connect(served.url + "/connection/websocket") as ws:
            await ask(ws, 1, connect={})
            say(ws, 2, subscribe={"channel": "room"})
            with pytest.raises(ModuleFailed):
                await served.reload("two", SLOW + refused)
            say(ws, 3, rpc={"method": "version"})
            async with hubbub.connect(served.url + "/connection/websocket") as other:
                await ask(other, 1, connect={})
                await ask(other, 2, rpc={"method": "go"})
            subscribed, version = await answers(ws, 2)
            assert subscribed["subscribe"] == {}
            assert version["rpc"]["data"] == "one"
            await served.reload("three", SLOW)
            assert (await ask(ws, 4, rpc={"method": "version"}))["rpc"]["data"] == "three"


async def test_nothing_is_left_of_a_version_that_has_gone(tmp_path: Path) -> None:
    left = []
    async with serving(tmp_path, HUB) as served:
        async with hubbub.connect(served.url + "/connection/websocket") as ws:
            await ask(ws, 1, connect={})
            for version in "abc":
                left.append(weakref.ref(sys.modules["drill"].hub))
                await served.reload(version, HUB)
            assert (await ask(ws, 2, rpc={"method": "version"}))["rpc"]["data"] == "c"
            await until(lambda: gc.collect() + 1 and not any(one() for one in left))
