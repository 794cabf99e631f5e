"""Puts an app, with all that is mounted in it, on an engine: the one place that knows both.

One `Assembly` is one version of one module; when it begins and ends is `modules`'s to say. Decides
nothing about sockets.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial

from hubbub import http
from hubbub._core import Engine, Request, Route
from hubbub.access import logged
from hubbub.app import App, TopicPattern
from hubbub.errors import Misuse
from hubbub.log import access
from hubbub.routing import Declaration, parameter_names
from hubbub.tasks import Tasks

Placed = tuple[Route, int, str | None]
"""A route, its group, and its host; None: any."""


@dataclass(frozen=True)
class Site:
    """Where an app stands on an engine."""

    number: int = 1
    """Of the module: whose topics its WebSockets hear."""

    mount: str = "/"
    """What its paths are below."""

    hosts: tuple[str, ...] = ()
    """The names it answers to; none: every name."""

    owner: str = ""
    """What the log calls it: "module chat"."""


class Topics:
    """The topics of one module, as its apps see them."""

    def __init__(self, engine: Engine, number: int) -> None:
        self._engine = engine
        self._number = number
        self.publish = partial(engine.publish, module=number)
        """Sends one message to all subscribers; returns how many."""

    def subscribers(self, topic: str) -> int:
        """How many are subscribed."""
        return self._engine.subscribers(topic, module=self._number)


class Assembly:
    """One version of a module: its routes, and its lifespans and timers while they run.

    Raises:
        Misuse: A declaration is not complete.
    """

    def __init__(
        self, app: App, engine: Engine, loop: asyncio.AbstractEventLoop, site: Site
    ) -> None:
        self.app = app
        self.site = site
        self.declarations = tuple(declarations(app, site.mount))
        """All routes, with their full paths."""

        self.routes: tuple[Placed, ...] = tuple(
            (native(one, site.number), 0, host)
            for one in self.declarations
            for host in site.hosts or (None,)
        )
        """The same as the engine takes them."""

        self._engine = engine
        self._loop = loop
        self._apps = _living(app, site.mount)
        self._entered = AsyncExitStack()
        self._background: list[Tasks] = []
        self._timers: list[Callable[[], None]] = []

    @property
    def running(self) -> int:
        """How many coroutines of its handlers, and of its hubs' hooks, have not ended."""
        handlers = sum(route.running for route, _, _ in self.routes)
        return handlers + sum(tasks.unfinished for tasks in self._background)

    @property
    def errors(self) -> int:
        """Exceptions in timers and background tasks so far."""
        return sum(tasks.errors for tasks in self._background)

    async def enter(self) -> None:
        """Binds the apps, and enters their lifespans, outer first."""
        topics = Topics(self._engine, self.site.number)
        try:
            for place, one in self._apps:
                tasks = Tasks(self._loop, self.site.owner)
                one.bind(topics, tasks, place)
                self._background.append(tasks)
                self._entered.callback(one.unbind)
            for _, one in self._apps:
                for lifespan in one.lifespans:
                    await self._entered.enter_async_context(lifespan())
        except BaseException:
            await self.leave()
            raise

    def take_over(self, old: "Assembly") -> None:
        """Lets each app take what it needs from the one that stood in its place."""
        before: dict[str, list[App]] = {}
        for place, one in old._apps:
            before.setdefault(place, []).append(one)
        for place, one in self._apps:
            if stood := before.get(place):
                _hand_on(stood.pop(0), one)

    def serve(self) -> int:
        """Puts the routes in the place of those that the module had.

        Returns:
            How many open connections are to go over to them.

        Raises:
            Misuse: Two routes collide; the old ones are still there.
        """
        number = self.site.number
        try:
            for pattern, policy, is_shared in self._topics():
                if policy is not None:
                    self._engine.policy(pattern, policy, module=0 if is_shared else number)
            count = self._engine.replace_routes(number, self.routes)
        except ValueError as error:
            raise Misuse(f"cannot route: {error}") from None
        self._engine.share(number, [pattern for pattern, _, shared in self._topics() if shared])
        return count

    def begin(self) -> None:
        """Starts the timers."""
        for (_, one), tasks in zip(self._apps, self._background, strict=True):
            for timer in one.timers:
                tick = tasks.repeating(timer.callback)
                self._timers.append(self._engine.every(timer.interval_s, tick))

    async def rest(self) -> None:
        """Ends timers and background tasks; what somebody waits for goes on."""
        for cancel in self._timers:
            cancel()
        self._timers.clear()
        for tasks in self._background:
            await tasks.rest()

    async def leave(self) -> None:
        """Ends what runs, leaves the lifespans, inner first, and unbinds the apps."""
        await self.rest()
        for tasks in self._background:
            await tasks.cancel()
        await self._entered.aclose()

    def _topics(self) -> Iterator[TopicPattern]:
        for _, one in self._apps:
            yield from one.topics
            for hub in one.hubs.values():
                yield from hub.topics()


def _living(app: App, mount: str) -> list[tuple[str, App]]:
    """An app and all below it, with their places; one that is mounted twice lives once."""
    found: dict[int, tuple[str, App]] = {}
    for place, one in app.walk(mount):
        found.setdefault(id(one), (place, one))
    return list(found.values())


def _hand_on(old: App, new: App) -> None:
    for hook in new.handover_hooks:
        hook(old)


def declarations(app: App, mount: str) -> Iterator[Declaration]:
    """All routes of an app and of those mounted in it, with their full paths.

    Raises:
        Misuse: One is not complete.
    """
    for prefix, one in app.walk(mount):
        found = [declaration.below(prefix) for declaration in one.declarations()]
        for declaration in (*found, *_redirects(prefix, found)):
            yield replace(declaration, on_handover=one.handover_each_hook)


def native(declaration: Declaration, module: int = 0) -> Route:
    """The route as the engine takes it."""
    # Decided here, so that nobody pays for access lines that nobody reads.
    if declaration.kind != "http" and access.isEnabledFor(logging.INFO):
        declaration = logged(declaration)
    return Route(
        declaration.path,
        declaration.kind,
        declaration.handler,
        method=declaration.method,
        admit=declaration.admit,
        on_open=declaration.on_open,
        on_close=declaration.on_close,
        subprotocols=declaration.endpoint.subprotocols,
        origins=declaration.endpoint.origins,
        message_limit_bytes=declaration.endpoint.message_limit_bytes,
        outbox_limit_bytes=declaration.endpoint.outbox_limit_bytes,
        compression=declaration.endpoint.compression,
        body_limit_bytes=declaration.body_limit_bytes,
        streams=declaration.streams,
        module=module,
        resume=declaration.resume,
        on_handover=declaration.on_handover,
        error_fields=declaration.error_fields,
    )


def _redirects(prefix: str, declarations: list[Declaration]) -> Iterator[Declaration]:
    """From "/chat" to "/chat/", so that relative links of a mounted page, or of files, work."""
    gets = {one.path: one for one in declarations if (one.kind, one.method) == ("http", "GET")}
    for page, one in gets.items():
        path = page.removesuffix("/")
        is_files = isinstance(getattr(one.handler, "__self__", None), http.Static)
        is_top = path != page and (path == prefix.rstrip("/") or is_files)
        if path and is_top and path not in gets and not parameter_names(path):
            yield _redirect(path)


def _redirect(path: str) -> Declaration:
    # Relative, so that nothing of the request can lead to another host.
    location = path.rpartition("/")[2] + "/"

    def redirect(request: Request) -> http.Encoded:
        query = f"?{request.query_string}" if request.query_string else ""
        return http.Response.redirect(location + query, status=308).answer(request)

    return Declaration(path, "http", redirect)
