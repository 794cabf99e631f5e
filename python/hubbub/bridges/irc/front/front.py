"""`Front`: the sessions of one chat, and the ways in: TCP, TLS, WebSocket.

By TCP it is asyncio that listens, not the engine: the engine's listeners speak HTTP from the first
byte on, and a line of a person's is nothing that has to be quick. What waits for one client is
bounded, and so is how much it may say, and how long it may be silent.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from hubbub._core import WebSocket
from hubbub.app import App
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.cutting import Cutter, TooLong
from hubbub.bridges.irc.front.crowd import Crowd
from hubbub.bridges.irc.front.events import Event, Reacted, Redacted, Said, Tagged, Typing
from hubbub.bridges.irc.front.face import Chat
from hubbub.bridges.irc.front.names import FrontInfo
from hubbub.bridges.irc.front.pace import Pace
from hubbub.bridges.irc.front.session import Session, farewell
from hubbub.bridges.irc.front.sessions import new_session
from hubbub.bridges.irc.front.webirc import Gateway
from hubbub.bridges.irc.line import Line, encode
from hubbub.log import logger

TEXT, BINARY = "text.ircv3.net", "binary.ircv3.net"
"""Subprotocols of IRC over WebSocket (IRCv3)."""

_READ_BYTES = 4096
_FAREWELL_S = 2.0

Read = Callable[[], Coroutine[Any, Any, list[bytes | TooLong] | None]]
"""Waits for lines; None: no more will come."""


@dataclass(frozen=True)
class FrontOptions:
    """How long, how much, how often."""

    register_s: float = 30.0
    """When somebody who has connected must be in."""

    silence_s: float = 90.0
    """After how much silence a client is pinged."""

    answer_s: float = 60.0
    """When it must have answered."""

    outbox_limit_bytes: int = 262_144
    """How much may wait for one client that does not read."""

    burst_lines: int = 40
    """Lines a client may send at once."""

    lines_per_s: float = 4.0
    """Lines a client may send; beyond it, they wait."""

    connection_limit: int = 10_000
    """Most connections by TCP at a time; 0: any number."""

    address_connection_limit: int = 512
    """Most of one address (IPv6: of one network of 64 bits); 0: any number."""

    exempt_networks: tuple[str, ...] = ("127.0.0.0/8", "::1")
    """Addresses and networks for which the limit per address does not hold."""


class Front:
    """The IRC front of a chat.

    Args:
        chat: The chat.
        info: What the front says of itself.
        options: Deadlines and limits.
        gateways: Who may say that a client comes from elsewhere.
    """

    def __init__(
        self,
        chat: Chat,
        info: FrontInfo | None = None,
        options: FrontOptions | None = None,
        gateways: tuple[Gateway, ...] = (),
    ) -> None:
        self._chat = chat
        self._info = info or FrontInfo()
        self._options = options or FrontOptions()
        self._gateways = gateways
        # Behind a gateway are many.
        exempt = [network for one in gateways for network in one.addresses]
        self._crowd = Crowd(
            self._options.connection_limit,
            self._options.address_connection_limit,
            (*self._options.exempt_networks, *exempt),
        )
        self._is_closed = False
        self._sessions: set[Session] = set()
        self._servers: list[asyncio.Server] = []
        self._writers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def __len__(self) -> int:
        """How many sessions there are."""
        return len(self._sessions)

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens by TCP."""
        return [one.sockets[0].getsockname()[:2] for one in self._servers]

    def tell(self, event: Event) -> None:
        """Tells every session whom it concerns what has happened in the chat."""
        if isinstance(event, Said | Redacted | Reacted | Typing | Tagged) and event.room:
            # Of all that happens, this happens by far the most: who is elsewhere is not asked.
            room = folded(event.room)
            concerned = [one for one in self._sessions if room in one.rooms]
        else:
            concerned = list(self._sessions)
        for session in concerned:
            try:
                session.hear(event)
            except Exception:
                # What cannot be told one of them, the others hear nevertheless.
                logger.exception("irc: not told: %s", type(event).__name__)

    async def listen(
        self, host: str, port: int, *, tls: ssl.SSLContext | None = None
    ) -> tuple[str, int]:
        """Lets clients in by TCP.

        Args:
            host: Where.
            port: 0: the system picks one.
            tls: With TLS.

        Returns:
            Where it listens.

        Raises:
            OSError: It cannot.
        """
        handshake_s = self._options.register_s if tls is not None else None
        server = await asyncio.start_server(
            self._accepted, host, port, ssl=tls, ssl_handshake_timeout=handshake_s
        )
        self._servers.append(server)
        found = server.sockets[0].getsockname()
        return str(found[0]), int(found[1])

    def install(self, app: App[Any], path: str = "/irc", **options: Any) -> None:
        """Lets clients in by WebSocket.

        Args:
            app: Where the route stands.
            path: Where on it.
            **options: Those of the WebSocket endpoint, such as `origins`.
        """

        @app.websocket(path, subprotocols=(TEXT, BINARY), **options)
        async def irc(ws: WebSocket[Any]) -> None:
            await self._by_websocket(ws)

    async def close(self) -> None:
        """Takes leave of everybody, and listens no more."""
        self._is_closed = True
        for server in self._servers:
            server.close()
        for session in list(self._sessions):
            await session.quit("Server is going down")
        # Who does not read their farewell is cut.
        if self._writers:
            await asyncio.wait(list(self._writers), timeout=_FAREWELL_S)
        for writer in self._writers.values():
            writer.transport.abort()
        if self._writers:
            await asyncio.wait(list(self._writers))
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    # By TCP

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer: tuple[str, int] | None = writer.get_extra_info("peername")
        if peer is None or self._is_closed:
            writer.transport.abort()
            return
        address = peer[0]
        if refusal := self._crowd.refusal(address):
            logger.debug("irc: %s: %s", address, refusal)
            writer.write(encode(farewell(refusal)) + b"\r\n")
            self._keep(_leave(writer), writer)
            return
        self._crowd.come(address)
        task = self._keep(self._attend(reader, writer, address), writer)
        task.add_done_callback(lambda _: self._crowd.go(address))

    def _keep(
        self, attending: Coroutine[Any, Any, None], writer: asyncio.StreamWriter
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(attending)
        self._writers[task] = writer
        task.add_done_callback(self._writers.pop)
        return task

    async def _attend(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        try:
            await self._by_stream(reader, writer, address)
        except OSError as error:
            logger.debug("irc: %s", error)
        finally:
            await _leave(writer)

    async def _by_stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str
    ) -> None:
        def write(line: Line) -> None:
            if writer.is_closing():
                return
            writer.write(encode(line) + b"\r\n")
            if writer.transport.get_write_buffer_size() > self._options.outbox_limit_bytes:
                # Who does not read is cut; what waits for it would only grow.
                writer.transport.abort()

        it = self._session(write, writer.close, address)
        cutter = Cutter()

        async def read() -> list[bytes | TooLong] | None:
            piece = await reader.read(_READ_BYTES)
            return cutter.feed(piece) if piece else None

        await self._serve(it, read)

    # By WebSocket

    async def _by_websocket(self, ws: WebSocket[Any]) -> None:
        kind = ws.subprotocol
        as_text = kind == TEXT

        def write(line: Line) -> None:
            raw = encode(line)
            ws.send(raw.decode() if as_text else raw)

        it = self._session(write, ws.close, ws.request.client)
        cutter = Cutter()
        is_first = True

        async def read() -> list[bytes | TooLong] | None:
            nonlocal as_text, is_first
            message = await anext(messages, None)
            if message is None:
                return None
            if is_first and kind is None:
                # Clients from before there were subprotocols get what they send.
                as_text = isinstance(message, str)
            is_first = False
            raw = message.encode() if isinstance(message, str) else bytes(message)
            return [TooLong() if cutter.is_too_long(raw) else raw]

        messages = aiter(ws)
        await self._serve(it, read)

    # Either way

    def _session(
        self, write: Callable[[Line], None], close: Callable[[], None], address: str
    ) -> Session:
        return new_session(
            self._chat,
            self._info,
            now_ms=_now_ms,
            write=write,
            close=close,
            address=address,
            gateways=self._gateways,
        )

    async def _serve(self, session: Session, read: Read) -> None:
        """Carries out one line after the other, until the client goes or is silent."""
        options = self._options
        pace = Pace(options.burst_lines, options.lines_per_s, time.monotonic)
        self._sessions.add(session)
        reason = "Connection closed"
        reading = asyncio.ensure_future(read())
        registered_by_s = time.monotonic() + options.register_s
        is_pinged = False
        try:
            while not session.is_closed:
                wait_s = options.answer_s if is_pinged else options.silence_s
                if session.person is None:
                    wait_s = registered_by_s - time.monotonic()
                await asyncio.wait([reading], timeout=max(0.0, wait_s))
                if not reading.done():
                    if session.person is None or is_pinged:
                        reason = "Ping timeout" if is_pinged else "Registration timed out"
                        await session.quit(reason)
                        return
                    session.ping()
                    is_pinged = True
                    continue
                lines = reading.result()
                if lines is None:
                    return
                for line in lines:
                    await asyncio.sleep(pace.wait_s())
                    if isinstance(line, TooLong):
                        session.too_long()
                    else:
                        await session.receive(line)
                is_pinged = False
                reading = asyncio.ensure_future(read())
        finally:
            self._sessions.discard(session)
            reading.cancel()
            await session.end(reason)


async def _leave(writer: asyncio.StreamWriter) -> None:
    """Ends a connection; who does not read what is left for them is cut, or it would never end."""
    writer.close()
    try:
        async with asyncio.timeout(_FAREWELL_S):
            await writer.wait_closed()
    except OSError:
        pass
    finally:
        writer.transport.abort()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
