"""`Proxy`: the route of the WebSockets, and for each of them a connection with its server.

Who says more than the other side takes is not read meanwhile, either way.
"""

import asyncio
import contextlib
import ssl
from collections import Counter
from typing import Any

from hubbub._core import Request, WebSocket
from hubbub.app import App
from hubbub.bridges.xmpp.proxy import host_meta
from hubbub.bridges.xmpp.proxy.frames import parse
from hubbub.bridges.xmpp.proxy.session import Do, Session, State, domain_of, ending, opening
from hubbub.bridges.xmpp.proxy.settings import ProxySettings
from hubbub.bridges.xmpp.proxy.upstream import Streams, connect, trust
from hubbub.bridges.xmpp.proxy.violation import Violation
from hubbub.errors import BadCertificate, ConnectionClosed, Failure, Reject
from hubbub.http import Response
from hubbub.log import logger

SUBPROTOCOL = "xmpp"

_READ_BYTES = 65_536
_BAD_GATEWAY = 1014
_UNSUPPORTED = 1003


class Proxy:
    """What stands between browsers and XMPP servers.

    Args:
        settings: Which servers, and the limits.

    Raises:
        BadCertificate: A server's `ca` cannot be used.
    """

    def __init__(self, settings: ProxySettings) -> None:
        self._settings = settings
        self._streams: Counter[str] = Counter()
        self._trust: dict[str, ssl.SSLContext | None] = {}
        for domain, server in settings.servers.items():
            try:
                self._trust[domain] = trust(server)
            except OSError as error:
                raise BadCertificate(server.ca, str(error)) from None

    def __len__(self) -> int:
        """How many streams there are."""
        return self._streams.total()

    def install(self, app: App[Any]) -> None:
        """Accepts WebSockets on an app, and tells where."""
        settings = self._settings
        options: dict[str, Any] = {"origins": settings.origins} if settings.origins else {}

        @app.websocket(
            settings.path,
            auth=_check_subprotocol,
            subprotocols=(SUBPROTOCOL,),
            message_limit_bytes=settings.frame_limit_bytes,
            **options,
        )
        async def xmpp(ws: WebSocket[Any]) -> None:
            await self._serve(ws)

        if settings.host_meta:
            app.get("/.well-known/host-meta")(self._host_meta)
            app.get("/.well-known/host-meta.json")(self._host_meta_json)

    # Where it is

    def _host_meta(self, req: Request) -> Response:
        body = host_meta.as_xml(self._url(req)).encode()
        return Response(body, headers=_ANY_ORIGIN, content_type="application/xrd+xml")

    def _host_meta_json(self, req: Request) -> Response:
        body = host_meta.as_json(self._url(req))
        return Response(body, headers=_ANY_ORIGIN, content_type="application/json")

    def _url(self, req: Request) -> str:
        scheme = "wss" if req.scheme == "https" else "ws"
        mounted = req.path.partition("/.well-known/")[0]
        return self._settings.url or f"{scheme}://{req.host}{mounted}{self._settings.path}"

    # One stream

    async def _serve(self, ws: WebSocket[Any]) -> None:
        address = ws.client
        self._streams[address] += 1
        try:
            if self._streams[address] > self._settings.streams_per_address:
                _refuse(ws, "", "resource-constraint", "too many streams from one address")
                return
            await self._begin(ws)
        finally:
            self._streams[address] -= 1
            if not self._streams[address]:
                del self._streams[address]

    async def _begin(self, ws: WebSocket[Any]) -> None:
        """Waits for `<open/>`, and connects with the server that it asks for."""
        try:
            async with asyncio.timeout(self._settings.open_s):
                message = await ws.recv()
        except ConnectionClosed:
            return
        except TimeoutError:
            _refuse(ws, "", "connection-timeout", "no stream was opened")
            return
        if not isinstance(message, str):
            ws.close(_UNSUPPORTED, "text only")
            return
        try:
            frame = parse(message)
        except Violation as violation:
            _refuse(ws, "", violation.condition, violation.text)
            return
        if frame.kind != "open":
            _refuse(ws, "", "bad-format", "expected <open/>")
            return
        domain = domain_of(frame.attributes.get("to", ""))
        if domain not in self._settings.servers:
            # Never an open relay: only who is in the configuration is connected with.
            _refuse(ws, "", "host-unknown", "no server of this domain is served here")
            return
        streams = await self._connect(ws, domain)
        if streams is not None:
            session = Session(domain, self._settings.stanza_limit_bytes)
            await self._join(ws, session, streams, message)

    async def _connect(self, ws: WebSocket[Any], domain: str) -> Streams | None:
        try:
            async with asyncio.timeout(self._settings.connect_s):
                return await connect(domain, self._settings.servers[domain], self._trust[domain])
        except (OSError, Failure, Violation) as error:
            # A TimeoutError is an OSError, without words.
            reason = str(error) or "it takes too long"
            logger.warning("xmpp: %s cannot be reached: %s", domain, reason)
        _refuse(ws, domain, "remote-connection-failed", "the server cannot be reached")
        return None

    async def _join(
        self, ws: WebSocket[Any], session: Session, streams: Streams, first: str
    ) -> None:
        """Lets the two talk with each other until one of them ends it, or vanishes."""
        reader, writer = streams
        try:
            await _do(session.from_browser(first), ws, writer)
            hearing = ws.spawn(_hear(reader, writer, session, ws))
            async for message in ws:
                if not isinstance(message, str):
                    ws.close(_UNSUPPORTED, "text only")
                    return
                await _do(session.from_browser(message), ws, writer)
                if session.state is State.CLOSING:
                    await asyncio.wait([hearing], timeout=self._settings.close_s)
                    return
        except OSError:
            ws.close(_BAD_GATEWAY, "the server is gone")
        finally:
            if session.state in {State.CLOSING, State.CLOSED}:
                writer.close()
            else:
                # Without an end of the stream: a session that may be resumed (XEP-0198) stays one.
                writer.transport.abort()


async def _hear(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    session: Session,
    ws: WebSocket[Any],
) -> None:
    """Passes on what the server says, until it says no more."""
    with contextlib.suppress(OSError):
        while piece := await reader.read(_READ_BYTES):
            did = session.from_server(piece)
            await _do(did, ws, writer)
            if did.ends:
                return
    # Not by <close/>: the stream has not ended, and might be resumed.
    ws.close(_BAD_GATEWAY, "the server is gone")


async def _do(did: Do, ws: WebSocket[Any], writer: asyncio.StreamWriter) -> None:
    for message in did.browser:
        await ws.send(message)
    if did.server:
        writer.write(did.server)
        await writer.drain()
    if did.ends:
        ws.close()


def _refuse(ws: WebSocket[Any], domain: str, condition: str, text: str) -> None:
    """Ends a stream that has not begun (RFC 7395 §3.5)."""
    for message in (opening(domain), *ending(condition, text)):
        ws.send(message)
    ws.close()


def _check_subprotocol(req: Request) -> None:
    offered = ",".join(req.headers.get_all("sec-websocket-protocol")).split(",")
    if SUBPROTOCOL not in (one.strip() for one in offered):
        raise Reject(400, f"the subprotocol is {SUBPROTOCOL}\n")


_ANY_ORIGIN = {"access-control-allow-origin": "*"}
