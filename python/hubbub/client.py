"""The client side: `hubbub.connect(url)` opens a WebSocket from inside an event loop.

The same endpoint and the same `WebSocket` as the server's. Names are resolved by the loop;
connecting and the handshake are the engine's. Knows nothing of applications.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypedDict, Unpack
from urllib.parse import urlsplit

from hubbub._core import Engine, WebSocket
from hubbub.address import bracketed, is_ip, tcp_address
from hubbub.config import Compression, duration_s, size_bytes
from hubbub.errors import HandshakeTimeout, Misuse
from hubbub.loop import Lease
from hubbub.reconnect import connections
from hubbub.routing import refuse_unknown
from hubbub.tls import Trust

_SCHEMES = {"ws": 80, "http": 80, "wss": 443, "https": 443}
_SECURE = ("wss", "https")


@dataclass(frozen=True)
class Endpoint:
    """Where a URL leads (RFC 6455 §3)."""

    host: str
    """A name or an address, without brackets."""

    port: int

    authority: str
    """Value of the field `Host`."""

    target: str
    """Path and query."""

    is_secure: bool
    """By TLS (RFC 6455 §4.1)."""

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Reads "ws://host:port/path?query" and "wss://…"; "http://" and "https://" mean the same.

        Raises:
            Misuse: It is no URL of a WebSocket.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Misuse(f"not a URL: {url!r}: {error}") from None
        if parts.scheme not in _SCHEMES or not parts.hostname:
            raise Misuse(f"expected ws://host/path or wss://host/path: {url!r}")
        if parts.username is not None:
            raise Misuse("credentials belong into a header field, not into the URL")
        # §3: "Fragment identifiers are meaningless in the context of WebSocket URIs".
        if "#" in url:
            raise Misuse(f"a WebSocket URL has no fragment: {url!r}")
        if not url.isascii() or any(ord(char) <= 0x20 or char == "\x7f" for char in url):
            raise Misuse(f"percent-encode what is not printable ASCII: {url!r}")
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        default = _SCHEMES[parts.scheme]
        host = bracketed(parts.hostname)
        authority = host if port in (None, default) else f"{host}:{port}"
        is_secure = parts.scheme in _SECURE
        return cls(parts.hostname, port or default, authority, target, is_secure)


class Connecting:
    """A connection to come: `async with` it, or `await` it and close it yourself.

    Or `async for` it: a connection, and another one whenever the last has ended.

    Begins when it is awaited, so that nothing dangles if it never is.
    """

    def __init__(
        self, endpoint: Endpoint, uds: str | None, timeout_s: float, options: dict[str, Any]
    ) -> None:
        self._endpoint = endpoint
        self._uds = uds
        self._timeout_s = timeout_s
        self._options = options
        self._ws: WebSocket[None] | None = None

    def __await__(self) -> Generator[Any, None, WebSocket[None]]:
        """Opens it."""
        return self._open().__await__()

    def __aiter__(self) -> AsyncIterator[WebSocket[None]]:
        """Opens it, and another one whenever it has ended; see `connect`."""
        return connections(lambda: self)

    async def __aenter__(self) -> WebSocket[None]:
        """Opens it."""
        self._ws = await self._open()
        return self._ws

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes it with 1000 (1011 after an exception) and waits for the end."""
        if self._ws is not None:
            self._ws.close(1000 if kind is None else 1011)
            await self._ws.wait_closed()

    async def _open(self) -> WebSocket[None]:
        loop = asyncio.get_running_loop()
        with Lease.of(loop) as lease:
            try:
                async with asyncio.timeout(self._timeout_s):
                    addresses = await self._addresses(loop)
                    ws = await self._first_of(addresses, lease.engine, loop)
            except TimeoutError as error:
                if isinstance(error, HandshakeTimeout):
                    raise
                raise HandshakeTimeout from None
            lease.keep_until_closed(ws)
            return ws

    async def _addresses(self, loop: asyncio.AbstractEventLoop) -> list[str]:
        """All places to try, best first."""
        if self._uds is not None:
            return [f"unix:{self._uds}"]
        host, port = self._endpoint.host, self._endpoint.port
        if is_ip(host):
            return [tcp_address(host, port)]
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [tcp_address(str(place[0]), port) for _, _, _, _, place in found]

    async def _first_of(
        self, addresses: list[str], engine: Engine, loop: asyncio.AbstractEventLoop
    ) -> WebSocket[None]:
        """The first that answers; an answer other than 101 ends the search, too."""
        failures: list[OSError] = []
        for address in addresses:
            future: asyncio.Future[WebSocket[None]] = loop.create_future()
            engine.connect(
                address,
                self._endpoint.authority,
                self._endpoint.target,
                future,
                timeout_s=self._timeout_s,
                **self._options,
            )
            try:
                return await future
            except HandshakeTimeout:
                raise
            except OSError as error:
                failures.append(error)
        if len(failures) == 1:
            raise failures[0]
        tried = "; ".join(str(failure) for failure in failures)
        raise OSError(f"cannot connect to {self._endpoint.authority}: {tried}")


class ConnectOptions(TypedDict, total=False):
    """What `connect` can be told."""

    subprotocols: Sequence[str]
    """What is offered, best first (RFC 6455 §1.9)."""

    headers: Mapping[str, str]
    """More header fields, e.g. "authorization" or "origin"."""

    message_limit_bytes: int | str
    """Longest message to receive, e.g. "16MiB"."""

    compression: Compression
    """permessage-deflate: "off", "shared" or "dedicated"."""

    timeout: str | float
    """For looking up, connecting and the handshake together; 10 s."""

    uds: str | None
    """Path of a Unix socket to connect to instead of the URL's host."""

    tls: Trust | None
    """Of "wss://": whom to believe; None: whom the system trusts."""


def connect(url: str, **options: Unpack[ConnectOptions]) -> Connecting:
    """Opens a WebSocket to a server.

    Both ways work, inside asyncio or uvloop::

        async with hubbub.connect("wss://example.org/echo") as ws:
            ws.send("hello")
            print(await ws.recv())

        ws = await hubbub.connect("ws://127.0.0.1:8000/echo")

    And one that comes back when the connection, or the server, has gone::

        async for ws in hubbub.connect("ws://127.0.0.1:8000/news"):
            async for news in ws:
                print(news)

    It waits before each attempt, up to a second at first and a minute at last, at random; a server
    that ends connections soon after they have opened (1012, 1013, …) is waited for longer each
    time, and one that asks for patience (429 or 503 with `Retry-After`) is given it. An answer that
    will not change, such as 401 or 404, is raised.

    Args:
        url: "ws://host:port/path?query", or "wss://" for TLS.
        **options: See `ConnectOptions`.

    Raises:
        Misuse: The URL or an option is not possible.
        BadCertificate: A file of `tls` cannot be used.
        Failure: When awaited: the server's certificate is not to be believed, or TLS failed else.
        HandshakeRejected: When awaited: the server said no; with its status.
        HandshakeTimeout: When awaited: it took too long.
        OSError: When awaited: the server cannot be reached.
    """
    refuse_unknown(ConnectOptions, options)
    endpoint = Endpoint.parse(url)
    limit = options.get("message_limit_bytes")
    subprotocols = options.get("subprotocols", ())
    if isinstance(subprotocols, str):
        raise Misuse(f'subprotocols: expected several, e.g. ("one", "two"): {subprotocols!r}')
    try:
        timeout_s = duration_s(options.get("timeout", 10.0))
        native: dict[str, Any] = {
            "subprotocols": tuple(subprotocols),
            "headers": list(options.get("headers", {}).items()),
            "message_limit_bytes": None if limit is None else size_bytes(limit),
            "compression": options.get("compression"),
        }
    except ValueError as error:
        raise Misuse(str(error)) from None
    trust = options.get("tls")
    if endpoint.is_secure:
        trust = trust or Trust()
        native["tls"] = (trust.native(), trust.server_name or endpoint.host)
    elif trust is not None:
        raise Misuse(f"tls is for wss://: {url!r}")
    return Connecting(endpoint, options.get("uds"), timeout_s, native)
