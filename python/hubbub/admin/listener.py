"""`Admin`: the pages and commands, their registry, and the listener they are served on."""

import asyncio
import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from hubbub import address
from hubbub._core import Engine, Request
from hubbub.admin.exposition import CONTENT_TYPE
from hubbub.admin.guard import Guard
from hubbub.admin.metrics import metrics_text
from hubbub.admin.place import AUTO, Place, place_of
from hubbub.admin.snapshot import ModuleReport, Snapshot
from hubbub.admin.status import status
from hubbub.app import App
from hubbub.assembly import native
from hubbub.config import AdminSettings, ListenSettings
from hubbub.errors import CannotListen
from hubbub.http import Response
from hubbub.inheritance import Inheritance, received
from hubbub.listening import Sockets
from hubbub.log import logger
from hubbub.server import Server

ADMIN_GROUP = 1
"""The group of its listener; the public's is 0."""

LARGEST_MAX = 100
"""How many of the largest connections may be asked for."""

_BACKLOG = 64

Handler = Callable[..., Any]


class Admin:
    """The admin listener of one server.

    It opens before anything else starts, so that "not ready yet" can be told, and closes last.

    Attributes:
        modules: Tells how the application modules are.
        sockets: What it listens with, for a successor.
    """

    def __init__(
        self,
        settings: AdminSettings,
        *,
        storage: str = "hubbub-data",
        inheritance: Inheritance | None = None,
    ) -> None:
        """Prepares it.

        Args:
            settings: Where, and who may ask.
            storage: The folder for its Unix socket, if no other is named.
            inheritance: Sockets that were open before; None: what this process has inherited.

        Raises:
            Misuse: Strangers could ask.
        """
        self.modules: Callable[[], Sequence[ModuleReport]] = tuple
        self.sockets = Sockets()
        self._is_optional = settings.bind == AUTO
        self._place: Place | None = place_of(settings, storage)
        self._guard = Guard()
        if self._place is not None:
            self._guard = Guard(self._place.token, by_file=self._place.is_file)
        self._inheritance = inheritance or received()
        self._app = App()
        self._checks: list[Callable[[], str | None]] = []
        self._server: Server | None = None
        self._engine: Engine | None = None
        self.address = ""
        """Where it listens, once it does: "unix:/run/hubbub/admin.sock"."""

        self.route("GET", "/healthz", self._health)
        self.route("GET", "/readyz", self._readiness)
        self.route("GET", "/metrics", self._metrics)
        self.route("GET", "/status", self._status)

    def route(self, method: Literal["GET", "POST"], path: str, handler: Handler) -> None:
        """Adds a page or a command.

        Args:
            method: GET changes nothing; POST does.
            path: A pattern such as "/reload/{name}".
            handler: As `App.post` takes it; only called for those who may ask.

        Raises:
            Misuse: Path or function are not of this form.
        """
        declare = self._app.get if method == "GET" else self._app.post
        declare(path)(self._guarded(handler))

    def require(self, check: Callable[[], str | None]) -> None:
        """Makes readiness depend on something more: the check tells why not, or None."""
        self._checks.append(check)

    async def open(self, server: Server, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        """Begins to listen.

        Raises:
            CannotListen: It cannot be bound; only logged where nobody has asked for it.
        """
        self._server, self._engine = server, engine
        for declaration in self._app.declarations():
            engine.route(native(declaration), group=ADMIN_GROUP)
        if self._place is None:
            return
        try:
            await self._bind(self._place, loop)
        except CannotListen as error:
            if not self._is_optional:
                raise
            logger.warning("no admin listener: %s", error)
        # A predecessor still answers at the same place; two would be one too many.
        if self._inheritance.channel is None:
            self._listen()

    def ready(self) -> None:
        """The server serves: from now on this one answers, if it did not before."""
        self._listen()
        if self.address:
            url = address.url_of(self.address, "http")
            logger.info("admin listener on %s", url, extra={"admin": url})

    def close(self) -> None:
        """Listens no more. A second call does nothing."""
        if self._engine is not None and self.address:
            self._engine.stop_listening(group=ADMIN_GROUP)
        self.sockets.close()
        self._engine = None

    async def _bind(self, place: Place, loop: asyncio.AbstractEventLoop) -> None:
        if place.is_file:
            folder = Path(place.bind.removeprefix("unix:")).parent
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise CannotListen(place.bind, error) from None
        wanted = ListenSettings(bind=place.bind, mode="0600", backlog=_BACKLOG)
        await self.sockets.bind([wanted], self._inheritance, loop)

    def _listen(self) -> None:
        if self.address or self._engine is None:
            return
        for one in self.sockets.bound:
            try:
                where = self._engine.listen(one.lend(), backlog=_BACKLOG, group=ADMIN_GROUP)
            except OSError as error:
                raise CannotListen(one.key, error) from None
            self.address = where

    def unready(self) -> list[str]:
        """Why the server is not ready for work; nothing: it is."""
        state = self._server.state if self._server is not None else "starting"
        reasons: list[str] = [] if state == "ready" else [state]
        reasons += [
            f"module {module.name}: {module.reason or module.state}"
            for module in self.modules()
            if module.required and not module.is_running
        ]
        return reasons + [reason for check in self._checks if (reason := check())]

    def _guarded(self, handler: Handler) -> Handler:
        if inspect.iscoroutinefunction(handler):

            @functools.wraps(handler)
            async def later(request: Request, **given: Any) -> Any:
                self._guard.check(request)
                return await handler(request, **given)

            return later

        @functools.wraps(handler)
        def now(request: Request, **given: Any) -> Any:
            self._guard.check(request)
            return handler(request, **given)

        return now

    def _snapshot(self) -> Snapshot:
        # Whoever asks has come through a listener of this engine.
        assert self._engine is not None  # noqa: S101
        return Snapshot.take(self._engine, self.modules(), self.unready())

    def _health(self, request: Request) -> dict[str, str]:
        """The process lives and its loop turns, or nobody would answer."""
        return {"status": "ok"}

    def _readiness(self, request: Request) -> Response:
        """Whether to send work here."""
        reasons = self.unready()
        body = {"ready": not reasons, "reasons": reasons}
        return Response(body, status=503 if reasons else 200)

    def _metrics(self, request: Request) -> Response:
        """For Prometheus and its like."""
        return Response(metrics_text(self._snapshot()), content_type=CONTENT_TYPE)

    def _status(self, request: Request, connections: int = 0) -> dict[str, Any]:
        """Everything; with `?connections=10` the ten largest connections."""
        assert self._engine is not None  # noqa: S101 - as above
        assert self._server is not None  # noqa: S101
        count = max(0, min(connections, LARGEST_MAX))
        return status(
            self._snapshot(),
            state=self._server.state,
            addresses=self._server.addresses,
            settings=self._server.settings,
            largest=self._engine.largest(count) if count else [],
        )
