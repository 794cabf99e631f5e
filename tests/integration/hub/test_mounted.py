"""Hubs of apps that are mounted in another: each with channels of its own, also after a reload."""

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

import hubbub
from hubbub import App
from hubbub.admin import Admin
from hubbub.admin.reloading import add_reload
from hubbub.config import AdminSettings
from hubbub.errors import Misuse
from hubbub.hub import Hub
from hubbub.modules import Modules
from hubbub.server import Server, listen_settings
from hubbub.testing import serve
from tests.integration.hub.protocol_client import ProtocolClient
from tests.integration.hub.test_handover import ask
from tests.integration.test_reload import clean_imports, serving  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio

COUNT = 200
"""Publications of 100 kB: more than a kernel keeps for who does not read."""


def tenants() -> tuple[App, Hub, Hub]:
    """An app with two others in it, which know nothing of each other."""
    root, hubs = App(), []
    for place in ("/a", "/b"):
        app = App()
        hub = Hub(app, allow_anonymous=True, ping_s=1)
        hub.channel("room:*", history_limit=100, subscribe="anyone", join_leave=True)
        root.mount(place, app)
        hubs.append(hub)
    return root, *hubs


async def test_they_do_not_hear_each_other() -> None:
    root, first, second = tenants()
    async with serve(root) as server:
        here, there = (
            ProtocolClient(f"{server.ws_url}/{place}/connection/websocket", "") for place in "ab"
        )
        for client in (here, there):
            await client.open()
            await client.subscribe("room:x")
        first.publish("room:x", "here")
        assert (await here.pushes.get())["pub"]["data"] == "here"
        assert await there.ask("ping", {}) == {}
        assert there.heard == []
        # What one misses is what its own hub says, although the other has said as much.
        await there.drop()
        second.publish("room:x", "there")
        await there.open()
        assert there.heard == [("room:x", "there")]
        await here.close()
        await there.close()


async def test_their_pings_are_their_own() -> None:
    root, first, _ = tenants()
    async with serve(root) as server:
        client = ProtocolClient(f"{server.ws_url}/b/connection/websocket", "")
        await client.open()
        for _ in range(10):
            first._live_sessions().everybody("{}", 0)
        assert await client.ask("ping", {}) == {}
        assert client.pings < 10
        await client.close()


async def test_metrics_tell_them_apart() -> None:
    root, _, _ = tenants()
    modules, admin = Modules.of(root), Admin(AdminSettings("127.0.0.1:0"))
    add_reload(admin, modules)
    async with Server(modules, [listen_settings(port=0)]):
        (report,) = admin.modules()
        assert [path for path, _ in report.hubs] == ["/a/connection", "/b/connection"]


async def test_what_a_channel_leaves_out_for_slow_readers_is_left_out() -> None:
    data = "x" * 100_000
    root, app = App(), App()
    hub = Hub(app, allow_anonymous=True, outbox_limit_bytes=1 << 16)
    hub.channel("live", subscribe="anyone", slow="drop-newest")
    root.mount("/in/there", app)
    async with serve(root) as server:
        url = server.ws_url + "/in/there/connection/websocket"
        async with connect(url, compression=None, max_queue=1) as slow:
            await slow.send('{"id": 1, "connect": {}}\n{"id": 2, "subscribe": {"channel": "live"}}')
            while '"id":2' not in str(await slow.recv()):
                pass
            for _ in range(COUNT):
                hub.publish("live", data)
            await slow.send('{"id": 3, "ping": {}}')
            heard = 0
            async with asyncio.timeout(20):
                async for frame in slow:
                    heard += str(frame).count('"pub"')
                    if '"id":3' in str(frame):
                        break
            assert 0 < heard < COUNT
            assert slow.close_code is None


async def test_they_do_not_keep_their_channels_in_one_file(tmp_path: Path) -> None:
    root = App()
    for place in ("/a", "/b"):
        app = App()
        hub = Hub(app, allow_anonymous=True, storage=tmp_path / "history.sqlite3")
        hub.channel("room", history_limit=10, persistent=True)
        root.mount(place, app)
    with pytest.raises(Misuse, match="of /a/connection and /b/connection"):
        async with serve(root):
            pass
    # A file that is left is anybody's.
    async with serve(app):
        await hub.publish("room", "hello")


MOUNTED = """
from hubbub.hub import Client, Hub
root = app

for place in ("/a", "/b"):
    app = App()
    hub = Hub(app, allow_anonymous=True)
    hub.channel("room", subscribe="anyone", publish="subscribers", history_limit=10, presence=True)

    @hub.rpc
    def version(client: Client) -> str:
        return VERSION

    root.mount(place, app)
app = root
"""


async def heard(ws: hubbub.WebSocket[None]) -> object:
    """The data of the next publication."""
    async with asyncio.timeout(5):
        while True:
            found = json.loads(await ws.recv())
            if "push" in found:
                return found["push"]["pub"]["data"]


async def test_their_clients_go_over_to_a_new_version(tmp_path: Path) -> None:
    async with serving(tmp_path, MOUNTED) as served:
        async with (
            hubbub.connect(served.url + "/a/connection/websocket") as here,
            hubbub.connect(served.url + "/b/connection/websocket") as there,
        ):
            for ws in (here, there):
                await ask(ws, 1, connect={})
                await ask(ws, 2, subscribe={"channel": "room"})
            await ask(here, 3, publish={"channel": "room", "data": "before"})
            await served.reload("two", MOUNTED)
            assert (await ask(here, 4, rpc={"method": "version"}))["rpc"]["data"] == "two"
            here.send(json.dumps({"id": 5, "publish": {"channel": "room", "data": "after"}}))
            assert await heard(here) == "after"
            kept = {}
            for name, ws in {"here": here, "there": there}.items():
                history = await ask(ws, 6, history={"channel": "room", "limit": -1})
                kept[name] = [one["data"] for one in history["history"]["publications"]]
                stats = await ask(ws, 7, presence_stats={"channel": "room"})
                assert stats["presence_stats"]["num_clients"] == 1
            assert kept == {"here": ["before", "after"], "there": []}
