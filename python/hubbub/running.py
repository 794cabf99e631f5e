"""A server as the whole program: from its start to the exit code, with the signals in between.

One running server, wherever it lives, is `server`'s; what leave-taking means is `drain`'s.
"""

import asyncio
import signal
from contextlib import nullcontext
from types import TracebackType

from hubbub import address
from hubbub.app import App
from hubbub.assembly import OneApp
from hubbub.config import ServerSettings
from hubbub.log import logger
from hubbub.loop import EngineHost, EventLoop
from hubbub.server import Server, listen_settings
from hubbub.watchdog import Watchdog

DRAINED = 0
"""Exit code: it was told to stop, and everybody had left in time."""

FORCED = 5
"""Exit code: connections or handlers had not ended when `shutdown_timeout_s` was over."""

HURRIED = 6
"""Exit code: a second signal ended it without waiting."""


class Signals:
    """SIGINT and SIGTERM: the first one asks to stop, the second one to do so at once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._program = asyncio.current_task()
        self._first: asyncio.Future[signal.Signals] = self._loop.create_future()
        self._heard: list[signal.Signals] = []

    def __enter__(self) -> "Signals":
        """Begins to listen."""
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._loop.add_signal_handler(number, self._hear, number)
            except (RuntimeError, ValueError):
                # Only the main thread hears signals; elsewhere whoever started us ends us.
                break
            self._heard.append(number)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Listens no more."""
        for number in self._heard:
            self._loop.remove_signal_handler(number)

    @property
    def is_stopping(self) -> bool:
        """Whether one has come."""
        return self._first.done()

    async def stop(self) -> signal.Signals:
        """Waits for the first one; the second one cancels whoever listens."""
        return await asyncio.shield(self._first)

    def _hear(self, number: signal.Signals) -> None:
        if not self._first.done():
            self._first.set_result(number)
        elif self._program is not None:
            self._program.cancel()


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
        SystemExit: It has ended, but not everybody had left: 5 after `shutdown_timeout_s`, 6 after
            a second signal.
    """
    loop = EventLoop(EngineHost(settings or ServerSettings()))
    listen = [listen_settings(host, port, uds, fd, backlog)]
    code = run_server(Server(OneApp(app), listen, settings), loop)
    if code != DRAINED:
        raise SystemExit(code)


def run_server(server: Server, loop: EventLoop) -> int:
    """Runs a server as the only thing its loop does, until SIGINT or SIGTERM.

    Returns:
        The exit code: `DRAINED`, `FORCED` or `HURRIED`.
    """
    limit_s = loop.host.settings.blocked_warning_s
    watchdog = Watchdog(loop.host.engine.blocked_s, limit_s) if limit_s else nullcontext()
    with asyncio.Runner(loop_factory=lambda: loop) as runner, watchdog:
        return runner.run(_until_signalled(server))


async def _until_signalled(server: Server) -> int:
    with Signals() as signals:
        try:
            async with server:
                for one in server.addresses:
                    logger.info("serving on %s (ctrl-c to stop)", address.url_of(one, "http"))
                number = await signals.stop()
                logger.info("stopping: %d connections", server.stats().connections)
                # Whoever presses ctrl-c waits for the prompt; a supervisor has time.
                at_once = 0.0 if number == signal.SIGINT else None
                in_time = await server.close(window_s=at_once)
                return DRAINED if in_time else FORCED
        except asyncio.CancelledError:
            if not signals.is_stopping:
                raise
            logger.warning("stopped without waiting")
            return HURRIED
