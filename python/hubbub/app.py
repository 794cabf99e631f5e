"""The application: what answers where, what is published, what runs beside.

Declares; knows nothing of sockets and loops (see `assembly`, which puts an app on an engine).
"""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, Unpack, overload

from msgspec import Struct

from hubbub import http, message
from hubbub._core import Request
from hubbub.admission import Auth, admission
from hubbub.channel import Channel, encode
from hubbub.config import duration_s
from hubbub.errors import Misuse
from hubbub.lifespan import Lifespan, Written, as_lifespan
from hubbub.params import Parameters
from hubbub.routing import (
    Declaration,
    Endpoint,
    EndpointOptions,
    Hook,
    Procedure,
    RouteOptions,
    StaticOptions,
    checked_hook,
    http_declarations,
    parameter_names,
    refuse_unknown,
)
from hubbub.stats import BridgeStats
from hubbub.tasks import Tasks

if TYPE_CHECKING:
    from typing_extensions import TypeVar as DefaultingTypeVar

    # A bare `App` in an annotation means: whatever its configuration is.
    C = DefaultingTypeVar("C", default=Any)
else:
    C = TypeVar("C")
D = TypeVar("D")
T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
L = TypeVar("L", bound=Written)

Policy = Literal["close", "drop-newest", "drop-oldest", "conflate"]
"""What happens to a subscriber that is too slow for its topic."""

Message = str | bytes | Struct

HandoverHook = Callable[["App"], object]
TopicPattern = tuple[str, Policy | None, bool]
"""A pattern, the policy of such topics, and whether they are shared."""


class Hub(Protocol):
    """Where messages are published: what an app needs of an engine."""

    def publish(self, topic: str, message: str | bytes, *, key: str | None = None) -> int:
        """Sends one message to all subscribers; returns how many."""
        ...

    def subscribers(self, topic: str) -> int:
        """How many are subscribed."""
        ...


class Bridge(Protocol):
    """A bridge to another network: what an operator sees of it, and may do to it."""

    def stats(self) -> BridgeStats:
        """What it has counted."""
        ...

    def report(self) -> dict[str, Any]:
        """How it is, for people."""
        ...

    def pause(self) -> None:
        """Leaves the other network; what is to be said there waits."""
        ...

    def resume(self) -> None:
        """Comes back."""
        ...

    def block(self, who: str) -> None:
        """Does not hear a person or a domain of the other network any more."""
        ...

    def unblock(self, who: str) -> None:
        """Hears them again."""
        ...


@dataclass(frozen=True)
class Timer:
    """Something to be done again and again."""

    interval_s: float
    callback: Callable[[], object]


class App(Generic[C]):
    """One application: routes, topics, timers and what lives as long as it does.

    An app can be mounted in another; it can be served by one server at a time.
    """

    @overload
    def __init__(self: "App[Any]") -> None: ...
    @overload
    def __init__(self, *, config: type[C]) -> None: ...
    def __init__(self, *, config: type[C] | None = None) -> None:
        """Makes an empty app.

        Args:
            config: A msgspec Struct or dataclass: what `config` is to be. Without it, the class
                `Config` of the app's module, if there is one.
        """
        self.state = SimpleNamespace()
        """For whatever the app keeps and a newer version of it shall find (see `handover`)."""

        self.config_class: type[Any] | None = config
        """What was given."""

        self.mounts: list[tuple[str, App]] = []
        """Other apps and where they stand."""

        self.timers: list[Timer] = []
        """What `every` was given."""

        self.topics: list[TopicPattern] = []
        """What `topic` was given, in this order."""

        self.lifespans: list[Lifespan] = []
        """What `lifespan` was given."""

        self.procedures: list[Procedure] = []
        """The remote procedures of its hubs."""

        self.hubs: dict[str, Any] = {}
        """The `Hub`s that were made for it, by their paths."""

        self.bridges: dict[str, Bridge] = {}
        """Its bridges to other networks, by name: what `hubbub bridge` shows and orders."""

        self.handover_hooks: list[HandoverHook] = []
        """What `handover` was given."""

        self.handover_each_hook: Hook | None = None
        """What `handover_each` was given."""

        self._routes: list[Declaration | Channel[Any]] = []
        self._cors: http.Cors | None = None
        self.place = "/"
        """The path it stands under while it is served; of one that is mounted twice, the first."""

        self._running: tuple[Hub, Tasks] | None = None
        self._config: tuple[C] | None = None

    @property
    def config(self) -> C:
        """What `[app.config]` says, checked.

        Raises:
            Misuse: The app is not loaded yet.
        """
        if self._config is None:
            raise Misuse("the configuration is not known yet: read it in a handler or a lifespan")
        return self._config[0]

    def configure(self, config: C) -> None:
        """Says what `config` is. Called by whoever loads the app."""
        self._config = (config,)

    # Endpoints

    def message(
        self,
        path: str,
        *,
        auth: Auth | None = None,
        on_open: Hook | None = None,
        on_close: Hook | None = None,
        **options: Unpack[EndpointOptions],
    ) -> Callable[[F], F]:
        """Calls a function for each message; a returned `str` or `bytes` is the reply.

        The fastest kind of endpoint. The function takes `(ws, msg)`. It may be `async def`: the
        messages of one connection are then answered one after the other. Annotated `msg: str`
        (`bytes`), other messages close with 1003.

        Args:
            path: A pattern such as "/echo" or "/ws/{room}" (then `ws.params["room"]`).
            auth: Called with the request; what it returns, or awaits, becomes `ws.data`.
            on_open: Called with the WebSocket when it is open.
            on_close: Called with the WebSocket when it has ended.
            **options: See `EndpointOptions`.

        Raises:
            Misuse: Path or function are not of this form.
        """

        def declare(handler: F) -> F:
            parameter_names(path)
            adapted = message.adapt(handler)
            is_async = inspect.iscoroutinefunction(handler)
            self._routes.append(
                Declaration(
                    path,
                    "websocket" if is_async else "message",
                    message.each(adapted) if is_async else adapted,
                    admit=admission(auth),
                    on_open=checked_hook(on_open),
                    on_close=checked_hook(on_close),
                    endpoint=Endpoint.of(options),
                    sources=(handler,),
                )
            )
            return handler

        return declare

    def websocket(
        self, path: str, *, auth: Auth | None = None, **options: Unpack[EndpointOptions]
    ) -> Callable[[F], F]:
        """Runs a coroutine for each connection; when it returns, the connection is closed.

        The function takes `ws` and, by name, whatever its annotations ask for: a `{name}` of the
        path, else a value of the query. They are resolved before the 101: a path that does not
        fit is answered with 404, a query with 400.

        Args:
            path: A pattern such as "/ws/{room}".
            auth: Called with the request; what it returns, or awaits, becomes `ws.data`.
            **options: See `EndpointOptions`.

        Raises:
            Misuse: Path or function are not of this form.
        """

        def declare(handler: F) -> F:
            if not inspect.iscoroutinefunction(handler):
                raise Misuse(f"{handler.__qualname__}: a websocket handler is `async def`")
            parameters = Parameters(handler, parameter_names(path))
            self._routes.append(
                Declaration(
                    path,
                    "websocket",
                    handler,
                    admit=admission(auth, parameters),
                    endpoint=Endpoint.of(options),
                    resume=parameters.resolve if parameters else None,
                )
            )
            return handler

        return declare

    @overload
    def channel(
        self, path: str, *, auth: None = None, **options: Unpack[EndpointOptions]
    ) -> Channel[Any]: ...
    @overload
    def channel(
        self,
        path: str,
        *,
        auth: Callable[[Request], Coroutine[Any, Any, D]],
        **options: Unpack[EndpointOptions],
    ) -> Channel[D]: ...
    @overload
    def channel(
        self, path: str, *, auth: Callable[[Request], D], **options: Unpack[EndpointOptions]
    ) -> Channel[D]: ...
    def channel(
        self, path: str, *, auth: Auth | None = None, **options: Unpack[EndpointOptions]
    ) -> Channel[Any]:
        """Typed JSON messages: msgspec Structs, dispatched by their tag.

        Args:
            path: A pattern such as "/board/{id}".
            auth: Called with the request; what it returns, or awaits, becomes `ws.data`.
            **options: See `EndpointOptions`.

        Raises:
            Misuse: The path is no pattern.
        """
        parameter_names(path)
        channel: Channel[Any] = Channel(path, admission(auth), Endpoint.of(options))
        self._routes.append(channel)
        return channel

    def get(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answers GET, and HEAD likewise but without the body: see `route`."""
        return self.route(path, methods=("GET",), **options)

    def post(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answers POST: see `route`."""
        return self.route(path, methods=("POST",), **options)

    def put(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answers PUT: see `route`."""
        return self.route(path, methods=("PUT",), **options)

    def patch(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answers PATCH: see `route`."""
        return self.route(path, methods=("PATCH",), **options)

    def delete(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answers DELETE: see `route`."""
        return self.route(path, methods=("DELETE",), **options)

    def head(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answers HEAD where GET's answer would cost too much to make: see `route`."""
        return self.route(path, methods=("HEAD",), **options)

    def options(self, path: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Answers OPTIONS otherwise than with the methods there are: see `route`."""
        return self.route(path, methods=("OPTIONS",), **options)

    def route(
        self, path: str, *, methods: Sequence[str], **options: Unpack[RouteOptions]
    ) -> Callable[[F], F]:
        """Answers HTTP requests.

        The function takes the request and, by name, what its annotations ask for: a `{name}` of
        the path, a value of the query, and at most one Struct, read from the JSON body, or
        `Form`. It may be `async def`; it is cancelled then when the client goes. It returns a
        `Response` or one of its kin, `str` (text), `bytes`, None (204), or anything that msgspec
        encodes as JSON; `Reject` refuses.

        Args:
            path: A pattern such as "/things/{number}" or "/files/{*rest}".
            methods: Which methods it answers.
            **options: See `RouteOptions`.

        Raises:
            Misuse: Path, methods or function are not of this form.
        """

        def declare(handler: F) -> F:
            streams = options.get("stream", False)
            adapted = http.adapt(handler, parameter_names(path), streams=streams)
            self._routes.extend(
                replace(one, sources=(handler,))
                for one in http_declarations(path, methods, adapted, options)
            )
            return handler

        return declare

    def static(
        self, path: str, directory: str | PathLike[str], **options: Unpack[StaticOptions]
    ) -> None:
        """Answers GET and HEAD with the files below a directory, and no others.

        Whatever the path and whatever the links, nothing outside is reached; dotfiles (but
        ".well-known" at the top, RFC 8615) and everything that is no regular file are hidden, and
        directories are not listed. Answers can
        be revalidated (ETag, Last-Modified), continued (Range) and come compressed where it pays.

        Args:
            path: Where they stand: "/assets", or "/".
            directory: Where they are.
            **options: See `StaticOptions`.

        Raises:
            Misuse: There is no such directory, or the path is none.
        """
        refuse_unknown(StaticOptions, options)
        if parameter_names(path):
            raise Misuse(f"files stand under a plain path: {path!r}")
        files = http.Static(directory, **options)
        below = path.rstrip("/") + "/"
        self._routes += [
            Declaration(below, "http", files.answer),
            Declaration(below + "{*path}", "http", files.answer),
        ]

    def cors(
        self,
        *,
        origins: Sequence[str],
        headers: Sequence[str] = (),
        expose: Sequence[str] = (),
        credentials: bool = False,
        max_age_s: int = 600,
    ) -> None:
        """Lets pages of other origins read this app's HTTP answers; browsers forbid it otherwise.

        WebSockets have `origins=` of their own.

        Args:
            origins: Which pages: "https://example.org"; ("*",): all, without credentials.
            headers: Header fields they may send, such as "content-type" for JSON.
            expose: Header fields of answers they may read.
            credentials: Whether cookies come along.
            max_age_s: How long a browser may keep the answer to its question.

        Raises:
            Misuse: Origins are none, or everybody would come with credentials.
        """
        self._cors = http.Cors(
            tuple(origins), tuple(headers), tuple(expose), credentials, max_age_s
        )

    def mount(self, path: str, app: "App") -> None:
        """Puts all of another app below a path; its lifespan and timers run along.

        Topics are common to an app and those mounted in it.

        Raises:
            Misuse: The path is no pattern, or the app would stand in itself.
        """
        parameter_names(path)
        if any(one is self for _, one in app.walk()):
            raise Misuse(f"an app cannot be mounted in itself: {path!r}")
        self.mounts.append((path, app))

    # Topics

    def topic(self, pattern: str, *, policy: Policy | None = None, shared: bool = False) -> None:
        """Says what is special about some topics.

        Args:
            pattern: A topic, or the beginning of several and a star: "prices.*".
            policy: What happens to subscribers that are too slow: "close" (4001, the default),
                "drop-newest", "drop-oldest", or "conflate": of the waiting messages with the same
                `key` only the newest is kept.
            shared: Have them in common with all modules of the server that say so, too; other
                topics are a module's own.
        """
        self.topics.append((pattern, policy, shared))

    def publish(self, topic: str, message: Message, *, key: str | None = None) -> int:
        """Sends one message to all subscribers of a topic.

        Args:
            topic: Its name.
            message: Text, binary, or a Struct, which is sent as JSON.
            key: What a "conflate" topic compares.

        Returns:
            How many it goes to. Of more than 64, those who turn out to be too slow for it are
            counted, too.

        Raises:
            Misuse: The app is not being served.
        """
        hub, _ = self._running or self._served()
        text = message if type(message) is str else encode(message)
        return hub.publish(topic, text, key=key)

    def subscribers(self, topic: str) -> int:
        """How many are subscribed to a topic.

        Raises:
            Misuse: The app is not being served.
        """
        hub, _ = self._served()
        return hub.subscribers(topic)

    # What runs beside

    def lifespan(self, function: L) -> L:
        """Runs around the app's life: an async generator that yields once, or a context manager.

        What stands before the `yield` runs before the first connection, the rest after the last.

        Raises:
            Misuse: The function has arguments or does not yield.
        """
        self.lifespans.append(as_lifespan(function))
        return function

    def handover(self, function: HandoverHook) -> HandoverHook:
        """Called in a newer version of this app, with the older one: take from it what you need.

        The older one of an app that is mounted is that which stood in its place; if there was
        none, the hook is not called.

        Nothing else runs between this and the first message that the newer version handles.
        What it raises refuses the newer version.

        Raises:
            Misuse: It is `async def`.
        """
        if inspect.iscoroutinefunction(function):
            raise Misuse(f"a handover is a plain function: nobody waits for it: {function!r}")
        self.handover_hooks.append(function)
        return function

    def handover_each(self, hook: Hook) -> Hook:
        """Called in a newer version for each open connection, before it gets a message there.

        Raises:
            Misuse: It is `async def`; `ws.spawn` starts what takes its time.
        """
        self.handover_each_hook = checked_hook(hook)
        return hook

    def every(self, interval: str | float) -> Callable[[F], F]:
        """Calls a function, plain or `async def`, at an interval; never twice at the same time.

        Args:
            interval: "30s", "250ms", "5min", or seconds.

        Raises:
            Misuse: It is no interval, or the function has arguments.
        """
        try:
            interval_s = duration_s(interval)
        except ValueError as error:
            raise Misuse(str(error)) from None
        if interval_s == 0:
            raise Misuse("an interval is longer than nothing")

        def declare(callback: F) -> F:
            if inspect.signature(callback).parameters:
                raise Misuse(f"{callback.__qualname__}: expected no arguments")
            self.timers.append(Timer(interval_s, callback))
            return callback

        return declare

    def spawn(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs a coroutine until it ends or the server does; its exception is logged.

        Raises:
            Misuse: The app is not being served.
        """
        return self._tasks_for(coro).spawn(coro)

    # For the assembly and for hubs

    def finish(self, coro: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs what a client waits for: like `spawn`, but an older version ends it before it goes.

        Raises:
            Misuse: The app is not being served.
        """
        return self._tasks_for(coro).finish(coro)

    def channels(self) -> list[Channel[Any]]:
        """Its typed channels."""
        return [route for route in self._routes if isinstance(route, Channel)]

    def declarations(self) -> list[Declaration]:
        """The routes of this app, without those of mounted ones.

        Raises:
            Misuse: A channel is not complete.
        """
        declared = [one.declaration() if isinstance(one, Channel) else one for one in self._routes]
        return declared if self._cors is None else _shared(declared, self._cors)

    def walk(self, prefix: str = "/") -> "Iterator[tuple[str, App]]":
        """This app and all below it, each with the path it stands under."""
        yield prefix, self
        for path, app in self.mounts:
            yield from app.walk(prefix.rstrip("/") + path)

    def bind(self, hub: Hub, tasks: Tasks, place: str = "/") -> None:
        """From now on the app is served.

        Raises:
            Misuse: It is being served already.
        """
        if self._running is not None:
            raise Misuse("the app is being served already")
        self._running = (hub, tasks)
        self.place = place

    def unbind(self) -> None:
        """From now on the app is not served."""
        self._running = None

    def _tasks_for(self, coro: Coroutine[Any, Any, Any]) -> Tasks:
        try:
            return self._served()[1]
        except Misuse:
            coro.close()
            raise

    def _served(self) -> tuple[Hub, Tasks]:
        if self._running is None:
            raise Misuse("the app is not being served")
        return self._running


def _shared(declared: list[Declaration], cors: http.Cors) -> list[Declaration]:
    """The same routes for pages of other origins, too, and their questions answered."""
    methods: dict[str, list[str]] = {}
    for one in declared:
        if one.kind == "http":
            methods.setdefault(one.path, []).append(one.method)
    around = [
        replace(one, handler=cors.around(one.handler), error_fields=cors.fields)
        if one.kind == "http"
        else one
        for one in declared
    ]
    questions = [
        Declaration(path, "http", cors.preflight(known), method="OPTIONS")
        for path, known in methods.items()
        if "OPTIONS" not in known
    ]
    return around + questions
