"""`hubbub dev`: like `run`, and takes up new code as it is written.

The app runs in a child process, which reloads it in place where that is possible (`watching`).
Where it is not, or where the app does not even start, there is a next child. The listening socket
is the parent's and handed down, so a browser that reloads meanwhile waits and is not refused.
"""

import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from hubbub import address
from hubbub.cli import flags
from hubbub.cli.load import home_of
from hubbub.cli.mistake import BIND, Mistake
from hubbub.cli.ssl import SslFlags
from hubbub.config import LogFormat, LogLevel
from hubbub.errors import BadCertificate, Misuse
from hubbub.running import OUTDATED

_STOP_TIMEOUT_S = 5.0
_LOOK_MS = 200


@flags.with_settings
def dev(
    target: str,
    /,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    ssl: Annotated[SslFlags | None, Parameter(name="*")] = None,
    app_dir: Path = Path(),
    reload_dir: Annotated[list[Path] | None, Parameter(negative=())] = None,
    log_level: LogLevel = "info",
    log_format: LogFormat = "auto",
    access_log: Annotated[bool, Parameter(negative="--no-access-log")] = True,
    settings: object = flags.Flags(),
) -> None:
    """Serve one app, and take up its code as it changes; connections stay open.

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
    signal.signal(signal.SIGTERM, _interrupt)
    flags.parsed(settings)
    ssl = ssl or SslFlags()
    try:
        scheme = "http" if ssl.settings() is None else "https"
    except (BadCertificate, Misuse) as error:
        raise Mistake(str(error)) from None
    watched = reload_dir or [home_of(target, app_dir)]
    for folder in watched:
        if not folder.exists():
            raise Mistake(f"no such folder: {folder}")
    with _listening(host, port) as listener:
        command = [
            *(sys.executable, "-m", "hubbub", "run", target, "--fd", str(listener.fileno())),
            *("--app-dir", str(app_dir), "--log-level", log_level, "--log-format", log_format),
            "--access-log" if access_log else "--no-access-log",
            *(part for folder in watched for part in ("--watch", str(folder))),
            *ssl.arguments(),
            *flags.arguments(settings),
        ]
        host, port = listener.getsockname()[:2]
        _say(f"serving on {address.url_of(address.tcp_address(host, port), scheme)}")
        with suppress(KeyboardInterrupt):
            _serve(command, listener, watched)


def _serve(command: Sequence[str], listener: socket.socket, watched: Sequence[Path]) -> None:
    """Has a child serve; the next one, when it says so, or when it has ended and there is news."""
    import watchfiles

    from hubbub.cli.watching import watch_filter

    child = subprocess.Popen(command, pass_fds=(listener.fileno(),))
    try:
        # What changes while a child starts may be what it does not start for.
        is_news = False
        for changes in watchfiles.watch(
            *watched, watch_filter=watch_filter(), rust_timeout=_LOOK_MS, yield_on_timeout=True
        ):
            is_news |= bool(changes)
            code = child.poll()
            if code == OUTDATED or (code is not None and is_news):
                _say("starting anew")
                child, is_news = subprocess.Popen(command, pass_fds=(listener.fileno(),)), False
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
    if child.poll() is not None:
        return
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
