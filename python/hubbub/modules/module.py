"""One application module: the version of it that runs, and how the next one takes its place.

A module that cannot run is fenced: its place answers 503, and everything else goes on. What all
modules have in common is `modules`'s.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hubbub._core import Engine, Request, Route
from hubbub.app import App
from hubbub.assembly import Assembly, Placed, Site
from hubbub.config import AppSettings
from hubbub.errors import Failure, Misuse, ModuleFailed
from hubbub.http import Encoded
from hubbub.log import logger
from hubbub.modules.source import Code, changed_at, told

State = Literal["loading", "running", "fenced", "stopped"]
"""Where a module stands; only "running" ones answer."""

RETRY_AFTER_S = 5
"""What a fenced module's place tells those who ask."""

PORTION = 256
"""How many connections go over before others have their turn: a few milliseconds."""

SLOW_START_S = 10.0
"""When it is said that a lifespan has not begun: nothing else tells what a start waits for."""

PARTING_S = 2.0
"""How long lifespans of old versions that are being left may take when the module is stopped."""

STEP_S = 0.01
"""How often it is looked whether the last old handler has ended."""

Loader = Callable[[], tuple[App, Code | None]]


@dataclass(frozen=True)
class ModuleStats:
    """What a module has done since the start, all versions together."""

    connections: int = 0
    """WebSockets open now."""

    requests: int = 0
    """Requests that its handlers were called with."""

    messages: int = 0
    """Messages that were given to its handlers."""

    errors: int = 0
    """Exceptions in its handlers."""

    busy_s: float = 0.0
    """Seconds spent in calls of its handlers, as far as they were timed."""

    blocked: int = 0
    """Times that it held up the event loop for longer than `blocked_warning_s`."""

    reloads: int = 0
    """Times that a new version took over."""

    behind: int = 0
    """Handlers of older versions that have not ended."""

    def __add__(self, other: "ModuleStats") -> "ModuleStats":
        """Both together."""
        return ModuleStats(
            self.connections + other.connections,
            self.requests + other.requests,
            self.messages + other.messages,
            self.errors + other.errors,
            self.busy_s + other.busy_s,
            self.blocked + other.blocked,
            self.reloads + other.reloads,
            self.behind + other.behind,
        )

    @classmethod
    def of(cls, version: Assembly) -> "ModuleStats":
        """What one version has done."""
        tallies = [(0, 0, 0, 0.0), *(route.tally for route, _, _ in version.routes)]
        requests, messages, errors, busy_s = (sum(column) for column in zip(*tallies, strict=True))
        return cls(
            requests=requests, messages=messages, errors=errors + version.errors, busy_s=busy_s
        )


@dataclass(frozen=True)
class Reloaded:
    """What a reload has come to."""

    module: str
    """Which."""

    connections: int
    """Open connections that went over to the new version."""

    behind: int
    """Handlers of the old one that had not come to wait for a message in time; they go on."""


class Module:
    """An application that is served, and can be reloaded.

    Attributes:
        settings: Where its code is, and where it stands.
        reason: Why it does not run, if so.
    """

    def __init__(self, number: int, settings: AppSettings, load: Loader) -> None:
        self.settings = settings
        self.reason = ""
        self.state: State = "loading"
        self._number = number
        self._load = load
        self._prepared: tuple[App, Code | None] | None = None
        self._unprepared: ModuleFailed | None = None
        self._version: Assembly | None = None
        self._code: Code | None = None
        self._seen: dict[Path, float] = {}
        self._past = ModuleStats()
        self._retiring: dict[asyncio.Task[None], Assembly] = {}
        self._turn = asyncio.Lock()
        self._engine: Engine | None = None

    @property
    def number(self) -> int:
        """What the engine calls it."""
        return self._number

    @property
    def name(self) -> str:
        """What logs, metrics and `hubbub reload` call it."""
        return self.settings.label

    @property
    def code(self) -> Code | None:
        """The code of the version that runs, if it was imported."""
        return self._code

    @property
    def version(self) -> Assembly | None:
        """The version that runs."""
        return self._version

    def stats(self, connections: int = 0) -> ModuleStats:
        """What it has done since the start.

        Args:
            connections: How many WebSockets it has now.
        """
        stats = self._past + ModuleStats(connections=connections)
        for version in self._retiring.values():
            stats += ModuleStats(behind=version.running) + ModuleStats.of(version)
        return stats if self._version is None else stats + ModuleStats.of(self._version)

    def blocked(self) -> None:
        """It has held up the loop. May be called by any thread."""
        self._past += ModuleStats(blocked=1)

    def has_changed(self) -> bool:
        """Whether a file of its code is not as it was when it was last imported, or may be so."""
        is_old = any(changed_at(file) != seen for file, seen in self._seen.items())
        # What could not be imported has no files that are known, and may have been mended.
        return is_old or self.state == "fenced"

    def prepare(self) -> None:
        """Imports and configures it: before there is an event loop that this would hold up.

        Raises:
            ModuleFailed: That is not possible; `start` raises it again.
        """
        try:
            self._prepared = self._load()
        except ModuleFailed as failed:
            self._unprepared = failed
            raise

    async def start(self, engine: Engine) -> None:
        """Starts it; imports and configures it, unless it is prepared.

        Raises:
            Exception: Whatever was in the way; its place answers 503 then.
        """
        self._engine = engine
        try:
            await self._take(engine, None)
        except BaseException as error:
            self._fence(engine, error)
            raise

    async def reload(self, timeout_s: float, within_s: float) -> Reloaded:
        """Puts a new version in the place of the one that runs, and no connection is closed for it.

        Args:
            timeout_s: How long to wait for handlers of the old one.
            within_s: How long the lifespan of the new one may take to begin.

        Raises:
            ModuleFailed: The new version cannot run; the old one goes on as if nothing had been.
            Misuse: The module was not imported from anywhere, or is not being served.
        """
        engine = self._engine
        if engine is None or self.state == "stopped":
            raise Misuse(f"{self.name}: the module is not being served")
        if self._version is not None and self._code is None:
            raise Misuse(f"{self.name}: the app was not imported, and cannot be a second time")
        async with self._turn:
            old = self._version
            try:
                count = await self._take(engine, within_s)
            except Exception as error:
                failed, cause = as_failed(self.name, error), cause_of(error)
                text = "module %s: the new version is refused: %s"
                logger.error(text, self.name, failed.reason, exc_info=cause)
                raise failed from cause
            self._past += ModuleStats(reloads=1)
            behind = 0 if old is None else await self._part_with(engine, old, timeout_s)
        if old is not None and not behind:
            await self._see_off(old, timeout_s)
        logger.info("module %s: reloaded, %d connections", self.name, count)
        return Reloaded(self.name, count, behind)

    async def stop(self) -> None:
        """Ends it, with what is left of older versions."""
        self.state = "stopped"
        for task, old in list(self._retiring.items()):
            if old.running:
                task.cancel()
        if self._retiring:
            _, late = await asyncio.wait(self._retiring, timeout=PARTING_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        version, self._version = self._version, None
        if version is not None:
            self._past += ModuleStats.of(version)
            await version.leave()

    async def _take(self, engine: Engine, within_s: float | None) -> int:
        """Makes a version and lets it serve; tells how many connections go over to it."""
        loop = asyncio.get_running_loop()
        old_code, owner = self._code, ""
        try:
            prepared, self._prepared = self._prepared, None
            unprepared, self._unprepared = self._unprepared, None
            if unprepared is not None:
                raise unprepared
            app, code = prepared or self._load()
            self._seen = code.files if code is not None else {}
            owner = f"module {self.name}" if code is not None else ""
            site = Site(self._number, self.settings.mount, self.settings.hosts, owner)
            version = Assembly(app, engine, loop, site)
            await self._enter(version, within_s)
            try:
                # So that this is not within the engine's batch, where handlers are half done.
                await asyncio.sleep(0)
                if self._version is not None:
                    version.take_over(self._version)
                count = version.serve()
            except BaseException:
                await version.leave()
                raise
        except BaseException as error:
            if old_code is not None:
                old_code.restore()
            if isinstance(error, SystemExit) and owner:
                # One that was given is the program's own, and may end it.
                raise ModuleFailed(self.name, told(error)) from error
            raise
        version.begin()
        self._version, self._code = version, code
        self.state, self.reason = "running", ""
        return count

    async def _enter(self, version: Assembly, within_s: float | None) -> None:
        """Enters the lifespans; says so if that takes long, and ends it in time."""
        loop = asyncio.get_running_loop()
        text = "module %s: its lifespan has not begun within %g s"
        warning = loop.call_later(SLOW_START_S, logger.warning, text, self.name, SLOW_START_S)
        deadline = asyncio.timeout(within_s)
        try:
            async with deadline:
                await version.enter()
        except TimeoutError:
            if not deadline.expired():
                raise
            told = f"its lifespan has not begun within {within_s:g} s"
            raise ModuleFailed(self.name, told) from None
        finally:
            warning.cancel()

    async def _part_with(self, engine: Engine, old: Assembly, timeout_s: float) -> int:
        """Lets connections go over, and begins to leave the old version; how many of it stay."""
        await old.rest()
        while engine.hand_over(PORTION):  # noqa: ASYNC110 - each call goes on with the work
            await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while old.running and loop.time() < end:  # noqa: ASYNC110 - not worth an event each
            await asyncio.sleep(STEP_S)
        behind = old.running
        if behind:
            logger.warning(
                "module %s: %d handlers of the old version have not come to wait for a message "
                "within %g s and go on with it",
                self.name,
                behind,
                timeout_s,
            )
        task = loop.create_task(self._retire(old))
        self._retiring[task] = old
        return behind

    async def _see_off(self, old: Assembly, timeout_s: float) -> None:
        """Waits until an old version has been left; the next reload does not wait for that."""
        tasks = [task for task, version in self._retiring.items() if version is old]
        if tasks and (await asyncio.wait(tasks, timeout=timeout_s))[1]:
            text = "module %s: the lifespan of the old version has not ended within %g s"
            logger.warning(text, self.name, timeout_s)

    async def _retire(self, old: Assembly) -> None:
        try:
            # As often as it takes: handlers end with their connections at the latest.
            while old.running:  # noqa: ASYNC110
                await asyncio.sleep(STEP_S)
        finally:
            try:
                await old.leave()
            except (Exception, SystemExit):
                logger.exception("module %s: leaving the old version failed", self.name)
            finally:
                if task := asyncio.current_task():
                    self._retiring.pop(task, None)
                self._past += ModuleStats.of(old)

    def _fence(self, engine: Engine, error: BaseException) -> None:
        self.state = "fenced"
        self.reason = as_failed(self.name, error).reason
        engine.replace_routes(self._number, list(_fence(self._number, self.settings)))


def as_failed(name: str, error: BaseException) -> ModuleFailed:
    """What was in the way, in one line that names the module."""
    if isinstance(error, ModuleFailed):
        return ModuleFailed(name, error.reason, error.key)
    if isinstance(error, Failure | Misuse):
        return ModuleFailed(name, str(error))
    return ModuleFailed(name, told(error))


def cause_of(error: BaseException) -> BaseException | None:
    """The exception whose traceback helps: a message of ours says it all."""
    return error.__cause__ if isinstance(error, Failure | Misuse) else error


def _fence(number: int, settings: AppSettings) -> "list[Placed]":
    """Answers everything below a mount with 503 (RFC 9110 §15.6.4)."""

    def unavailable(request: Request) -> Encoded | Awaitable[Encoded]:
        fields = [
            ("retry-after", str(RETRY_AFTER_S)),
            ("content-type", "text/plain; charset=utf-8"),
        ]
        return 503, fields, b"not available now\n"

    bare = settings.mount.rstrip("/")
    paths = {bare or "/", bare + "/", bare + "/{*rest}"}
    return [
        (Route(path, "http", unavailable, method="*", module=number), 0, host)
        for path in sorted(paths)
        for host in settings.hosts or (None,)
    ]
