"""A client of the hub's, written from PROTOCOL.md alone; imports nothing of ours.

Keeps its positions, resumes, and checks what the page promises of every publication.
"""

import asyncio
import itertools
import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect


class Refused(Exception):
    """A reply with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["code"])
        self.code = error["code"]


class ProtocolClient:
    """One user's client, over as many connections as it takes."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._ids = itertools.count(1)
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._positions: dict[str, tuple[str, int]] = {}
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self.heard: list[tuple[str, Any]] = []
        self.pushes: asyncio.Queue[Any] = asyncio.Queue()
        self.pings = 0

    async def open(self) -> dict[str, Any]:
        """Connects, and subscribes again to what was heard before."""
        self._socket = await connect(self._url)
        self._reader = asyncio.ensure_future(self._read(self._socket))
        result = await self.ask("connect", {"token": self._token})
        for channel in tuple(self._positions):
            await self.subscribe(channel)
        return result

    async def drop(self) -> None:
        """Cuts the line without a word."""
        assert self._socket is not None
        assert self._reader is not None
        self._socket.transport.abort()
        await asyncio.gather(self._reader, return_exceptions=True)

    async def close(self) -> None:
        """Leaves."""
        assert self._socket is not None
        await self._socket.close()

    async def ask(self, name: str, request: dict[str, Any]) -> dict[str, Any]:
        """One command and its reply."""
        assert self._socket is not None
        number = next(self._ids)
        reply = self._replies[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, name: request}))
        async with asyncio.timeout(5):
            found = await reply
        if "error" in found:
            raise Refused(found["error"])
        result: dict[str, Any] = found[name]
        return result

    async def subscribe(self, channel: str) -> bool:
        """Hears a channel; tells whether nothing was lost since the last time."""
        request: dict[str, Any] = {"channel": channel}
        position = self._positions.get(channel)
        if position is not None:
            request |= {"recover": True, "epoch": position[0], "offset": position[1]}
        result = await self.ask("subscribe", request)
        if result.get("recoverable"):
            self._positions[channel] = result["epoch"], result.get("offset", 0)
        for publication in result.get("publications", []):
            self._hear(channel, publication)
        return bool(result.get("recovered"))

    def _hear(self, channel: str, publication: dict[str, Any]) -> None:
        position = self._positions.get(channel)
        if position is not None:
            assert publication["offset"] == position[1] + 1, "a gap, or something twice"
            self._positions[channel] = position[0], publication["offset"]
        self.heard.append((channel, publication["data"]))

    async def _read(self, socket: ClientConnection) -> None:
        async for frame in socket:
            for line in str(frame).split("\n"):
                await self._take(socket, json.loads(line))

    async def _take(self, socket: ClientConnection, found: dict[str, Any]) -> None:
        if not found:
            self.pings += 1
            await socket.send("{}")
        elif "id" in found:
            self._replies.pop(found["id"]).set_result(found)
        elif "pub" in found["push"]:
            self._hear(found["push"]["channel"], found["push"]["pub"])
            self.pushes.put_nowait(found["push"])
        else:
            self.pushes.put_nowait(found["push"])
