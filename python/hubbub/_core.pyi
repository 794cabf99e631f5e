"""The native module: sockets, frames, timers and topics (crates/python).

Applications use what `hubbub` exports of it: `WebSocket`, `Request`, `Headers`, `Sent`.
Nothing here is thread-safe: an engine and all that comes from it belong to the thread of its event
loop, and a call from another one raises `hubbub.errors.Misuse`.
"""

from asyncio import AbstractEventLoop, Future, Task
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterator,
    Mapping,
    Sequence,
)
from os import PathLike
from types import GenericAlias
from typing import Any, Generic, Literal, Self, TypeAlias, final, overload

from typing_extensions import TypeVar

_T = TypeVar("_T")
# What `auth` returned. A bare `WebSocket` in an annotation means: whatever it was.
_D = TypeVar("_D", default=Any)

_Message: TypeAlias = str | bytes
_Admission: TypeAlias = tuple[Any, dict[str, Any]]

__all__ = [
    "Authors",
    "Channels",
    "Directory",
    "Engine",
    "Exchange",
    "Headers",
    "OpenFile",
    "Pace",
    "Request",
    "Route",
    "Sent",
    "TlsContext",
    "TlsInfo",
    "TlsTrust",
    "WebSocket",
    "__version__",
    "bench",
    "delta",
    "prefer_short_slices",
    "prefers_json",
    "system_memory_bytes",
]

__version__: str

@final
class Sent:
    """What became of a message given to `WebSocket.send`.

    Truthy when the message was queued; awaiting it waits only under backpressure::

        if not ws.send(update):        # a slow reader: skip this one
            return
        await ws.send(chunk)           # a producer: go on when there is room
    """

    @property
    def status(self) -> Literal["queued", "backpressure", "dropped", "closed"]:
        """What happened.

        "queued": it is on its way. "backpressure": it is queued, and the outbox is above its low
        water mark. "dropped": the outbox is full and the message is not in it. "closed": the
        connection is.
        """

    def __bool__(self) -> bool:
        """True only for "queued"."""

    def __await__(self) -> Generator[Any, None, bool]:
        """Waits for room; a dropped message is queued then.

        Returns:
            True unless the connection is closed.
        """

@final
class Headers:
    """Header fields of a request (RFC 9110 §5): names in any case, values as Latin-1 text."""

    @overload
    def get(self, name: str, default: str) -> str: ...
    @overload
    def get(self, name: str, default: None = None) -> str | None:
        """The first value of a field, or `default`."""

    def get_all(self, name: str) -> list[str]:
        """Every value of a field, in their order."""

    def items(self) -> list[tuple[str, str]]:
        """All fields in their order, names in lower case."""

    def __getitem__(self, name: str, /) -> str:
        """The first value of a field.

        Raises:
            KeyError: There is none.
        """

    def __contains__(self, name: object, /) -> bool:
        """Whether there is such a field."""

    def __len__(self) -> int:
        """How many fields there are."""

    def __iter__(self) -> Iterator[str]:
        """The names in their order, in lower case."""

@final
class Request:
    """An HTTP request, or the one that opened a WebSocket."""

    @property
    def method(self) -> str:
        """GET, POST, …; in upper case."""

    @property
    def path(self) -> str:
        """The path in its normal form, percent-decoded once."""

    @property
    def raw_target(self) -> str:
        """The request target as it was sent."""

    @property
    def query_string(self) -> str:
        """What follows the question mark, still encoded."""

    @property
    def headers(self) -> Headers:
        """The header fields."""

    @property
    def params(self) -> dict[str, str]:
        """What stands in the path for the `{name}`s of the route."""

    @property
    def query(self) -> dict[str, str]:
        """The decoded query; of a repeated name the last value."""

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies (RFC 6265 §4.2)."""

    @property
    def peer(self) -> str:
        """Where it came from: "127.0.0.1:5123", "[::1]:5123" or "unix"."""

    @property
    def tls(self) -> TlsInfo | None:
        """What TLS has found out; None if it came without."""

    @property
    def client(self) -> str:
        """The client's address, as trusted proxies tell it: "203.0.113.9", "::1" or "unix"."""

    @property
    def scheme(self) -> Literal["http", "https"]:
        """What the client used, to us or to a trusted proxy in front of us."""

    @property
    def host(self) -> str:
        """The host that the client asked for, with its port if it named one."""

    @property
    def body(self) -> bytes:
        """The whole body; empty for an upgrade.

        Raises:
            Misuse: The route streams it: see `stream`.
        """

    def stream(self) -> AsyncIterator[bytes]:
        """The body, piece by piece as it comes.

        On a route with `stream=True` a slow reader slows the client down, and one that waits to be
        told that its body is wanted (RFC 9110 §10.1.1) is told so when reading begins; elsewhere
        the body has been collected, and comes in one piece.

        Raises:
            ConnectionClosed: While it is read: it ended before it was whole. The client has gone,
                it was too slow, or what it sent was too long or malformed.
        """

    def exchange(self) -> Exchange:
        """Where the answer goes, for who sends it piece by piece.

        Raises:
            Misuse: It has been answered with a WebSocket.
        """

    @property
    def connection_id(self) -> int:
        """The number that log lines give this connection."""

@final
class Exchange:
    """One HTTP answer in pieces: `begin`, then `write` as often as needed, then `finish`.

    `StreamingResponse` and its kin are built on it.
    """

    @property
    def is_open(self) -> bool:
        """Whether the answer has begun and can go on."""

    def begin(self, status: int, fields: list[tuple[str, str]], length: int | None = None) -> bool:
        """Sends status and fields.

        Args:
            status: The HTTP status.
            fields: Header fields; framing and date are the engine's.
            length: Of the body, if it is known; without one it is sent in chunks.

        Returns:
            Whether the client is still there.

        Raises:
            Misuse: They may not be sent, or the answer has begun already.
        """

    def on_drain(self, farewell: Callable[[], object]) -> None:
        """Says that the answer has no end of its own, and what ends it when the server stops."""

    def write(self, piece: bytes) -> Sent:
        """Sends the next piece of the body; awaiting the result waits for room.

        Raises:
            Misuse: It is longer than what was announced.
        """

    def write_file(self, file: OpenFile, offset: int, length: int) -> Sent:
        """Sends a part of a file as the next piece.

        Raises:
            Misuse: It is longer than what was announced.
        """

    def finish(self) -> bool:
        """Ends the answer.

        Returns:
            Whether the client was still there.

        Raises:
            Misuse: Less was sent than was announced; the connection has been cut.
        """

    def cut(self) -> None:
        """Ends the connection in a way that no client takes for the end of the answer."""

@final
class OpenFile:
    """A regular file, open for reading, and what was known of it when it was opened.

    Raises:
        OSError: It cannot be opened, or is no regular file.
    """

    def __new__(cls, path: str | PathLike[str]) -> Self: ...
    def read(self) -> bytes:
        """All that is in it.

        Raises:
            OSError: It cannot be read, or has become shorter.
        """

    @property
    def size(self) -> int:
        """Its length in bytes."""

    @property
    def modified_ns(self) -> int:
        """When it was last changed, in nanoseconds since 1970."""

    @property
    def inode(self) -> int:
        """Its number in the file system."""

    @property
    def device(self) -> int:
        """The number of the file system."""

@final
class Directory:
    """A directory whose files may be read, and nothing outside it, whatever links there are.

    Raises:
        OSError: It cannot be opened, or is no directory.
    """

    def __new__(cls, path: str | PathLike[str]) -> Self: ...
    def open(self, path: str) -> OpenFile | Literal["directory"] | None:
        """What stands at a path below; None: nothing that may be read.

        Raises:
            OSError: The machine has no descriptors or no memory left, or its disk fails.
        """

@final
class TlsInfo:
    """What a TLS handshake agreed on, and who is there."""

    @property
    def version(self) -> str:
        """Either "TLSv1.3" or "TLSv1.2"."""

    @property
    def cipher(self) -> str:
        """The cipher suite: "TLS13_AES_256_GCM_SHA384"."""

    @property
    def server_name(self) -> str | None:
        """The name that the client asked for (SNI), in lower case."""

    @property
    def resumed(self) -> bool:
        """Whether an earlier session was resumed."""

    @property
    def client_certificate(self) -> bytes | None:
        """The client's certificate in DER; it was verified, or nobody would be here."""

    @property
    def client_subject(self) -> str | None:
        """Whom that certificate names: "CN=ada,O=Engines" (RFC 4514)."""

@final
class TlsContext:
    """What a listener shows and asks in a TLS handshake; serves any number of listeners.

    Args:
        pairs: Name (for errors), certificate chain and key, both in PEM; chosen by the name that
            the client asks for, else the first.
        client_ca: Who may sign clients' certificates, in PEM.
        client_auth: "off", "optional" or "required".
        minimum_version: "1.2" or "1.3".

    Raises:
        ValueError: Something cannot be used; with its name and the reason.
    """

    def __new__(
        cls,
        pairs: Sequence[tuple[str, bytes, bytes]],
        *,
        client_ca: bytes | None = None,
        client_auth: str = "off",
        minimum_version: str = "1.2",
    ) -> TlsContext: ...
    def replace(
        self,
        pairs: Sequence[tuple[str, bytes, bytes]],
        *,
        client_ca: bytes | None = None,
        client_auth: str = "off",
        minimum_version: str = "1.2",
    ) -> None:
        """Uses others for the handshakes to come; open connections keep what they have.

        Raises:
            ValueError: Something cannot be used; with its name and the reason. Nothing changes.
        """

@final
class TlsTrust:
    """Whom a client believes; keeps the tickets that resume its sessions.

    Args:
        ca: Who may sign servers' certificates, in PEM; None: whom the system trusts.
        pair: The client's own name (for errors), chain and key, in PEM.
        no_verification: Believe anybody.

    Raises:
        ValueError: Something cannot be used; with its name and the reason.
    """

    def __new__(
        cls,
        *,
        ca: bytes | None = None,
        pair: tuple[str, bytes, bytes] | None = None,
        no_verification: bool = False,
    ) -> TlsTrust: ...

@final
class WebSocket(Generic[_D]):
    """One WebSocket connection (RFC 6455), of either side.

    `WebSocket[User]` is one whose `data` is a `User`.
    """

    data: _D
    """What `auth` returned; yours to replace."""

    @property
    def id(self) -> int:
        """The number that log lines give this connection; never used twice."""

    @property
    def params(self) -> dict[str, str]:
        """What stands in the path for the `{name}`s of the route."""

    @property
    def request(self) -> Request:
        """The request that opened it."""

    @property
    def path(self) -> str:
        """The request's path."""

    @property
    def peer(self) -> str:
        """The other end: "127.0.0.1:5123", "[::1]:5123" or "unix"."""

    @property
    def client(self) -> str:
        """The client's address, as trusted proxies tell it: "203.0.113.9", "::1" or "unix"."""

    @property
    def subprotocol(self) -> str | None:
        """What was agreed on, if anything (RFC 6455 §1.9)."""

    @property
    def rtt(self) -> float | None:
        """Seconds of the last ping's round trip."""

    @property
    def buffered(self) -> int:
        """Bytes that wait to be sent."""

    @property
    def is_open(self) -> bool:
        """Whether messages can still be sent."""

    @property
    def close_code(self) -> int | None:
        """The close code once it is closed; 1005: the peer gave none, 1006: it vanished."""

    @property
    def close_reason(self) -> str:
        """The words that came with the close code, or ours where we closed and none came."""

    @property
    def closed_by(self) -> Literal["peer", "app", "server", "network"] | None:
        """Who ended it, once it is closed."""

    @property
    def traffic(self) -> tuple[int, int, int, int] | None:
        """Messages and bytes that came, messages and bytes that went, bytes as on the wire.

        Known once it is closed, and only where access lines are written.
        """

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics it is subscribed to."""

    def send(self, message: str | bytes | bytearray | memoryview) -> Sent:
        """Queues one message: text for `str`, binary for the others. Never blocks.

        Returns:
            What became of it; no exception, also when the connection is closed.
        """

    def subscribe(self, topic: str) -> bool:
        """Receives what is published to `topic` from now on.

        Returns:
            False if it was subscribed already.
        """

    def unsubscribe(self, topic: str) -> bool:
        """Receives no more of `topic`.

        Returns:
            False if it was not subscribed.
        """

    def publish(
        self,
        topic: str,
        message: _Message,
        *,
        include_self: bool = False,
        key: str | None = None,
    ) -> int:
        """Sends one message to all subscribers of `topic` but this one.

        Args:
            topic: Its name.
            message: Text or binary; encoded and compressed once for all.
            include_self: Send it to this one, too, if subscribed.
            key: What a "conflate" topic compares: the newer message replaces the waiting one.

        Returns:
            How many it goes to.
        """

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Starts the closing handshake (RFC 6455 §7.1.2); what was sent before goes out first.

        Args:
            code: 1000 to 1014 without the reserved ones, or 3000 to 4999.
            reason: Cut to 123 bytes at a character's end.

        Raises:
            hubbub.errors.Misuse: The code must not be sent.
        """

    def ping(self) -> None:
        """Sends a ping; its answer updates `rtt`."""

    def spawn(self, coro: Coroutine[Any, Any, _T]) -> Task[_T]:
        """Runs a coroutine beside the handler; it is cancelled when the connection ends."""

    def recv(self) -> Awaitable[_Message]:
        """The next message.

        Raises:
            hubbub.errors.ConnectionClosed: There will be none; with code and reason.
        """

    def wait_closed(self) -> Awaitable[None]:
        """Waits until the connection is closed."""

    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def __aiter__(self) -> AsyncIterator[_Message]:
        """The messages as they come; ends when the connection is closed, however."""

    def text(self) -> AsyncIterator[str]:
        """Like iterating, and closes with 1003 when a binary message comes."""

    def binary(self) -> AsyncIterator[bytes]:
        """Like iterating, and closes with 1003 when a text message comes."""

@final
class Route:
    """What an engine does with requests to one path.

    Args:
        path: A pattern: "/ws/{room}", "/files/{*rest}".
        kind: What `handler` is.

            - "message": `handler(ws, message)` for each one; what it returns is the reply.
            - "websocket": `handler(ws, **kwargs)` is a coroutine for each connection, cancelled
              when the peer goes; its end closes with 1000, its exception with 1011.
            - "http": `handler(request)` returns status, header fields and body, or an awaitable
              of them.
        handler: See `kind`.
        method: Of "http" only; GET. "*": what no other route of this path is for, even handshakes.
        admit: Called with the request before the 101; returns what becomes `ws.data` and the
            keyword arguments of the coroutine. `hubbub.errors.Reject` refuses with its status,
            any other exception with 500.
        on_open: Called when the handshake is done.
        on_close: Called when the connection has ended.
        subprotocols: What is spoken here, best first.
        origins: Allowed values of `Origin`; None: the request's own host, ("*",): any.
        message_limit_bytes: Instead of the setting of this name.
        outbox_limit_bytes: Instead of the setting of this name.
        compression: Instead of the setting of this name.
        module: The number of the module it belongs to; its WebSockets hear that module's topics.
        resume: Called with the request of a connection that comes from an older version of this
            route; returns the keyword arguments of the coroutine.
        on_handover: Called with the WebSocket of each such connection, before `handler` sees it.
        body_limit_bytes: Of "http" only; instead of the setting of this name.
        streams: Of "http" only; the handler reads the body by `request.stream()`.
        error_fields: Of "http" only; called with the `Origin` of a request that may be answered
            with an error in the handler's place: which header fields that has besides.
    """

    def __new__(
        cls,
        path: str,
        kind: Literal["message", "websocket", "http"],
        handler: Callable[..., Any],
        *,
        method: str = ...,
        admit: Callable[[Request], _Admission | Awaitable[_Admission]] | None = None,
        on_open: Callable[[WebSocket], object] | None = None,
        on_close: Callable[[WebSocket], object] | None = None,
        subprotocols: Sequence[str] = ...,
        origins: Sequence[str] | None = None,
        message_limit_bytes: int | None = None,
        outbox_limit_bytes: int | None = None,
        compression: str | None = None,
        module: int = 0,
        resume: Callable[[Request], dict[str, Any]] | None = None,
        on_handover: Callable[[WebSocket], object] | None = None,
        body_limit_bytes: int | None = None,
        streams: bool = False,
        error_fields: Callable[[str | None], list[tuple[str, str]]] | None = None,
    ) -> Route: ...
    @property
    def path(self) -> str:
        """The pattern."""

    @property
    def running(self) -> int:
        """How many coroutines of the handler have not ended, those of `auth` included."""

    @property
    def tally(self) -> tuple[int, int, int, float]:
        """Requests, messages, errors, and seconds spent in calls of the handler.

        Of messages every sixteenth is timed. What a coroutine does after it has waited for
        something else than a message is not in it.
        """

@final
class Engine:
    """Sockets, timers and topics of one event loop.

    With `threads` from 2 on, as many threads that never touch Python serve what `listen` accepts;
    one that dies ends the program with `SystemExit`. Clients, timers and asyncio's own descriptors
    stay in the loop's thread.

    Args:
        settings: The fields of `hubbub.config.ServerSettings` that it acts upon.
        report: Called with event, exception, connection id and path; events are "handler" (an
            exception in one), "slow-consumer", "accept", ….
    """

    def __new__(
        cls,
        settings: Mapping[str, int | float | str | bool | tuple[str, ...]],
        report: Callable[[str, BaseException | None, int, str], None],
    ) -> Engine: ...
    @property
    def connections(self) -> int:
        """How many are open, in both directions."""

    @property
    def accepted(self) -> int:
        """How many are open that were accepted; counts one by one."""

    @property
    def handlers(self) -> int:
        """How many handlers that are coroutines have not ended."""

    def attach(self, event_loop: AbstractEventLoop, *, nested: bool) -> None:
        """Joins an event loop.

        Args:
            event_loop: The running one, or the one whose selector this engine is.
            nested: It is not the loop's selector: the loop calls `drain` when `fileno` is readable.
        """

    def fileno(self) -> int:
        """The epoll descriptor, readable when there is something to do."""

    def register(self, fd: int, events: int, key: object) -> None:
        """Selector mode: watches a descriptor of asyncio's own; `key` comes back from `select`."""

    def modify(self, fd: int, events: int, key: object) -> None:
        """Selector mode: changes what is watched."""

    def unregister(self, fd: int) -> None:
        """Selector mode: watches a descriptor no more."""

    def select(self, timeout: float | None = None) -> list[tuple[Any, int]]:
        """Selector mode: waits, handles what concerns the engine, returns what does not.

        Args:
            timeout: Seconds; None: until something happens.

        Returns:
            Key and events of each of asyncio's own descriptors that is ready.
        """

    def drain(self) -> None:
        """Nested mode: handles one bounded batch of what has happened."""

    def watch_for_block(
        self, limit_s: float, thread: int
    ) -> tuple[float, Literal["working", "waiting", "queueing"] | None, float] | None:
        """Waits until the loop's thread has not looked at its sockets for so long.

        Of all methods only this one and `conclude_watch` may be called by any thread.

        Args:
            limit_s: How long it may be at work, in seconds.
            thread: Which thread that is, as the system numbers it.

        Returns:
            How long it has been so far, in seconds; what made it so long: that it works, waits for
            something, or queues for a processor, None where the system does not tell; and which
            part of that time it was at work. Once for each stretch of work, and once more where it
            first only lacked a processor; None after `conclude_watch`.
        """

    def conclude_watch(self) -> None:
        """Ends `watch_for_block`."""

    def listen(
        self,
        address: str,
        *,
        backlog: int = 4096,
        group: int = 0,
        tls: TlsContext | None = None,
        proxy_protocol: bool = False,
    ) -> str:
        """Accepts connections at an address.

        Args:
            address: "tcp://127.0.0.1:8000", "tcp://[::]:0", "unix:/path" or "fd:3".
            backlog: How many the kernel may hold ready.
            group: Its connections meet only the routes of this group. Others than 0 are served in
                the loop's own thread, whatever `threads` says.
            tls: Whoever connects there speaks TLS.
            proxy_protocol: Each connection begins with a PROXY header of a trusted proxy.

        Returns:
            The address that was bound, in the same form.

        Raises:
            OSError: It cannot be bound.
        """

    def route(self, route: Route, *, group: int = 0, host: str | None = None) -> None:
        """Adds a route.

        A request is looked up at its own host first, then at those "*.…" that it is below, and
        where none of them has such a path, among the routes that are for any host.

        Args:
            route: What to add.
            group: For the connections of which listeners.
            host: "example.org" or "*.example.org" (any name below); None: for any.

        Raises:
            ValueError: It collides with another, or is no pattern; or `host` is no host.
        """

    def replace_routes(self, module: int, routes: Sequence[tuple[Route, int, str | None]]) -> int:
        """Puts these routes, each with group and host, in the place of all that a module has.

        From then on no message reaches the old handlers; nothing is closed, see `hand_over`.

        Returns:
            How many connections are to go over to new routes, or are without one now.

        Raises:
            ValueError: One collides with another; nothing has changed then.
            hubbub.errors.Misuse: Called from within a handler.
        """

    def hand_over(self, limit: int) -> int:
        """Lets so many connections go over to their new routes.

        A coroutine of an old route is cancelled where it waits for a message, or when it next
        does, and the new one started when it has ended. Connections whose route has gone are
        closed with 1012.

        Returns:
            How many wait for their turn.
        """

    def share(self, module: int, patterns: Sequence[str]) -> None:
        """Says which topics a module has in common with all modules that say so."""

    def publish(
        self, topic: str, message: _Message, *, key: str | None = None, module: int = 0
    ) -> int:
        """Sends one message to all subscribers of a module's topic; returns how many."""

    def subscribers(self, topic: str, *, module: int = 0) -> int:
        """How many are subscribed to a module's topic."""

    def policy(
        self,
        pattern: str,
        policy: Literal["close", "drop-newest", "drop-oldest", "conflate"],
        *,
        module: int = 0,
    ) -> None:
        """What happens when a subscriber of such a topic of a module's is too slow."""

    def every(self, interval_s: float, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back at an interval; returns what ends that."""

    def connect(
        self,
        address: str,
        host: str,
        target: str,
        future: Future[WebSocket[None]],
        *,
        subprotocols: Sequence[str] = ...,
        headers: Sequence[tuple[str, str]] = ...,
        message_limit_bytes: int | None = None,
        compression: str | None = None,
        timeout_s: float = 10.0,
        tls: tuple[TlsTrust, str] | None = None,
    ) -> None:
        """Opens a client connection and tells the outcome to `future`.

        Args:
            address: "tcp://127.0.0.1:8000" or "unix:/path".
            host: Value of the field `Host`.
            target: Path and query.
            future: Gets the WebSocket, or `HandshakeRejected`, `HandshakeTimeout`, an `OSError`, or
                a `Failure` that says what TLS has found wrong.
            subprotocols: What is offered, best first.
            headers: More header fields of the request.
            message_limit_bytes: Instead of the setting of this name.
            compression: Instead of the setting of this name.
            timeout_s: For connecting and handshake together.
            tls: Whom to believe, and the name or address that the certificate must have.
        """

    def stop_listening(self, *, group: int | None = None, accept_waiting: bool = False) -> None:
        """Accepts no more connections.

        Args:
            group: Of listeners; None: of all.
            accept_waiting: But for those that wait in the queues, which nobody else would take.
        """

    def begin_drain(self, patience_s: float) -> int:
        """Every response is the last of its connection from now on, and who is idle is let go.

        Args:
            patience_s: How long one that has just come may take to ask; 0: not at all.

        Returns:
            How many WebSockets `close_portion` has to close, and answers without an end of their
            own it has to end.
        """

    def close_portion(self, count: int, code: int, reason: str) -> int:
        """Closes some of those WebSockets and ends some of those answers, at random.

        Returns how many are left; handshakes and requests that were under way add to them.
        """

    def drop_accepted(self) -> None:
        """Drops every accepted connection without a word; handlers are told."""

    def cancel_handlers(self) -> None:
        """Cancels every handler that is a coroutine and has not ended."""

    def shutdown(self) -> None:
        """Drops all connections and listeners, leaves the loop, lets go of routes and handlers."""

    def stats(self) -> dict[str, int]:
        """Counters since the start and gauges of now."""

    def observed(self) -> dict[str, Any]:
        """Counts and gauges that have kinds.

        Returns:
            "lag_buckets": for how long the loop's thread was at work between two looks at its
            sockets, as upper bounds in seconds with a count each; "lag_sum_s"; "closes": code, by
            whom and count of ended WebSockets; "answers": method, status and count of requests
            (kinds may stand there more than once, to be added up); "websockets": how many are open,
            by the number of their module; "threads": connections of each thread;
            "held_limit_bytes".
        """

    def log_access(self, on: bool) -> None:
        """Says whether access lines are wanted, from the next request on."""

    def take_access(self) -> tuple[list[tuple[int, str, str, str, int, int, float]], int]:
        """Takes the access lines of requests that have ended since the last call.

        Returns:
            Of each its connection, client, method, path, status (0: the client went away before),
            bytes of content and seconds; and how many lines found no room.
        """

    def largest(self, count: int) -> list[dict[str, Any]]:
        """The connections for which most is held, largest first; looks at all of them.

        Returns:
            Of each its id, peer, path, held_bytes, buffered_bytes and rtt_s.
        """

@final
class Pace:
    """How far somebody is ahead of a rate. Times are seconds.

    Args:
        burst_s: What comes in so long may be used at once.
    """

    def __new__(cls, burst_s: float) -> Pace: ...
    def take(self, now_s: float, each_s: float) -> bool:
        """Takes one of what is there every `each_s` seconds; tells whether there was one."""

    def charge(self, now_s: float, seconds: float) -> None:
        """Uses up what comes in so many seconds, as far as there is any."""

    @property
    def until_s(self) -> float:
        """When nothing is used up any more."""

@final
class Authors:
    """Who may publish where, as it was decided: a short way for those who do it again.

    Bounded for each client: the rights that are kept are those given last.
    """

    def __new__(cls) -> Authors: ...
    def allow(
        self,
        client: int,
        channel: str,
        topic: str,
        is_remembered: bool,
        user: str,
        conn_info: bytes,
        info: bytes,
        paces: list[tuple[Pace, float]],
    ) -> None:
        """Lets a client go on publishing to a channel, until `forget`.

        Args:
            client: Its number.
            channel: Where to.
            topic: What is told of it, see `publish`.
            is_remembered: Whether the channel has to be there.
            user: Whose client it is.
            conn_info: What it says of itself; JSON.
            info: JSON: who publishes it, made of these.
            paces: What it uses up, each with its rate.
        """

    def forget(self, client: int) -> None:
        """Takes all rights of a client."""

    def clear(self) -> None:
        """Takes all rights of all."""

    def publish(
        self,
        client: int,
        frame: str | bytes,
        user: str,
        conn_info: bytes,
        channels: Channels,
        now_s: float,
        tell: Callable[[str, str], object],
    ) -> str | None:
        """Publishes, if a frame is a plain publication that its client has the right to.

        Args:
            client: Its number.
            frame: What it says.
            user: Whose it is, the very object that `allow` was given; another takes no effect.
            conn_info: The same of what it says of itself.
            channels: Where it is remembered.
            now_s: The time.
            tell: Called with topic and frame.

        Returns:
            Its answer; None: nothing was done, nor counted.
        """

    def __len__(self) -> int:
        """How many rights there are."""

@final
class Channels:
    """What topics remember and who is in them; publishes nothing itself.

    Times are seconds since the epoch of Unix. One table belongs to the thread of one event loop.

    Args:
        seed: Makes the streams of this table differ from those of others.
    """

    def __new__(cls, seed: int) -> Channels: ...
    def set_options(
        self,
        pattern: str,
        now_s: float,
        *,
        history_limit: int,
        history_age_s: float,
        history_limit_bytes: int,
        resumable_s: float,
        presence: bool,
        numbered: bool = False,
    ) -> None:
        """Sets what channels do that match `pattern`; the closest pattern decides.

        Args:
            pattern: A whole name, or its beginning and a star.
            now_s: The time.
            history_limit: Publications that are kept; 0: none, and there are no offsets.
            history_age_s: How long.
            history_limit_bytes: How much of them.
            resumable_s: How long a stream without publications can be resumed.
            presence: Whether it is known who is in it.
            numbered: Whether there are offsets though nothing is kept.
        """

    def publish(
        self,
        channel: str,
        data: bytes,
        now_s: float,
        *,
        info: bytes | None = None,
        tags: bytes | None = None,
        key: str | None = None,
    ) -> tuple[str | None, int, str]:
        """Takes a publication.

        Args:
            channel: Where to.
            data: JSON.
            now_s: The time.
            info: JSON: who published it.
            tags: JSON: what else is said.
            key: A publication with the same key within two minutes is a repetition.

        Returns:
            The frame for its subscribers, None for a repetition; offset and epoch, 0 and "" where
            nothing is remembered.
        """

    def position(self, channel: str, now_s: float) -> tuple[str, int] | None:
        """Epoch and offset of a channel's stream; None where nothing is remembered."""

    def after(self, channel: str, epoch: str, offset: int, now_s: float) -> list[bytes] | None:
        """All publications after a position, as JSON; None when some are no longer kept."""

    def history(
        self,
        channel: str,
        now_s: float,
        *,
        limit: int,
        since: int | None = None,
        reverse: bool = False,
    ) -> list[bytes]:
        """Publications that are kept, as JSON: the oldest first, or the newest."""

    def restore(
        self,
        channel: str,
        epoch: str,
        offset: int,
        publications: Sequence[tuple[bytes, bytes | None, bytes | None, str | None, float]],
        now_s: float,
    ) -> None:
        """Puts back a stream that a store has kept.

        Args:
            channel: Whose stream.
            epoch: Which stream.
            offset: Where it ended.
            publications: Data, info and tags as JSON, key and time of each, the oldest first.
            now_s: The time.
        """

    def join(
        self, channel: str, client: int, name: str, user: str, about: bytes, now_s: float
    ) -> bool:
        """Lets a client in; tells whether it is new. Does nothing without presence."""

    def leave(self, channel: str, client: int, now_s: float) -> bool:
        """Lets a client out; tells whether it was in."""

    def hear(self, channel: str, now_s: float) -> bool:
        """Counts who hears a channel that remembers, so that it stays; tells whether it does."""

    def ignore(self, channel: str, now_s: float) -> None:
        """Counts somebody no longer whom `hear` has counted."""

    def presence(self, channel: str) -> list[tuple[str, bytes]]:
        """Names of the clients in a channel and what is said about them, as JSON."""

    def counts(self, channel: str) -> tuple[int, int]:
        """How many clients are in a channel, and how many different users."""

    def sweep(self, now_s: float) -> None:
        """Forgets what has had its time, in a portion of the channels."""

    def forget(self, channel: str) -> None:
        """Forgets what a channel has published; its stream stands where it stood."""

    def set_held_limit(self, limit_bytes: int) -> None:
        """Sets how much all of it may hold.

        Beyond it, histories forget: the one first that was not used for longest.
        """

    @property
    def held_bytes(self) -> int:
        """How much all channels hold, what it costs to hold it included."""

    @property
    def is_full(self) -> bool:
        """Whether that is more than they may, and nothing is left to forget."""

    @property
    def given_up(self) -> tuple[int, int]:
        """How often a history was made smaller for want of memory, and what that cost."""

    def __contains__(self, channel: str, /) -> bool:
        """Whether a channel is there."""

    def __len__(self) -> int:
        """How many channels there are."""

def delta(old: bytes, new: bytes) -> bytes | None:
    """What changed from one text to the next, in Fossil's delta format.

    Returns:
        None when it would not be shorter than the new text.
    """

def bench(options: Mapping[str, object]) -> str:
    """Runs the load generator with the GIL released.

    Args:
        options: mode ("echo", "fan-out", "idle", "handshake"), url, connections, opening,
            duration_s, warm_up_s, size_bytes, content ("ascii", "non-ascii", "json", "binary"),
            deflate, client_cpu, server_pid; echo: depth or rate_per_s; fan-out: senders,
            in_flight; idle: touch.

    Returns:
        Its report, as JSON.

    Raises:
        hubbub.errors.Misuse: The options make no sense.
        hubbub.errors.Failure: The server failed, or the generator was saturated.
    """

def prefers_json(accept: str) -> bool:
    """Whether a client with this `Accept` would rather have an error as JSON than as text."""

def prefer_short_slices() -> None:
    """Asks for short slices of the processor for the calling thread, as threads of the engine do.

    Where threads wait for a processor it is woken sooner (`sched_setattr(2)`, since Linux 6.12);
    its share stays the same. Nothing happens where this cannot be granted.
    """

def system_memory_bytes() -> int:
    """Memory of the machine or of the control group, whichever is less."""
