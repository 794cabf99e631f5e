"""`hubbub run`: one app, served until a signal. Flags are spelled as uvicorn spells them."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from hubbub import log
from hubbub.admin import Admin, add_upgrade
from hubbub.admin.reloading import add_reload
from hubbub.cli import flags
from hubbub.cli.app_config import AppConfig, app_config
from hubbub.cli.mistake import BIND, IMPORT, Mistake
from hubbub.cli.ssl import SslFlags
from hubbub.config import (
    AdminSettings,
    AppSettings,
    ListenSettings,
    LogFormat,
    LogLevel,
    LogSettings,
)
from hubbub.errors import BadCertificate, CannotListen, Failure, Misuse, ModuleFailed
from hubbub.loop import EngineHost, EventLoop
from hubbub.modules import Modules
from hubbub.running import Program, run_program
from hubbub.server import Server, listen_settings


@flags.with_settings
def run(
    target: str,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    uds: Path | None = None,
    fd: int | None = None,
    bind: Annotated[list[str] | None, Parameter(negative=())] = None,
    backlog: int = 4096,
    ssl: Annotated[SslFlags | None, Parameter(name="*")] = None,
    app_dir: Path = Path(),
    app_config_values: AppConfig = (),
    log_level: LogLevel = "info",
    log_format: LogFormat = "auto",
    access_log: Annotated[bool, Parameter(negative="--no-access-log")] = False,
    admin: str = "off",
    watch: Annotated[list[Path] | None, Parameter(show=False)] = None,
    settings: object = flags.Flags(),
) -> int:
    """Serve one app.

    Parameters
    ----------
    target
        FILE.py:app or package.module:app
    host
        Address or name to listen on.
    port
        Port to listen on; 0: a free one.
    uds
        Unix socket to listen on instead.
    fd
        Inherited listening socket to use instead.
    bind
        Where to listen instead: HOST:PORT, unix:PATH, fd:N or systemd[:NAME]; more than once for
        several places.
    backlog
        How many connections the kernel may hold ready.
    app_dir
        Where modules are looked for first.
    log_level
        What is worth a line.
    log_format
        How lines look; auto: in colour on a terminal, JSON elsewhere.
    access_log
        Write a line for each request, and for each WebSocket that opens and closes.
    admin
        Where to tell health and metrics: HOST:PORT, unix:PATH, or auto, a Unix socket in the usual
        place.
    watch
        Folders whose changes are taken up at once; what `hubbub dev` runs.
    """
    log.configure(LogSettings(log_level, log_format, access_log))
    chosen = flags.parsed(settings)
    try:
        tls = None if ssl is None else ssl.settings()
        if bind:
            listen = [ListenSettings(bind=one, backlog=backlog, tls=tls) for one in bind]
        else:
            listen = [listen_settings(host, port, str(uds) if uds else None, fd, backlog, tls)]
        engine = EngineHost(chosen)
        beside = Admin(AdminSettings(admin))
    except (BadCertificate, Misuse) as error:
        raise Mistake(str(error)) from None
    modules = Modules(
        [AppSettings(target, config=app_config(app_config_values))],
        app_dir,
        strict=True,
        handover_timeout_s=chosen.handover_timeout_s,
        upgrade_timeout_s=chosen.upgrade_timeout_s,
    )
    serving = Server(modules, listen, chosen, admin=beside)
    program = Program(serving, modules.reload_changed, _watcher(modules, watch))
    add_upgrade(beside, program.upgrade)
    add_reload(beside, modules)
    try:
        modules.prepare()
        return run_program(program.run(), EventLoop(engine), modules.blame)
    except CannotListen as error:
        raise Mistake(str(error), BIND) from None
    except BadCertificate as error:
        raise Mistake(str(error)) from None
    except ModuleFailed as failed:
        raise Mistake(failed.reason, IMPORT) from failed.__cause__
    except Misuse as error:
        raise Mistake(f"{target}: {error}", IMPORT) from None
    except Failure:
        raise
    except Exception:
        if serving.addresses:
            raise
        # No mistake of usage but a fault in a program: its author wants to see where.
        log.logger.exception("%s did not start", target)
        raise Mistake(f"{target} did not start", IMPORT) from None


def _watcher(
    modules: Modules, folders: list[Path] | None
) -> Callable[[], Coroutine[Any, Any, str]] | None:
    if not folders:
        return None
    # Only here: nobody else needs what it imports.
    from hubbub.cli.watching import Watcher

    return Watcher(modules, folders).run
