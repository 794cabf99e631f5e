"""R7, the application's part: new code under traffic on 5,000 connections, then broken code."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

import hubbub

from ..serving import served
from .figures import Figures

pytestmark = [pytest.mark.torture, pytest.mark.unhurried]

CONNECTIONS = 5_000
WINDOW = 2
ROUNDS = 4

SOURCE = """
from hubbub import App, WebSocket
app = App()

@app.message("/function")
def function(ws: WebSocket, msg: str) -> str:
    return "{version} " + msg

@app.websocket("/coroutine")
async def coroutine(ws: WebSocket) -> None:
    async for msg in ws.text():
        ws.send("{version} " + msg)
"""

BROKEN = {
    "syntax": ("app = (", "SyntaxError"),
    "lifespan": (
        SOURCE + "\n@app.lifespan\nasync def life():\n    raise OSError('no disk')\n    yield\n",
        "no disk",
    ),
    "configuration": (SOURCE + "\nclass Config:\n    pass\n", "config"),
}


def order(admin: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "hubbub", "reload", "drill", "--admin", admin]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


class Talker:
    """One connection that sends numbers and expects each of them back, in order and once."""

    def __init__(self, ws: hubbub.WebSocket[None]) -> None:
        self.ws = ws
        self.version = ""
        self.versions: list[str] = []
        self.heard = 0

    async def talk(self, over: asyncio.Event) -> None:
        sent = 0
        while not (over.is_set() and self.heard == sent):
            while not over.is_set() and sent - self.heard < WINDOW:
                self.ws.send(str(sent))
                sent += 1
            version, number = str(await self.ws.recv()).split()
            assert int(number) == self.heard, "a message was lost, repeated or overtaken"
            self.heard += 1
            self.version = version
            if not self.versions or self.versions[-1] != version:
                self.versions.append(version)


def test_reloading_under_traffic_loses_nothing(tmp_path: Path, figures: Figures) -> None:
    file, admin = tmp_path / "drill.py", f"unix:{tmp_path}/admin.sock"

    def write(source: str, version: str) -> None:
        file.write_text(source.replace("{version}", version))

    write(SOURCE, "v0")
    with served(f"{file}:app", "--admin", admin) as server:

        async def connected(index: int) -> Talker:
            path = ("/function", "/coroutine")[index % 2]
            return Talker(await hubbub.connect(f"ws://{server.address}{path}", timeout=60))

        async def drill() -> int:
            talkers: list[Talker] = []
            while len(talkers) < CONNECTIONS:
                some = range(len(talkers), len(talkers) + 100)
                talkers += await asyncio.gather(*map(connected, some))
            over = asyncio.Event()
            talks = [asyncio.create_task(talker.talk(over)) for talker in talkers]
            names = [f"v{number}" for number in range(1, ROUNDS + 1)]
            for name in names:
                write(SOURCE, name)
                told = await asyncio.to_thread(order, admin)
                assert told.returncode == 0, told.stderr
                async with asyncio.timeout(120):
                    while not all(talker.version == name for talker in talkers):
                        await asyncio.sleep(0.01)
            for source, reason in BROKEN.values():
                write(source, "broken")
                told = await asyncio.to_thread(order, admin)
                assert told.returncode != 0
                assert reason in told.stderr.lower() or reason in told.stderr
            over.set()
            async with asyncio.timeout(120):
                await asyncio.gather(*talks)
            for talker in talkers:
                assert talker.versions == ["v0", *names] or talker.versions == names
                assert talker.ws.is_open
            for talker in talkers:
                talker.ws.close()
            return sum(talker.heard for talker in talkers)

        with asyncio.Runner(loop_factory=hubbub.new_event_loop) as runner:
            messages = runner.run(drill())
    figures.note(
        "R7",
        f"{CONNECTIONS:,} connections, {ROUNDS} reloads, {messages:,} messages: 0 closed, 0 lost",
    )
