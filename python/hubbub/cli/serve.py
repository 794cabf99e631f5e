"""`hubbub serve`: the applications of a configuration, until a signal; without one, the chat."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hubbub import log
from hubbub.admin import Admin, add_upgrade
from hubbub.admin.reloading import add_reload
from hubbub.cli import flags
from hubbub.cli.configuration import folder_of, origin_of, read, with_dev_certificates
from hubbub.cli.mistake import BIND, IMPORT, Mistake
from hubbub.cli.options import Assigned, ConfigurationFile
from hubbub.config import AppSettings, Loaded, LogFormat, LogLevel
from hubbub.config.sources import Assignment, Given, Origin, Text
from hubbub.errors import CannotListen, Failure, Misuse, ModuleFailed
from hubbub.handover import predecessor
from hubbub.loop import EngineHost, EventLoop
from hubbub.modules import Modules
from hubbub.running import Program, run_program
from hubbub.server import Server


@flags.with_settings
def serve(
    *,
    config: ConfigurationFile = None,
    assigned: Assigned = (),
    bind: Annotated[
        tuple[str, ...], Parameter(metavar="ADDRESS", negative=(), show_default=False)
    ] = (),
    log_level: LogLevel | None = None,
    log_format: LogFormat | None = None,
    access_log: Annotated[bool | None, Parameter(negative="--no-access-log")] = None,
    strict: Annotated[bool, Parameter(negative=(), show_default=False)] = False,
    settings: object = flags.Flags(),
) -> int:
    """Serve the applications of a configuration; without one, the chat at 127.0.0.1:8000.

    A flag comes before --set, that before the environment (HUBBUB__SERVER__THREADS=2), and that
    before the file.

    Parameters
    ----------
    bind
        Where to listen, instead of all [[listen]]: HOST:PORT, unix:PATH, fd:N or systemd[:NAME];
        may be repeated.
    log_level
        What is worth a line.
    log_format
        How lines look; auto: in colour on a terminal, JSON elsewhere.
    access_log
        Write a line for each request, and for each WebSocket that opens and closes.
    strict
        Do not serve if an application cannot run; otherwise the others do.
    """
    given = [*flags.assignments(settings), *_listeners(bind)]
    logging = {"level": log_level, "format": log_format, "access": access_log}
    for key, value in logging.items():
        if value is not None:
            flag = "--access-log" if key == "access" else f"--log-{key}"
            given.append((("log", key), Given(value, Origin(flag))))
    loaded = read(config, assigned, given)
    told = with_dev_certificates(loaded.configuration)
    log.configure(told.log)
    try:
        # Who replaces another one serves all that it served, or does not replace it.
        modules = _modules(loaded, config, strict=strict or predecessor().is_there)
        modules.prepare()
        admin = Admin(told.admin, storage=told.storage.path)
        server = Server(modules, told.listen, told.server, admin=admin)
        program = Program(server, modules.reload_changed)
        add_upgrade(admin, program.upgrade)
        add_reload(admin, modules)
        loop = EventLoop(EngineHost(told.server))
    except ModuleFailed as failed:
        raise Mistake(str(failed), IMPORT) from failed.__cause__
    except Misuse as error:
        raise Mistake(str(error)) from None
    try:
        return run_program(program.run(), loop, modules.blame)
    except CannotListen as error:
        raise Mistake(str(error), BIND) from None
    except ModuleFailed as failed:
        raise Mistake(str(failed), IMPORT) from failed.__cause__
    except Misuse as error:
        raise Mistake(str(error), IMPORT) from None
    except Failure:
        raise
    except Exception:
        if server.addresses:
            raise
        # No mistake of usage but a fault in a program: its author wants to see where.
        log.logger.exception("an application did not start")
        raise Mistake("an application did not start", IMPORT) from None


_CHAT = "hubbub.bridges.chat:app"


def _listeners(binds: tuple[str, ...]) -> list[Assignment]:
    origin = Origin("--bind")
    tables = [Given({"bind": Given(Text(one), origin)}, origin) for one in binds]
    return [(("listen",), Given(tables, origin))] if tables else []


def _modules(loaded: Loaded, file: Path | None, *, strict: bool) -> Modules:
    apps = loaded.configuration.apps
    if not apps:
        database = Path(loaded.configuration.storage.path) / "chat.sqlite3"
        return Modules([AppSettings(_CHAT, config={"database": str(database)})], strict=True)

    def origin(label: str, key: tuple[str | int, ...]) -> str:
        return origin_of(loaded, file, [one.label for one in apps].index(label), key)

    return Modules(
        apps,
        folder_of(file),
        strict=strict,
        handover_timeout_s=loaded.configuration.server.handover_timeout_s,
        upgrade_timeout_s=loaded.configuration.server.upgrade_timeout_s,
        origin=origin,
    )
