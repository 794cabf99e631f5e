"""All modules of a server: started, stopped, reloaded; those that fail are fenced."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType

from hubbub._core import Engine
from hubbub.app import App
from hubbub.config import AppSettings, ServerSettings
from hubbub.errors import Misuse, ModuleFailed
from hubbub.log import logger
from hubbub.modules.loading import app_of
from hubbub.modules.module import Loader, Module, ModuleStats, Reloaded, as_failed, cause_of
from hubbub.modules.mounts import checked
from hubbub.modules.source import Code, Source

Origin = Callable[[str, tuple[str | int, ...]], str]


@dataclass(frozen=True)
class RouteInfo:
    """One route of a module, for those who want to see."""

    method: str
    """An HTTP method; "WS" for a WebSocket."""

    path: str
    """Its pattern, with the mount."""

    kind: str
    """"message", "websocket" or "http"."""

    module: str
    hosts: tuple[str, ...]
    """The names it answers to; none: every name."""

    places: tuple[str, ...]
    """"FILE:LINE" of each function that handles it, as far as that is known."""


class Modules:
    """What a server serves.

    Each module has a place, a configuration and topics of its own. One that fails to import, to be
    configured or to start is reported and fenced, and the others run.
    """

    def __init__(
        self,
        apps: Sequence[AppSettings],
        folder: Path | None = None,
        *,
        strict: bool = False,
        handover_timeout_s: float = ServerSettings.handover_timeout_s,
        upgrade_timeout_s: float = ServerSettings.upgrade_timeout_s,
        origin: Origin | None = None,
    ) -> None:
        """Prepares them; imports nothing yet.

        Args:
            apps: Which; at least one.
            folder: Where their code is seen from; None: here.
            strict: One that fails keeps the server from starting.
            handover_timeout_s: How long a reload waits for handlers of the old version.
            upgrade_timeout_s: How long one waits for the lifespan of the new version to begin.
            origin: Tells where a module, or a key of its configuration, is declared: "FILE:LINE".

        Raises:
            Misuse: Two have the same name, or are mounted at the same place.
        """
        home = folder or Path()
        self._modules = {
            settings.label: Module(number, settings, _loader(settings, home, origin))
            for number, settings in enumerate(checked(apps), 1)
        }
        self._strict = strict
        self._timeouts_s = handover_timeout_s, upgrade_timeout_s
        self._engine: Engine | None = None

    @classmethod
    def of(cls, app: App) -> "Modules":
        """One app as the only module; what keeps it from running is raised as it is."""
        modules = cls([], strict=True)

        def load() -> tuple[App, Code | None]:
            return app, None

        modules._modules["app"] = Module(1, AppSettings("app"), load)
        return modules

    @property
    def all(self) -> tuple[Module, ...]:
        """Every module, in the order of the configuration."""
        return tuple(self._modules.values())

    def prepare(self) -> None:
        """Imports and configures them, before there is an event loop that this would hold up.

        Raises:
            ModuleFailed: With `strict`, one cannot be; otherwise `start` deals with it.
        """
        for module in self.all:
            try:
                module.prepare()
            except ModuleFailed:
                if self._strict:
                    raise

    def load(self, engine: Engine, loop: asyncio.AbstractEventLoop) -> None:
        """Says on which engine they will be."""
        self._engine = engine

    async def start(self) -> None:
        """Starts them, one after the other.

        Raises:
            ModuleFailed: None can run; with `strict`, one cannot.
            Exception: Of an app given to `of`: whatever was in the way.
        """
        if self._engine is None:
            raise Misuse("there is no engine to start on")
        failures: list[tuple[ModuleFailed, BaseException | None]] = []
        for module in self.all:
            try:
                await module.start(self._engine)
            except Exception as error:
                if self._strict:
                    raise
                failures.append((as_failed(module.name, error), cause_of(error)))
        is_lost = bool(failures) and len(failures) == len(self._modules)
        for number, (failed, cause) in enumerate(failures):
            # What is raised below is told by whoever catches it.
            if number or cause is not None or not is_lost:
                text = "module %s is fenced: %s"
                logger.error(text, failed.module, failed.reason, exc_info=cause)
        if is_lost:
            raise failures[0][0]

    async def stop(self) -> None:
        """Stops them, the last one first; also after a `start` that failed."""
        errors: list[Exception] = []
        for module in reversed(self.all):
            try:
                await module.stop()
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
        if len(errors) == 1:
            raise errors[0]
        if errors:
            raise ExceptionGroup("modules that did not stop in order", errors)

    async def reload(self, name: str) -> Reloaded:
        """Puts a new version of a module in the place of the one that runs.

        Open connections go over to it; none is closed but those whose endpoint is gone.

        Raises:
            ModuleFailed: The new version cannot run; the old one goes on.
            Misuse: There is no such module.
        """
        module = self._modules.get(name)
        if module is None:
            known = ", ".join(self._modules) or "none"
            raise Misuse(f"there is no module {name!r}: known are {known}")
        return await module.reload(*self._timeouts_s)

    async def reload_changed(self) -> list[Reloaded | ModuleFailed]:
        """Reloads those whose files are not as they were; tells what became of each."""
        results: list[Reloaded | ModuleFailed] = []
        for module in self.all:
            if module.has_changed():
                try:
                    results.append(await module.reload(*self._timeouts_s))
                except ModuleFailed as failed:
                    results.append(failed)
        return results

    def stats(self) -> Mapping[str, ModuleStats]:
        """What each has done since the start."""
        engine = self._engine
        open_now: Mapping[int, int] = engine.observed()["websockets"] if engine else {}
        return {module.name: module.stats(open_now.get(module.number, 0)) for module in self.all}

    def routes(self) -> Iterator[RouteInfo]:
        """Every route of those that run."""
        for module in self.all:
            if module.version is None:
                continue
            for one in module.version.declarations:
                yield RouteInfo(
                    one.method if one.kind == "http" else "WS",
                    one.path,
                    one.kind,
                    module.name,
                    module.settings.hosts,
                    one.places,
                )

    def blame(self, frame: FrameType | None) -> str | None:
        """Whose code a stack is in, for the watchdog, which counts it. From any thread.

        Args:
            frame: The innermost one.

        Returns:
            The module and the handler it began in; None if it is in none.
        """
        found: tuple[Module, CodeType] | None = None
        while frame is not None:
            for module in self.all:
                if module.code is not None and module.code.has(frame.f_globals):
                    # The outermost frame of a module is the handler.
                    found = module, frame.f_code
            frame = frame.f_back
        if found is None:
            return None
        module, code = found
        module.blocked()
        return (
            f"module {module.name}, {code.co_qualname} ({code.co_filename}:{code.co_firstlineno})"
        )


def _loader(settings: AppSettings, folder: Path, origin: Origin | None) -> Loader:
    source = Source(settings.import_, folder)

    def load() -> tuple[App, Code | None]:
        try:
            code = source.load()
            return app_of(code.main, source.path, settings.config), code
        except ModuleFailed as failed:
            is_named = failed.key or settings.import_.partition(":")[0] in failed.reason
            reason = failed.reason if is_named else f"{settings.import_}: {failed.reason}"
            if origin is not None:
                reason = f"{origin(settings.label, failed.key)}: {reason}"
            raise ModuleFailed(settings.label, reason, failed.key) from failed.__cause__

    return load
