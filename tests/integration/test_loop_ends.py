"""What is left of an event loop and its engine when it has been closed: nothing."""

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest

import hubbub
from hubbub import App, ServerSettings, WebSocket
from hubbub.testing import serve
from tests.loops import LOOPS

FACTORIES: dict[str, Any] = LOOPS | {
    "threads": lambda: hubbub.new_event_loop(ServerSettings(threads=2)),
}

app = App()


@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    return msg


@app.websocket("/talk")
async def talk(ws: WebSocket) -> None:
    async for msg in ws:
        ws.send(msg)


async def speak() -> None:
    async with serve(app) as server:
        for path in ("/echo", "/talk"):
            async with server.connect(path) as client:
                await client.send("a")
                assert await client.receive() == "a"
        # The end of the loop finds this one open.
        await hubbub.connect(server.ws_url + "/talk")


def descriptors() -> int:
    gc.collect()
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("name", FACTORIES)
def test_a_loop_that_was_closed_leaves_nothing_open(name: str) -> None:
    def live() -> None:
        with asyncio.Runner(loop_factory=FACTORIES[name]) as runner:
            runner.run(speak())

    live()
    before = descriptors()
    for _ in range(3):
        live()
    assert descriptors() == before
