"""Engines and event loops: who runs whom.

Two ways, the same engine. In a loop of ours (`new_event_loop`) the engine is the selector. In a
loop that somebody else has made, asyncio's or uvloop's, its epoll descriptor is one more reader.
Knows nothing of applications (see `server`, `client`).
"""

import asyncio

from hubbub._core import Engine, WebSocket
from hubbub.config import ServerSettings
from hubbub.errors import Failure, Misuse
from hubbub.report import Reports
from hubbub.selector import EngineSelector


class EventLoop(asyncio.SelectorEventLoop):
    """A stock asyncio loop whose selector is an engine.

    Attributes:
        host: The engine with what belongs to it.
    """

    def __init__(self, host: "EngineHost") -> None:
        self.host = host
        super().__init__(EngineSelector(self.host.engine))
        self.host.engine.attach(self, nested=False)


class EngineHost:
    """An engine, its settings and its reports.

    Attributes:
        is_serving: Whether a server has put its routes on it: they stay, so one server at most.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.reports = Reports()
        try:
            self.engine = Engine(settings.native(), self.reports)
        except ValueError as error:
            raise Misuse(f"the engine does not know this setting: {error}") from None
        except (OSError, MemoryError) as error:  # ENOMEM is the latter
            raise Failure(f"the engine cannot start: {error}") from None
        self.is_serving = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def nest(self, loop: asyncio.AbstractEventLoop) -> None:
        """Joins a loop that runs already."""
        self.engine.attach(loop, nested=True)
        # Level-triggered: what a bounded batch leaves is told again in the loop's next turn.
        loop.add_reader(self.engine.fileno(), self.engine.drain)
        self._loop = loop

    def release(self) -> None:
        """Ends a nested engine; one that is a selector ends with its loop."""
        if self._loop is None:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(self.engine.fileno())
        self.engine.shutdown()
        self._loop = None


def new_event_loop(settings: ServerSettings | None = None) -> asyncio.AbstractEventLoop:
    """A new asyncio event loop with the engine as its selector.

    The fastest place to serve and connect from::

        with asyncio.Runner(loop_factory=hubbub.new_event_loop) as runner:
            runner.run(main())
    """
    return EventLoop(EngineHost(settings or ServerSettings()))


def host_for_server(loop: asyncio.AbstractEventLoop, settings: ServerSettings | None) -> EngineHost:
    """The engine that a new server uses: the loop's own if it is free and set alike."""
    if isinstance(loop, EventLoop):
        host = loop.host
        if not host.is_serving and settings in (None, host.settings):
            host.is_serving = True
            return host
    host = EngineHost(settings or ServerSettings())
    host.is_serving = True
    host.nest(loop)
    return host


class Lease:
    """The engine of a loop's client connections, kept while somebody uses it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, host: EngineHost) -> None:
        self.engine = host.engine
        self._loop = loop
        self._host = host
        self._users = 0
        self._watches: set[asyncio.Task[None]] = set()

    @staticmethod
    def of(loop: asyncio.AbstractEventLoop) -> "Lease":
        """The one of this loop; use it in a `with`."""
        lease = _leases.get(loop)
        if lease is None:
            if isinstance(loop, EventLoop):
                return Lease(loop, loop.host)
            lease = Lease(loop, EngineHost(ServerSettings()))
            lease._host.nest(loop)
            _leases[loop] = lease
        return lease

    def __enter__(self) -> "Lease":
        """Begins to use it."""
        self._users += 1
        return self

    def __exit__(self, *_: object) -> None:
        """The last one to do so ends a nested engine."""
        self._users -= 1
        if self._users == 0:
            _leases.pop(self._loop, None)
            self._host.release()

    def keep_until_closed(self, ws: WebSocket[None]) -> None:
        """Uses it as long as a connection lives; the end of the loop cancels that."""
        if self._loop not in _leases:
            return
        self.__enter__()
        watch = self._loop.create_task(_wait_closed(ws))
        self._watches.add(watch)
        watch.add_done_callback(self._forget)

    def _forget(self, watch: asyncio.Task[None]) -> None:
        self._watches.discard(watch)
        self.__exit__()


async def _wait_closed(ws: WebSocket[None]) -> None:
    await ws.wait_closed()


# A loop of ours needs no entry: its engine lives exactly as long. An entry leaves with its last
# user, at the latest when the ending loop cancels the watches.
_leases: dict[asyncio.AbstractEventLoop, Lease] = {}
