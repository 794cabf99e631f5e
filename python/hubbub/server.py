"""Serving an app: inside a running event loop (`serve`), or as the whole program (`run`).

Owns the listeners and the order of starting and stopping. Handlers are the engine's to call.
"""

import asyncio
import os
import signal
import socket
from contextlib import nullcontext
from types import TracebackType

from hubbub import address
from hubbub._core import Engine
from hubbub.app import App
from hubbub.assembly import Assembly
from hubbub.config import ServerSettings
from hubbub.errors import CannotListen, Misuse
from hubbub.log import logger
from hubbub.loop import EngineHost, EventLoop, host_for_server
from hubbub.report import Listener
from hubbub.stats import Stats
from hubbub.watchdog import Watchdog

_DRAIN_STEP_S = 0.01


class Server:
    """A server of one app; made by `serve`, runs inside its `async with`.

    It stops in this order: no new connections, WebSockets are closed with 1001 and their handlers
    waited for, tasks and timers are cancelled, lifespans are left. So a handler never sees what a
    lifespan has put away already.
    """

    def __init__(
        self,
        app: App,
        listen: "Listen",
        settings: ServerSettings | None,
        listener: Listener | None = None,
    ) -> None:
        self._app = app
        self._listen = listen
        self._settings = settings
        self._listener = listener
        self._host: EngineHost | None = None
        self._assembly: Assembly | None = None
        self._addresses: tuple[str, ...] = ()

    async def __aenter__(self) -> "Server":
        """Starts it.

        Raises:
            Misuse: The app cannot be served as it is declared.
            CannotListen: An address cannot be bound.
        """
        loop = asyncio.get_running_loop()
        host = self._host = host_for_server(loop, self._settings)
        host.reports.listener = self._listener
        try:
            self._assembly = Assembly(self._app, host.engine, loop)
            await self._assembly.start()
            self._addresses = self._bind(host.engine, await self._listen.addresses(loop))
        except BaseException:
            await self._stop()
            raise
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
    def addresses(self) -> tuple[str, ...]:
        """Where it listens: "tcp://127.0.0.1:8000", "unix:/path"."""
        return self._addresses

    @property
    def url(self) -> str:
        """Where a browser finds it: "http://127.0.0.1:8000". `hubbub.connect` takes it, too."""
        return address.url_of(self._addresses[0], "http")

    @property
    def ws_url(self) -> str:
        """Where a WebSocket client finds it: "ws://127.0.0.1:8000"."""
        return address.url_of(self._addresses[0], "ws")

    def stats(self) -> Stats:
        """Counters since the start and gauges of now.

        Raises:
            Misuse: The server is not running.
        """
        if self._host is None:
            raise Misuse("the server is not running")
        return Stats.of(self._host.engine.stats())

    async def close(self) -> None:
        """Stops in order, and waits for connections as long as `shutdown_timeout_s` says.

        A second call does nothing. Cancelled, it goes on with the next step at once.
        """
        if self._host is None:
            return
        engine, timeout_s = self._host.engine, self._host.settings.shutdown_timeout_s
        try:
            engine.stop_listening()
            engine.close_connections(1001, "server is shutting down")
            await _drained(engine, timeout_s)
        finally:
            await self._stop()

    def _bind(self, engine: Engine, wanted: list[str]) -> tuple[str, ...]:
        bound: list[str] = []
        for one in wanted:
            # With port 0 the first address chooses, the others follow.
            follows = bool(bound) and one.endswith(":0")
            exact = one[:-1] + str(address.port_of(bound[0])) if follows else one
            try:
                bound.append(engine.listen(exact, backlog=self._listen.backlog))
            except OSError as error:
                raise CannotListen(exact, error) from None
        return tuple(bound)

    async def _stop(self) -> None:
        host, self._host = self._host, None
        try:
            if self._assembly is not None:
                await self._assembly.stop()
        finally:
            if host is not None:
                host.reports.listener = None
                host.release()


async def _drained(engine: Engine, timeout_s: float) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + timeout_s
    # Once in a server's life: not worth a callback from the engine.
    while engine.accepted and loop.time() < end:  # noqa: ASYNC110
        await asyncio.sleep(_DRAIN_STEP_S)
    if left := engine.accepted:
        logger.warning("%d connections did not end in time", left)


class Listen:
    """Where to listen: host and port, or a Unix socket, or an inherited descriptor."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 8000,
        uds: str | None = None,
        fd: int | None = None,
        backlog: int = 4096,
    ) -> None:
        if uds is not None and fd is not None:
            raise Misuse("give a Unix socket or a descriptor, not both")
        if not 0 <= port <= 65_535:
            raise Misuse(f"not a port: {port}")
        self.backlog = backlog
        self._host = host.strip("[]")
        self._port = port
        self._uds = uds
        self._fd = fd

    async def addresses(self, loop: asyncio.AbstractEventLoop) -> list[str]:
        """As the engine spells them, names resolved.

        Raises:
            OSError: The name is not known, the descriptor not open.
        """
        if self._uds is not None:
            return [f"unix:{self._uds}"]
        if self._fd is not None:
            # A copy: the engine closes what it is given, and this one belongs to the caller.
            return [f"fd:{os.dup(self._fd)}"]
        if address.is_ip(self._host):
            return [address.tcp_address(self._host, self._port)]
        found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        hosts = dict.fromkeys(str(place[0]) for _, _, _, _, place in found)
        return [address.tcp_address(host, self._port) for host in hosts]


def serve(
    app: App,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    uds: str | None = None,
    fd: int | None = None,
    backlog: int = 4096,
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
        settings: Limits, deadlines, compression.

    Raises:
        Misuse: The arguments contradict each other.
    """
    return Server(app, Listen(host, port, uds, fd, backlog), settings)


def run(
    app: App,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    uds: str | None = None,
    fd: int | None = None,
    backlog: int = 4096,
    settings: ServerSettings | None = None,
) -> None:
    """Serves an app until SIGINT or SIGTERM; a second signal ends it without waiting.

    The loop is asyncio's own with the engine as its selector. Arguments are those of `serve`.

    Raises:
        Misuse: The app cannot be served as it is declared.
        CannotListen: An address cannot be bound.
    """
    loop = EventLoop(EngineHost(settings or ServerSettings()))
    run_server(Server(app, Listen(host, port, uds, fd, backlog), settings), loop)


def run_server(server: Server, loop: EventLoop) -> None:
    """Runs a server as the only thing its loop does, until SIGINT or SIGTERM."""
    limit_s = loop.host.settings.blocked_warning_s
    watchdog = Watchdog(loop.host.engine.blocked_s, limit_s) if limit_s else nullcontext()
    with asyncio.Runner(loop_factory=lambda: loop) as runner, watchdog:
        runner.run(_until_signalled(server))


async def _until_signalled(server: Server) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    program = asyncio.current_task()

    def stop() -> None:
        if stopping.is_set() and program is not None:
            program.cancel()
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except (RuntimeError, ValueError):
            # Only the main thread hears signals; elsewhere whoever started us ends us.
            break
    try:
        async with server:
            for one in server.addresses:
                logger.info("serving on %s (ctrl-c to stop)", address.url_of(one, "http"))
            await stopping.wait()
            logger.info("stopping: %d connections", server.stats().connections)
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
        logger.warning("stopped without waiting")
