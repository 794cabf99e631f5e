"""The client of the test kit: a `hubbub.WebSocket` that does not wait forever."""

import asyncio
from types import TracebackType
from typing import Any, TypeVar, overload

import msgspec

from hubbub._core import Sent, WebSocket
from hubbub.client import Connecting

T = TypeVar("T")

RECEIVE_TIMEOUT_S = 5.0
"""How long a test waits for a message that never comes."""


class Client:
    """One connection to a `TestServer`; made by its `connect`."""

    def __init__(self, connecting: Connecting) -> None:
        self._connecting = connecting
        self._ws: WebSocket[None] | None = None

    async def __aenter__(self) -> "Client":
        """Connects."""
        self._ws = await self._connecting
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the connection and waits for its end."""
        self.ws.close()
        await self.wait_closed()

    @property
    def ws(self) -> WebSocket[None]:
        """The connection itself, for all that the kit does not wrap."""
        if self._ws is None:
            raise RuntimeError("use it as `async with server.connect(…) as client`")
        return self._ws

    def send(self, message: str | bytes) -> Sent:
        """Sends text or binary."""
        return self.ws.send(message)

    def send_json(self, message: object) -> Sent:
        """Sends a Struct, or whatever msgspec encodes, as JSON text."""
        return self.ws.send(msgspec.json.encode(message).decode())

    async def receive(self, *, timeout_s: float = RECEIVE_TIMEOUT_S) -> str | bytes:
        """The next message.

        Raises:
            TimeoutError: None came in time.
            hubbub.ConnectionClosed: None will come.
        """
        async with asyncio.timeout(timeout_s):
            return await self.ws.recv()

    @overload
    async def receive_json(self, *, timeout_s: float = ...) -> Any: ...
    @overload
    async def receive_json(self, kind: type[T], *, timeout_s: float = ...) -> T: ...
    async def receive_json(self, kind: Any = Any, *, timeout_s: float = RECEIVE_TIMEOUT_S) -> Any:
        """The next message, decoded.

        Args:
            kind: What it must be, e.g. a Struct.
            timeout_s: How long to wait.

        Raises:
            msgspec.DecodeError: It is something else.
            TimeoutError: None came in time.
            hubbub.ConnectionClosed: None will come.
        """
        return msgspec.json.decode(await self.receive(timeout_s=timeout_s), type=kind)

    async def wait_closed(self, *, timeout_s: float = RECEIVE_TIMEOUT_S) -> int | None:
        """Waits until the connection is closed.

        Returns:
            The close code.

        Raises:
            TimeoutError: It was not closed in time.
        """
        async with asyncio.timeout(timeout_s):
            await self.ws.wait_closed()
        return self.ws.close_code
