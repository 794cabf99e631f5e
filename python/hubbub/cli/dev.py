"""`hubbub dev`: like `run`, and starts anew when a file changes.

The app runs in a child process; the listening socket is the parent's and handed down, so a browser
that reloads meanwhile waits instead of being refused.
"""

import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from hubbub import address
from hubbub.cli import flags
from hubbub.cli.load import home_of
from hubbub.cli.mistake import BIND, Mistake
from hubbub.config import LogFormat, LogLevel

_STOP_TIMEOUT_S = 5.0


@flags.with_settings
def dev(
    target: str,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    app_dir: Path = Path(),
    reload_dir: list[Path] | None = None,
    log_level: LogLevel = "info",
    log_format: LogFormat = "auto",
    access_log: bool = True,
    settings: object = flags.Flags(),
) -> None:
    """Serve one app and start it anew when a file changes.

    Parameters
    ----------
    target
        FILE.py:app or package.module:app
    host
        Address to listen on.
    port
        Port to listen on; 0: a free one.
    app_dir
        Where modules are looked for first.
    reload_dir
        What is watched, instead of the app's own folder.
    log_level
        What is worth a line.
    log_format
        How lines look; auto: in colour on a terminal, JSON elsewhere.
    access_log
        Write a line for each request, and for each WebSocket that opens and closes.
    """
    import watchfiles

    signal.signal(signal.SIGTERM, _interrupt)
    flags.parsed(settings)
    watched = reload_dir or [home_of(target, app_dir)]
    for folder in watched:
        if not folder.exists():
            raise Mistake(f"no such folder: {folder}")
    with _listening(host, port) as listener:
        command = [
            *(sys.executable, "-m", "hubbub", "run", target, "--fd", str(listener.fileno())),
            *("--app-dir", str(app_dir), "--log-level", log_level, "--log-format", log_format),
            "--access-log" if access_log else "--no-access-log",
            *flags.arguments(settings),
        ]
        host, port = listener.getsockname()[:2]
        _say(f"serving on {address.url_of(address.tcp_address(host, port), 'http')}")
        child = subprocess.Popen(command, pass_fds=(listener.fileno(),))
        try:
            for changes in watchfiles.watch(*watched):
                names = sorted({Path(path).name for _, path in changes})
                _say(f"changed: {', '.join(names[:3])}{' …' if len(names) > 3 else ''}")
                _stop(child)
                child = subprocess.Popen(command, pass_fds=(listener.fileno(),))
        except KeyboardInterrupt:
            pass
        finally:
            _stop(child)


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), port))
            listener.listen(4096)
        except (OSError, OverflowError) as error:
            raise Mistake(f"cannot listen on {host}:{port}: {error}", BIND) from None
        yield listener


def _stop(child: "subprocess.Popen[bytes]") -> None:
    # As ctrl-c does: nobody waits for a leave-taking.
    child.send_signal(signal.SIGINT)
    # The terminal's ctrl-c has reached the child as well; it needs its moment either way.
    with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        child.wait(_STOP_TIMEOUT_S)
    if child.poll() is None:
        child.kill()
        child.wait()


def _interrupt(number: int, frame: object) -> None:
    """Makes of SIGTERM what ctrl-c is, so that the child is not left behind."""
    raise KeyboardInterrupt


def _say(what: str) -> None:
    print(f"hubbub dev: {what}", file=sys.stderr, flush=True)
