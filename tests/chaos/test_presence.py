"""Presence in a crowd: ten thousand come and go, and nobody is left behind as a ghost."""

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

import hubbub
from tests.chaos.programs import Server, line, program

pytestmark = [pytest.mark.anyio, pytest.mark.drill]

MEMBERS = int(os.environ.get("HUBBUB_CHAOS_MEMBERS", "10000"))


class Observer:
    """Somebody in the room who keeps book by what it is told: joins and leaves."""

    def __init__(self, ws: hubbub.WebSocket[None]) -> None:
        self._ws = ws
        self._replies: asyncio.Queue[Any] = asyncio.Queue()
        self.present: set[str] = set()
        self.mistakes = 0

    async def read(self) -> None:
        """Takes what comes, to the end."""

        async for text in self._ws.text():
            for part in text.split("\n"):
                found = msgspec.json.decode(part)
                push = found.get("push", {})
                if "join" in push:
                    client = push["join"]["info"]["client"]
                    self.mistakes += client in self.present
                    self.present.add(client)
                elif "leave" in push:
                    client = push["leave"]["info"]["client"]
                    self.mistakes += client not in self.present
                    self.present.discard(client)
                elif "id" in found:
                    self._replies.put_nowait(found)

    async def ask(self, command: str) -> Any:
        """Sends a command and returns its reply."""
        self._ws.send(command)
        return await self._replies.get()

    async def until(self, count: int, timeout_s: float) -> None:
        """Waits until so many are there."""
        async with asyncio.timeout(timeout_s):
            while len(self.present) != count:
                await asyncio.sleep(0.01)


async def test_ten_thousand_come_and_go(tmp_path: Path, record_property: Any) -> None:
    server = Server(tmp_path / "history.sqlite3")
    await server.start()
    url = f"ws://127.0.0.1:{server.port}/connection/websocket"
    observers: list[Observer] = []
    tasks: list[asyncio.Task[None]] = []
    try:
        for number in range(3):
            ws = await hubbub.connect(url)
            observers.append(Observer(ws))
            tasks.append(asyncio.ensure_future(observers[-1].read()))
            await observers[-1].ask('{"id":1,"connect":{}}')
            subscribe = '{"id":2,"subscribe":{"channel":"room","join_leave":true}}'
            await observers[-1].ask(subscribe)
            # Whoever was there before is known from presence, the others from their joins.
            await observers[-1].until(1, 5)
            observers[-1].present |= observers[0].present
            assert len(observers[-1].present) == number + 1
        half = MEMBERS // 2
        command = (sys.executable, "-m", "tests.chaos.members", url)
        began = time.monotonic()
        async with (
            program(*command, "0", str(half)) as polite,
            program(*command, str(half), str(half)) as doomed,
        ):
            assert await line(polite, 60) == "in"
            assert await line(doomed, 60) == "in"
            for observer in observers:
                await observer.until(MEMBERS + 3, 30)
            joined_s = time.monotonic() - began
            stats = await observers[0].ask('{"id":3,"presence_stats":{"channel":"room"}}')
            assert stats["presence_stats"] == {"num_clients": MEMBERS + 3, "num_users": MEMBERS + 1}
            began = time.monotonic()
            assert polite.stdin is not None
            polite.stdin.write(b"\n")
            doomed.kill()
            for observer in observers:
                await observer.until(3, 60)
            left_s = time.monotonic() - began
        stats = await observers[0].ask('{"id":4,"presence_stats":{"channel":"room"}}')
        assert stats["presence_stats"] == {"num_clients": 3, "num_users": 1}
        assert [observer.mistakes for observer in observers] == [0, 0, 0]
        assert observers[0].present == observers[1].present == observers[2].present
        record_property("joined_s", round(joined_s, 1))
        record_property("left_s", round(left_s, 1))
        print({"members": MEMBERS, "joined_s": round(joined_s, 1), "left_s": round(left_s, 1)})
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.kill()
