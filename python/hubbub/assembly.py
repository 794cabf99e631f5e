"""Puts an app, with all that is mounted in it, on an engine: the one place that knows both.

Decides nothing about sockets and when to stop; that is the server's.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack

from hubbub import http
from hubbub._core import Engine, Request, Route
from hubbub.access import logged
from hubbub.app import App
from hubbub.errors import Misuse
from hubbub.log import access
from hubbub.routing import Declaration, parameter_names
from hubbub.tasks import Tasks


class Assembly:
    """A served app: its routes on an engine, its lifespans and timers running.

    Raises:
        Misuse: Two routes collide, or a declaration is not complete.
    """

    def __init__(self, app: App, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        self._engine = engine
        self._loop = loop
        # An app that is mounted twice lives once.
        self._apps = {id(one): one for _, one in app.walk()}
        self._entered = AsyncExitStack()
        self._background: list[Tasks] = []
        self._timers: list[Callable[[], None]] = []
        for prefix, one in app.walk():
            self._add_routes(prefix, one)
        for one in self._apps.values():
            for pattern, policy in one.policies:
                engine.policy(pattern, policy)

    async def start(self) -> None:
        """Binds the apps, enters their lifespans, outer first, and starts their timers."""
        try:
            for one in self._apps.values():
                tasks = Tasks(self._loop)
                one.bind(self._engine, tasks)
                self._background.append(tasks)
                self._entered.callback(one.unbind)
            for one in self._apps.values():
                for lifespan in one.lifespans:
                    await self._entered.enter_async_context(lifespan())
        except BaseException:
            await self.stop()
            raise
        for one, tasks in zip(self._apps.values(), self._background, strict=True):
            for timer in one.timers:
                tick = tasks.repeating(timer.callback)
                self._timers.append(self._engine.every(timer.interval_s, tick))

    async def stop(self) -> None:
        """Ends timers and tasks, leaves the lifespans, inner first, and unbinds the apps."""
        for cancel in self._timers:
            cancel()
        self._timers.clear()
        for tasks in self._background:
            await tasks.cancel()
        self._background.clear()
        await self._entered.aclose()

    def _add_routes(self, prefix: str, app: App) -> None:
        declarations = [one.below(prefix) for one in app.declarations()]
        redirect = _redirect(prefix, declarations)
        if redirect is not None:
            declarations.append(redirect)
        for declaration in declarations:
            # Decided here, so that nobody pays for access lines that nobody reads.
            wants_lines = declaration.kind != "http" and access.isEnabledFor(logging.INFO)
            try:
                self._engine.route(native(logged(declaration) if wants_lines else declaration))
            except ValueError as error:
                raise Misuse(f"cannot route {declaration.path!r}: {error}") from None


class OneApp:
    """One app as the whole of what a server serves."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._assembly: Assembly | None = None

    def load(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        """Puts its routes on an engine.

        Raises:
            Misuse: See `Assembly`.
        """
        self._assembly = Assembly(self._app, engine, loop)

    async def start(self) -> None:
        """See `Assembly.start`."""
        if self._assembly is not None:
            await self._assembly.start()

    async def stop(self) -> None:
        """See `Assembly.stop`."""
        if self._assembly is not None:
            await self._assembly.stop()


def native(declaration: Declaration) -> Route:
    """The route as an engine takes it."""
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
    )


def _redirect(prefix: str, declarations: list[Declaration]) -> Declaration | None:
    """From "/chat" to "/chat/", so that relative links of a mounted page work."""
    page = prefix.rstrip("/") + "/"
    path = page[:-1]
    is_page = any(
        one.kind == "http" and one.method == "GET" and one.path == page for one in declarations
    )
    if not path or not is_page or parameter_names(path):
        return None
    # Relative, so that nothing of the request can lead to another host.
    location = path.rpartition("/")[2] + "/"

    def redirect(request: Request) -> http.Encoded:
        query = f"?{request.query_string}" if request.query_string else ""
        return http.Response.redirect(location + query, status=308).answer(request)

    return Declaration(path, "http", redirect)
