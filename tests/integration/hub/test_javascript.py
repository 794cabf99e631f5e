"""The hub and the unmodified npm client of Centrifugo's, in Node."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hubbub.hub import Client, Refused
from hubbub.testing import serve
from tests.integration.hub.test_clients import hubbed, token

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).parents[3] / "client"
WAIT_S = 20.0


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(
    not (CLIENT / "node_modules/centrifuge").is_dir(),
    reason="npm's centrifuge is not installed (make setup)",
)
async def test_what_its_documentation_shows() -> None:
    app, hub = hubbed()
    hub.channel("doc", subscribe="anyone", delta=True, history_limit=50)
    async with serve(app) as server:
        node = await asyncio.create_subprocess_exec(
            "node",
            str(CLIENT / "tests/live.mjs"),
            server.ws_url,
            token(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert node.stdin is not None
        assert node.stdout is not None
        lines = node.stdout

        async def told() -> Any:
            line = await lines.readline()
            assert line, "the client ended early"
            return json.loads(line)

        try:
            async with asyncio.timeout(WAIT_S):
                assert await told() == {"connected": "websocket"}
                assert await told() == {"recoverable": True, "recovered": False}
                assert await told() == {"join": "ada"}
                assert await told() == {"stats": {"numClients": 1, "numUsers": 1}}
                assert await told() == {"users": ["ada"]}
                assert await told() == {"sum": 6}
                assert await told() == "cut"
                while hub.clients():
                    await asyncio.sleep(0.01)
                hub.publish("room:js", {"text": "missed"})
                hub.publish("room:js", {"text": "too"})
                node.stdin.write(b"\n")
                assert await told() == {"wasRecovering": True, "recovered": "subscribed"}
                got = [["from node", 1], ["missed", 2], ["too", 3]]
                assert await told() == {"got": [[{"text": text}, offset] for text, offset in got]}
                assert await told() == {"history": [3, 2]}
                assert await told() == "ready for deltas"
                for number in range(3):
                    hub.publish("doc", {"text": "ä" * 200 + str(number)})
                assert await told() == {"texts": [201, 201, 201]}
                assert await node.wait() == 0
        finally:
            if node.returncode is None:
                node.kill()
                await node.wait()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(
    not (CLIENT / "node_modules/esbuild").is_dir(),
    reason="npm's packages are not installed (make setup)",
)
async def test_tabs_that_share_a_connection_are_told_how_a_channel_stands() -> None:
    app, hub = hubbed()
    hub.channel("closed")

    @hub.rpc
    def busy(client: Client, params: None) -> None:
        raise Refused(429, "slow down", temporary=True)

    async with serve(app) as server:
        node = await asyncio.create_subprocess_exec(
            "node",
            str(CLIENT / "tests/shared.mjs"),
            server.ws_url,
            token(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert node.stdin is not None
        assert node.stdout is not None
        steps, lines = node.stdin, node.stdout

        def step(name: str) -> None:
            steps.write(f"{name}\n".encode())

        async def told(count: int = 1) -> list[Any]:
            found = [await lines.readline() for _ in range(count)]
            assert all(found), "the tabs ended early"
            return sorted((json.loads(line) for line in found), key=str)

        async def cut() -> None:
            step("cut")
            assert await told() == ["cut"]
            while hub.clients():
                await asyncio.sleep(0.01)

        try:
            async with asyncio.timeout(WAIT_S):
                step("enter")
                assert await told() == [{"one": "subscribed", "isGapless": False}]
                step("join")
                assert await told() == [{"two": "subscribed", "isGapless": False}]
                await cut()
                hub.publish("room:js", "missed")
                step("mend")
                assert await told(4) == [
                    {"one": "missed"},
                    {"one": "subscribed", "isGapless": True},
                    {"two": "missed"},
                    {"two": "subscribed", "isGapless": True},
                ]
                await cut()
                # More than the hub remembers.
                for number in range(101):
                    hub.publish("room:js", number)
                step("mend")
                assert await told(2) == [
                    {"one": "subscribed", "isGapless": False},
                    {"two": "subscribed", "isGapless": False},
                ]
                hub.unsubscribe("ada", "room:js")
                [one, two] = await told(2)
                assert (one["one"], two["two"]) == ("unsubscribed", "unsubscribed")
                assert one["code"] == two["code"]
                step("enter")
                assert await told() == [{"one": "subscribed", "isGapless": False}]
                step("intrude")
                [refused] = await told()
                assert (refused["one"], refused["code"]) == ("unsubscribed", 103)
                step("call")
                assert await told() == [{"code": 429, "message": "slow down", "temporary": True}]
                step("end")
                assert await node.wait() == 0
        finally:
            if node.returncode is None:
                node.kill()
                await node.wait()
