"""A server as the whole program: from its start to the exit code, and everything it answers to.

Signals, a supervisor (systemd), a predecessor, a successor. One running server, wherever it lives,
is `server`'s; what leave-taking means is `drain`'s.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from hubbub._core import prefer_short_slices
from hubbub.app import App
from hubbub.config import ServerSettings, TlsSettings
from hubbub.drain import LAST_WORDS_S, PATIENCE_S
from hubbub.errors import Failure
from hubbub.handover import Successor, command_line, predecessor
from hubbub.inheritance import received
from hubbub.log import logger
from hubbub.loop import EngineHost, EventLoop
from hubbub.modules import Modules
from hubbub.pid_file import PidFile
from hubbub.server import Server, listen_settings
from hubbub.signals import Signals
from hubbub.supervisor import Supervisor
from hubbub.watchdog import Blame, Watchdog

DRAINED = 0
"""Exit code: it was told to stop, and everybody had left in time."""

FORCED = 5
"""Exit code: connections or handlers had not ended when `shutdown_timeout_s` was over."""

HURRIED = 6
"""Exit code: a second signal ended it without waiting."""

OUTDATED = 7
"""Exit code: something has changed that only a new process can take up (`hubbub dev`)."""

_SLACK_S = 5.0
# For what an application does when its lifespans are left, before a supervisor loses patience.


class Program:
    """A process that is one server.

    SIGINT and SIGTERM end it, a second one at once. SIGUSR2 replaces it by a new process of the
    same command line, SIGHUP reloads, where there is something to reload: certificates, modules.
    """

    def __init__(
        self,
        server: Server,
        reload: Callable[[], Coroutine[Any, Any, object]] | None = None,
        watch: Callable[[], Coroutine[Any, Any, str]] | None = None,
    ) -> None:
        """Prepares it.

        Args:
            server: What it runs.
            reload: What SIGHUP asks for besides certificates. Where there is neither, SIGHUP ends
                the program, as always.
            watch: Runs beside it. When it returns, the program ends, for the reason it gives.
        """
        self._server = server
        self._settings = server.settings
        self._reload = reload
        self._watch = watch
        self._outdated = ""
        self._command = command_line()
        self._directory = Path.cwd()
        self._supervisor = Supervisor.read(os.environ, os.getpid())
        self._pid_file = PidFile(self._settings.pid_file)
        self._signals: Signals | None = None
        self._is_upgrading = False
        self._is_replaced = False
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> int:
        """Serves until it is asked to end.

        Returns:
            The exit code: `DRAINED`, `FORCED`, `HURRIED` or `OUTDATED`.

        Raises:
            Misuse: It cannot be served as it is declared.
            CannotListen: An address cannot be bound.
        """
        orders = {signal.SIGUSR2: self._order(self._try_upgrade)}
        if self._reload is not None or any(one.tls for one in self._server.listen):
            orders[signal.SIGHUP] = self._order(self._try_reload)
        with Signals(orders) as signals, self._pid_file:
            self._signals = signals
            try:
                if not await self._start(signals):
                    return DRAINED
                try:
                    return await self._serve(signals)
                finally:
                    await self._server.close()
            except asyncio.CancelledError:
                if not signals.is_ending():
                    raise
                logger.warning("stopped without waiting")
                return HURRIED
            finally:
                self._supervisor.end_watch()

    async def _start(self, signals: Signals) -> bool:
        """Starts the server; tells whether it has, or the end was asked for before."""
        loop = asyncio.get_running_loop()
        start = asyncio.timeout(None)

        def give_up() -> None:
            logger.info("stopping: the server had not started")
            start.reschedule(loop.time())

        try:
            async with start:
                with signals.when_ending(give_up):
                    await self._server.__aenter__()
        except TimeoutError:
            if not start.expired():
                raise
            return False
        return True

    async def _serve(self, signals: Signals) -> int:
        await self._begin()
        watching = self._begin_watch(signals)
        number = await signals.ending()
        watching.cancel()
        is_drained = await self._end(number)
        return OUTDATED if self._outdated else DRAINED if is_drained else FORCED

    async def upgrade(self) -> int:
        """Starts a new process with our listening sockets; once it serves, this one takes leave.

        Returns:
            The number of the new process.

        Raises:
            Failure: It does not serve, and nothing has changed; with its own words.
        """
        if self._signals is None or self._signals.is_ending() or self._is_upgrading:
            raise Failure("not now: another process is starting, or this one is ending")
        if os.getpid() == 1:
            raise Failure("process 1 cannot be replaced: its end is that of its container")
        self._is_upgrading = True
        try:
            sockets = [one for some in self._server.all_sockets for one in some.bound]
            numbers = [(one.key, one.socket.fileno()) for one in sockets]
            successor = Successor.start(self._command, self._directory, numbers)
            logger.info("upgrade: process %d is starting", successor.pid)
            await successor.ready(self._settings.upgrade_timeout_s)
            if self._signals.is_ending():
                await successor.abandon()
                raise Failure("stopped while the new process was starting")
        except Failure as error:
            logger.error("upgrade: nothing has changed: %s", error)
            raise
        finally:
            self._is_upgrading = False
        logger.info("upgrade: process %d has taken over", successor.pid)
        self._is_replaced = True
        self._pid_file.leave()
        self._supervisor.replaced(successor.pid)
        successor.let_go()
        self._signals.end()
        return successor.pid

    async def _begin(self) -> None:
        received().close_rest()
        urls = self._server.urls
        for url in urls:
            logger.info("serving on %s (ctrl-c to stop)", url)
        if await predecessor().relieve():
            # What it listened at is ours now, files of Unix sockets included.
            for sockets in self._server.all_sockets:
                sockets.keep_files = False
        self._pid_file.write()
        self._supervisor.begin_watch(asyncio.get_running_loop())
        self._supervisor.ready(f"serving on {', '.join(urls)}")

    def _begin_watch(self, signals: Signals) -> "asyncio.Future[None]":
        loop = asyncio.get_running_loop()
        if self._watch is None:
            return loop.create_future()

        async def watch(until: Coroutine[Any, Any, str]) -> None:
            self._outdated = await until
            logger.info("a new process is needed: %s", self._outdated)
            signals.end()

        return loop.create_task(watch(self._watch()))

    async def _end(self, number: signal.Signals | None) -> bool:
        count = self._server.stats().connections
        logger.info("stopping: %d connections", count)
        # Whoever presses ctrl-c waits for the prompt; a supervisor has time.
        is_awaited = number == signal.SIGINT or self._outdated
        window_s = 0.0 if is_awaited else self._settings.drain_window_s
        if not self._is_replaced:
            within_s = window_s + self._settings.shutdown_timeout_s
            within_s += PATIENCE_S + LAST_WORDS_S + _SLACK_S
            self._supervisor.stopping(f"closing {count} connections", within_s)
        return await self._server.close(window_s=window_s, successor=self._is_replaced)

    async def _try_upgrade(self) -> None:
        try:
            await self.upgrade()
        except Failure:
            # The log has it, and there is nobody else to tell.
            return

    async def _try_reload(self) -> None:
        self._supervisor.reloading()
        self._server.reload_certificates()
        try:
            if self._reload is not None:
                await self._reload()
        except Exception:
            logger.exception("reloading failed")
        self._supervisor.ready("serving")

    def _order(self, act: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        def order() -> None:
            task = asyncio.get_running_loop().create_task(act())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        return order


def run(
    app: App,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    uds: str | None = None,
    fd: int | None = None,
    backlog: int = 4096,
    tls: TlsSettings | None = None,
    settings: ServerSettings | None = None,
) -> None:
    """Serves an app until SIGINT or SIGTERM; a second signal ends it without waiting.

    The loop is asyncio's own with the engine as its selector. Arguments are those of `serve`.

    Raises:
        Misuse: The app cannot be served as it is declared.
        CannotListen: An address cannot be bound.
        SystemExit: It has ended, but not everybody had left: 5 after `shutdown_timeout_s`, 6 after
            a second signal.
    """
    settings = settings or ServerSettings()
    listen = [listen_settings(host, port, uds, fd, backlog, tls)]
    program = Program(Server(Modules.of(app), listen, settings))
    code = run_program(program.run(), EventLoop(EngineHost(settings)))
    if code != DRAINED:
        raise SystemExit(code)


def run_program(
    program: Coroutine[Any, Any, int], loop: EventLoop, blame: Blame | None = None
) -> int:
    """Runs a program as the only thing its loop does, watched for handlers that block.

    Args:
        program: What runs.
        loop: Where.
        blame: Tells whose code a stack is in.

    Returns:
        Its exit code.
    """
    # In somebody else's loop this would not be ours to ask for.
    prefer_short_slices()
    limit_s = loop.host.settings.blocked_warning_s
    watchdog = Watchdog(loop.host.engine, limit_s, blame) if limit_s else nullcontext()
    with asyncio.Runner(loop_factory=lambda: loop) as runner, watchdog:
        return runner.run(program)
