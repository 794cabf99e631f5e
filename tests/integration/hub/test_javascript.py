"""The hub and the unmodified npm client of Centrifugo's, in Node."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hubbub.hub import Client, Refused
from hubbub.testing import TestServer, serve
from tests.integration.hub.test_clients import hubbed, token

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).parents[3] / "client"
WAIT_S = 20.0


@asynccontextmanager
async def running(script: str, server: TestServer) -> AsyncIterator["Node"]:
    """A script of the client's, in Node, against a server; it has so long for all of it."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(CLIENT / "tests" / script),
        server.ws_url,
        token(),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WAIT_S):
            yield Node(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Node:
    """A script that does what it is told, line by line, and tells what it sees, in JSON."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._steps, self._lines = process, process.stdin, process.stdout

    def step(self, name: str = "") -> None:
        self._steps.write(f"{name}\n".encode())

    async def told(self) -> Any:
        line = await self._lines.readline()
        assert line, "the script ended early"
        return json.loads(line)

    async def ended(self) -> int:
        return await self._process.wait()


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(
    not (CLIENT / "node_modules/centrifuge").is_dir(),
    reason="npm's centrifuge is not installed (make setup)",
)
async def test_what_its_documentation_shows() -> None:
    app, hub = hubbed()
    hub.channel("doc", subscribe="anyone", delta=True, history_limit=50)
    async with serve(app) as server:
        async with running("live.mjs", server) as node:
            told = node.told
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
            node.step()
            assert await told() == {"wasRecovering": True, "recovered": "subscribed"}
            got = [["from node", 1], ["missed", 2], ["too", 3]]
            assert await told() == {"got": [[{"text": text}, offset] for text, offset in got]}
            assert await told() == {"history": [3, 2]}
            assert await told() == "ready for deltas"
            for number in range(3):
                hub.publish("doc", {"text": "ä" * 200 + str(number)})
            assert await told() == {"texts": [201, 201, 201]}
            assert await node.ended() == 0


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
        async with running("shared.mjs", server) as node:
            step = node.step

            async def told(count: int = 1) -> list[Any]:
                return sorted([await node.told() for _ in range(count)], key=str)

            async def cut() -> None:
                step("cut")
                assert await told() == ["cut"]
                while hub.clients():
                    await asyncio.sleep(0.01)

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
            assert await node.ended() == 0
