"""Where WebSocket does not get through: a stream of answers, and commands posted beside it.

`http_stream` is a POST whose answer never ends, `sse` the same for a browser's EventSource; both
begin with the connect command. Further commands are posted to `emulation`, with the session's
secret from the connect reply. One process answers all of them, so no balancer need be sticky.
"""

import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from hubbub._core import Request
from hubbub.app import App
from hubbub.errors import Reject
from hubbub.http import EventSourceResponse, Response, StreamingResponse
from hubbub.hub import codes, wire
from hubbub.hub.client import Client
from hubbub.hub.dispatch import Dispatch
from hubbub.hub.sessions import Sessions
from hubbub.hub.transports import StreamTransport

_WAITING_LIMIT_BYTES = 1 << 20


class _Posted(Struct):
    """Commands of a session that a stream belongs to."""

    session: str
    data: str
    node: str = ""


class Emulation:
    """The endpoints, and the sessions they have begun.

    Args:
        running: Sessions and dispatch of the running hub.
        expect: Sends a client away that does not connect in time.
        origins: Pages of which other origins may use it; None: none.
    """

    def __init__(
        self,
        app: App,
        path: str,
        running: Callable[[], tuple[Sessions, Dispatch]],
        expect: Callable[[Client], None],
        origins: tuple[str, ...] | None,
    ) -> None:
        self._running = running
        self._expect = expect
        self._origins = origins
        self._streams: dict[str, Client] = {}
        app.post(path + "/http_stream")(self._http_stream)
        app.get(path + "/sse")(self._sse)
        app.post(path + "/emulation")(self._posted)

    def end_all(self) -> None:
        """Ends all streams; their clients come back."""
        for client in tuple(self._streams.values()):
            client.disconnect(codes.shutdown())

    def _http_stream(self, request: Request) -> StreamingResponse:
        self._check_origin(request)
        # Nothing on the way may wait for more before it hands on what it has.
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        lines = _lines(self._frames(request, request.body.decode(errors="replace")))
        return StreamingResponse(
            lines, headers=headers, content_type="application/json", endless=True
        )

    def _sse(self, request: Request, cf_connect: str) -> EventSourceResponse:
        self._check_origin(request)
        return EventSourceResponse(_events(self._frames(request, cf_connect)))

    def _posted(self, request: Request) -> Response:
        self._check_origin(request)
        try:
            posted = wire.decode(request.body, _Posted)
        except msgspec.DecodeError as error:
            raise Reject(400, f"bad request: {error}") from None
        sessions, dispatch = self._running()
        client = self._streams.get(posted.session)
        if client is None:
            # Of another process, or one that ended: 404 makes the client connect anew.
            raise Reject(404 if posted.node != sessions.node else 410, "no such session")
        dispatch.receive(client, posted.data)
        return Response(None, status=204)

    async def _frames(self, request: Request, first: str) -> AsyncGenerator[str]:
        sessions, dispatch = self._running()
        transport = StreamTransport(sessions.listeners, _WAITING_LIMIT_BYTES)
        client = sessions.open(request, transport)
        client.session = secrets.token_urlsafe(18)
        self._streams[client.session] = client
        try:
            dispatch.receive(client, first)
            self._expect(client)
            while frames := await transport.take():
                yield "\n".join(frames)
        finally:
            del self._streams[client.session]
            transport.abandon()
            dispatch.closed(client)

    def _check_origin(self, request: Request) -> None:
        """As for WebSockets: pages of this host, or of those that were listed.

        Raises:
            Reject: It is a page of another origin.
        """
        origin = request.headers.get("origin")
        allowed = self._origins or ()
        if origin is None or "*" in allowed or origin in allowed:
            return
        host = request.headers.get("host", "")
        if urlsplit(origin).netloc.lower() != (host or "").lower():
            raise Reject(403, "origin not allowed")


async def _lines(frames: AsyncGenerator[str]) -> AsyncGenerator[str]:
    # A generator over a generator does not close it: the session has to end at once.
    async with aclosing(frames):
        async for frame in frames:
            yield frame + "\n"


async def _events(frames: AsyncGenerator[str]) -> AsyncGenerator[str]:
    async with aclosing(frames):
        async for frame in frames:
            # Between a client's tokens it may stand; a browser would take it for a line's end.
            yield frame.replace("\r", " ")
