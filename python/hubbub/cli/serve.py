"""`hubbub serve`: the applications of a configuration, until a signal; without one, the demo."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hubbub import log
from hubbub.admin import Admin, add_upgrade
from hubbub.app import App
from hubbub.assembly import OneApp
from hubbub.cli import flags
from hubbub.cli.configuration import import_apps, read, with_dev_certificates
from hubbub.cli.mistake import BIND, IMPORT, Mistake
from hubbub.cli.options import Assigned, ConfigurationFile
from hubbub.config import Loaded, LogFormat, LogLevel
from hubbub.config.sources import Assignment, Given, Origin, Text
from hubbub.errors import CannotListen, Failure, Misuse
from hubbub.loop import EngineHost, EventLoop
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
    settings: object = flags.Flags(),
) -> int:
    """Serve the applications of a configuration; without one, a demo at 127.0.0.1:8000.

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
        Write a line for each WebSocket that opens and closes.
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
    modules = OneApp(_all(loaded, config))
    try:
        admin = Admin(told.admin, storage=told.storage.path)
        server = Server(modules, told.listen, told.server, admin=admin)
        program = Program(server)
        add_upgrade(admin, program.upgrade)
        loop = EventLoop(EngineHost(told.server))
    except Misuse as error:
        raise Mistake(str(error)) from None
    try:
        return run_program(program.run(), loop)
    except CannotListen as error:
        raise Mistake(str(error), BIND) from None
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


def _listeners(binds: tuple[str, ...]) -> list[Assignment]:
    origin = Origin("--bind")
    tables = [Given({"bind": Given(Text(one), origin)}, origin) for one in binds]
    return [(("listen",), Given(tables, origin))] if tables else []


def _all(loaded: Loaded, file: Path | None) -> App:
    root = App()
    apps = import_apps(loaded, file)
    for app, settings in zip(apps, loaded.configuration.apps, strict=True):
        if settings.hosts:
            raise Mistake(f"{settings.label}: hosts are not told apart yet")
        root.mount(settings.mount, app)
    if apps:
        return root
    from hubbub import demo

    return demo.app
