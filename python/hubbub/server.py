"""One running server: its sockets, its modules, and the order in which they start and stop.

Lives inside an event loop (`serve`). The program around it (signals, supervisor, successor)
is `running`'s; handlers are the engine's to call.
"""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Protocol

from hubbub import address
from hubbub._core import Engine
from hubbub.access import RequestLines, wants_lines
from hubbub.app import App
from hubbub.config import ListenSettings, ServerSettings, TlsSettings
from hubbub.drain import drain
from hubbub.errors import CannotListen, Misuse
from hubbub.inheritance import Inheritance, received
from hubbub.listening import Sockets
from hubbub.loop import EngineHost, host_for_server
from hubbub.modules import Modules
from hubbub.report import Listener
from hubbub.stats import Stats
from hubbub.tls import AllCertificates

State = Literal["starting", "ready", "draining", "stopped"]
"""Where a server stands; it is ready for work only when "ready"."""

GOING_AWAY = 1001
"""RFC 6455 §7.4.1: "going away, such as a server going down"."""

RESTARTING = 1012
"""Registered with IANA as "Service Restart": come back, somebody else is there already."""


class Overseer(Protocol):
    """Who looks in from the side while a server starts, serves and stops (`hubbub.admin`)."""

    @property
    def sockets(self) -> Sockets:
        """What it listens with, for a successor."""
        ...

    async def open(self, server: "Server", engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        """Begins, before anything else does."""
        ...

    def ready(self) -> None:
        """The server serves."""
        ...

    def close(self) -> None:
        """Ends, after everything else has; also after an `open` that failed."""
        ...


class Server:
    """A server; made by `serve`, runs inside its `async with`.

    It starts in this order: every address is bound, modules are loaded and started, and only then
    is anything accepted. It stops in this one: no new connections, WebSockets are closed with 1001,
    spread over `drain_window_s`, requests under way are answered, handlers are waited for, tasks
    and timers are cancelled, lifespans are left. So a handler never sees what a lifespan has put
    away already.
    """

    def __init__(
        self,
        modules: Modules,
        listen: Sequence[ListenSettings],
        settings: ServerSettings | None = None,
        *,
        listener: Listener | None = None,
        inheritance: Inheritance | None = None,
        admin: Overseer | None = None,
    ) -> None:
        """Prepares it.

        Args:
            modules: What it serves.
            listen: Where; at least one place.
            settings: Limits, deadlines, compression.
            listener: Is told of every report.
            inheritance: Sockets that were open before; None: what this process has inherited.
            admin: Looks in from the side.
        """
        self._admin = admin
        self._modules = modules
        self._listen = tuple(listen)
        self._settings = settings
        self._listener = listener
        self._inheritance = inheritance or received()
        self._sockets = Sockets()
        self._host: EngineHost | None = None
        self._lines: RequestLines | None = None
        self._addresses: tuple[str, ...] = ()
        self._urls: tuple[str, ...] = ()
        self._certificates = AllCertificates(())
        self._state: State = "starting"

    async def __aenter__(self) -> "Server":
        """Starts it.

        Raises:
            Misuse: What it serves cannot be served as it is declared.
            BadCertificate: A file of TLS cannot be used.
            CannotListen: An address cannot be bound.
        """
        loop = asyncio.get_running_loop()
        self._certificates = AllCertificates(one.tls for one in self._listen)
        host = self._host = host_for_server(loop, self._settings)
        host.reports.listener = self._listener
        if wants_lines():
            self._lines = RequestLines(host.engine)
        try:
            if self._admin is not None:
                await self._admin.open(self, host.engine, loop)
            await self._sockets.bind(self._listen, self._inheritance, loop)
            self._modules.load(host.engine, loop)
            await self._modules.start()
            self._addresses = self._accept(host.engine)
        except BaseException:
            await self._stop()
            raise
        self._certificates.watch()
        self._state = "ready"
        if self._admin is not None:
            self._admin.ready()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stops it."""
        await self.close()

    @property
    def state(self) -> State:
        """Where it stands."""
        return self._state

    @property
    def modules(self) -> Modules:
        """What it serves."""
        return self._modules

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where it listens: "tcp://127.0.0.1:8000", "unix:/path"."""
        return self._addresses

    @property
    def url(self) -> str:
        """Where a browser finds it: "http://127.0.0.1:8000". `hubbub.connect` takes it, too."""
        return self._urls[0]

    @property
    def urls(self) -> tuple[str, ...]:
        """The same for each of its addresses: "https://…" where TLS is spoken."""
        return self._urls

    @property
    def listen(self) -> tuple[ListenSettings, ...]:
        """Where it was told to listen."""
        return self._listen

    @property
    def ws_url(self) -> str:
        """Where a WebSocket client finds it: "ws://127.0.0.1:8000"."""
        return "ws" + self._urls[0].removeprefix("http")

    @property
    def settings(self) -> ServerSettings:
        """What it was told."""
        return self._settings or ServerSettings()

    @property
    def sockets(self) -> Sockets:
        """What the public comes through."""
        return self._sockets

    @property
    def all_sockets(self) -> tuple[Sockets, ...]:
        """Whatever it listens with, for a successor."""
        return (self._sockets, *((self._admin.sockets,) if self._admin is not None else ()))

    def stats(self) -> Stats:
        """Counters since the start and gauges of now.

        Raises:
            Misuse: The server is not running.
        """
        if self._host is None:
            raise Misuse("the server is not running")
        return Stats.of(self._host.engine.stats())

    def reload_certificates(self) -> bool:
        """Reads the files of TLS again, for the handshakes to come; they are watched as well.

        Returns:
            Whether all of them are in use now. What is wrong with one is logged; the old one stays.
        """
        return self._certificates.reload()

    async def close(self, *, window_s: float | None = None, successor: bool = False) -> bool:
        """Stops in order; a second call does nothing. Cancelled, it stops without waiting.

        Args:
            window_s: Over how many seconds to spread the closes, instead of `drain_window_s`.
            successor: Another process accepts on the same sockets: WebSockets are closed with
                1012, and what waits in the queues is left to it.

        Returns:
            Whether everybody had left when `shutdown_timeout_s` was over.
        """
        if self._host is None or self._state == "draining":
            return True
        self._state = "draining"
        engine, settings = self._host.engine, self._host.settings
        code, reason = GOING_AWAY, "server is shutting down"
        if successor:
            code, reason = RESTARTING, "server is being replaced"
        longest_s = settings.drain_window_s if window_s is None else window_s
        try:
            # A queue that ends with us is emptied first; any other is somebody else's to serve.
            ends = not successor and any(not one.is_shared for one in self._sockets.bound)
            engine.stop_listening(group=0, accept_waiting=ends)
            for one in self.all_sockets:
                one.keep_files |= successor
            self._sockets.close()
            if successor and self._admin is not None:
                # The successor answers there; in its queue nobody shall meet us.
                self._admin.close()
            return await drain(engine, code, reason, longest_s, settings.shutdown_timeout_s)
        except BaseException:
            engine.drop_accepted()
            engine.cancel_handlers()
            raise
        finally:
            await self._stop()

    def _accept(self, engine: Engine) -> tuple[str, ...]:
        addresses: list[str] = []
        urls: list[str] = []
        for one in self._sockets.bound:
            wanted = one.settings
            context = self._certificates.context(wanted.tls)
            try:
                bound = engine.listen(
                    one.lend(),
                    backlog=wanted.backlog,
                    tls=context,
                    proxy_protocol=wanted.proxy_protocol,
                )
            except OSError as error:
                raise CannotListen(one.key, error) from None
            addresses.append(bound)
            urls.append(address.url_of(bound, "http" if context is None else "https"))
        self._urls = tuple(urls)
        return tuple(addresses)

    async def _stop(self) -> None:
        host, self._host = self._host, None
        self._sockets.close()
        self._certificates.unwatch()
        try:
            await self._modules.stop()
        finally:
            self._state = "stopped"
            if self._admin is not None:
                self._admin.close()
            if self._lines is not None:
                self._lines.close()
                self._lines = None
            if host is not None:
                host.reports.listener = None
                host.release()


def listen_settings(
    host: str = "127.0.0.1",
    port: int = 8000,
    uds: str | None = None,
    fd: int | None = None,
    backlog: int = 4096,
    tls: TlsSettings | None = None,
) -> ListenSettings:
    """Where to listen, as arguments and flags say it.

    Raises:
        Misuse: They contradict each other, or are none.
    """
    if uds is not None and fd is not None:
        raise Misuse("give a Unix socket or a descriptor, not both")
    if not 0 <= port <= 65_535:
        raise Misuse(f"not a port: {port}")
    if uds is not None:
        bind = f"unix:{uds}"
    elif fd is not None:
        bind = f"fd:{fd}"
    else:
        bind = f"{address.bracketed(host.strip('[]'))}:{port}"
    return ListenSettings(bind=bind, backlog=backlog, tls=tls)


def serve(
    app: App,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    uds: str | None = None,
    fd: int | None = None,
    backlog: int = 4096,
    tls: TlsSettings | None = None,
    settings: ServerSettings | None = None,
) -> Server:
    """Serves an app inside the running event loop, asyncio's or uvloop's.

    For example::

        async with hubbub.serve(app, port=0) as server:
            print(server.url)
            await asyncio.Event().wait()

    Args:
        app: What to serve.
        host: Address or name to listen on.
        port: 0: a free one, see `Server.url`.
        uds: Path of a Unix socket to listen on instead.
        fd: Number of an inherited listening socket to use instead.
        backlog: How many connections the kernel may hold ready.
        tls: Certificate and key, for https and wss.
        settings: Limits, deadlines, compression.

    Raises:
        Misuse: The arguments contradict each other.
    """
    return Server(Modules.of(app), [listen_settings(host, port, uds, fd, backlog, tls)], settings)
