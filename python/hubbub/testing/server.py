"""The server of the test kit: a `hubbub.serve` that tells the test what went wrong in handlers."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Unpack

import msgspec

from hubbub.address import port_of
from hubbub.app import App
from hubbub.client import ConnectOptions, connect
from hubbub.config import ServerSettings
from hubbub.modules import Modules
from hubbub.server import Server, listen_settings
from hubbub.stats import Stats
from hubbub.testing.client import Client
from hubbub.testing.http import Answer, ask


class TestServer:
    """A server on a free port of the loopback.

    Attributes:
        exceptions: What handlers have raised so far; clear it if you expected that.
    """

    __test__ = False  # pytest shall not collect it

    def __init__(self, server: Server, exceptions: list[BaseException]) -> None:
        self._server = server
        self.exceptions = exceptions

    @property
    def url(self) -> str:
        """Where it is: "http://127.0.0.1:40123"."""
        return self._server.url

    @property
    def ws_url(self) -> str:
        """Where a WebSocket client finds it: "ws://127.0.0.1:40123"."""
        return self._server.ws_url

    @property
    def port(self) -> int:
        """The port it was given."""
        return port_of(self._server.addresses[0])

    def stats(self) -> Stats:
        """Counters since the start and gauges of now."""
        return self._server.stats()

    def connect(self, path: str, **options: Unpack[ConnectOptions]) -> Client:
        """Opens a WebSocket; use it in an `async with`.

        Args:
            path: Path and query, e.g. "/ws/lobby?name=Ada".
            **options: Those of `hubbub.connect`.
        """
        return Client(connect(self.ws_url + path, **options))

    async def get(self, target: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """Asks for a page.

        Args:
            target: Path and query.
            headers: More header fields.
        """
        return await self.request("GET", target, headers=headers)

    async def post(
        self,
        target: str,
        *,
        json: Any = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Posts something.

        Args:
            target: Path and query.
            json: What is sent as JSON.
            body: What is sent as it is, if there is no `json`.
            headers: More header fields.
        """
        fields = dict(headers or {})
        if json is not None:
            fields.setdefault("content-type", "application/json")
            body = msgspec.json.encode(json)
        return await self.request("POST", target, body=body, headers=fields)

    async def request(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends any request.

        Raises:
            TimeoutError: No answer came within 5 s.
        """
        return await ask("127.0.0.1", self.port, method, target, headers or {}, body)


@asynccontextmanager
async def serve(app: App, *, settings: ServerSettings | None = None) -> AsyncGenerator[TestServer]:
    """Serves an app for a test; at the end raises what its handlers raised.

    Args:
        app: What to serve.
        settings: Limits and deadlines, e.g. short ones.

    Raises:
        Exception: The one that a handler raised; several: an `ExceptionGroup` of them.
    """
    exceptions: list[BaseException] = []

    def listener(event: str, exception: BaseException | None, connection: int, path: str) -> None:
        if exception is not None:
            exceptions.append(exception)

    server = Server(Modules.of(app), [listen_settings(port=0)], settings, listener=listener)
    async with server:
        yield TestServer(server, exceptions)
    if len(exceptions) == 1:
        raise exceptions[0]
    if exceptions:
        raise BaseExceptionGroup("exceptions in handlers", exceptions)
