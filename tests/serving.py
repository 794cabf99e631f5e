"""A server of ours in a process of its own, for tests that must not share its loop.

Most tests need no process: `hubbub.testing.serve` runs an app inside the test.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes:
        address: Its `host:port`, on loopback, with a port the system picked.
        process: The process; with a wrapper, the wrapper's.
        log: What it writes to stdout and stderr.
    """

    address: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def served(
    app: str,
    *arguments: str,
    wrapper: Sequence[str] = (),
    command: Sequence[str] = (),
    pass_fds: Sequence[int] = (),
    expect: str = r"\b(127\.0\.0\.1:\d+)\s",
) -> Iterator[Served]:
    """Serves an app, as `hubbub run` names it, for as long as the context lasts.

    Args:
        app: `FILE.py:app`, relative to the project's root.
        arguments: Further flags of `hubbub run`.
        wrapper: A command that runs the server, such as a tracer.
        command: Another command line than that of `hubbub run`.
        pass_fds: Descriptors that it inherits.
        expect: What it writes when it serves; the group is its address.

    Raises:
        RuntimeError: It did not start; its own words are the message.
    """
    run = (sys.executable, "-m", "hubbub", "run", app, "--host", "127.0.0.1", "--port", "0")
    started = command or [*wrapper, *run, *arguments]
    with tempfile.TemporaryDirectory(prefix="hubbub-") as folder:
        log = Path(folder, "log")
        with log.open("wb") as sink:
            server = subprocess.Popen(
                started, cwd=ROOT, stdout=sink, stderr=subprocess.STDOUT, pass_fds=pass_fds
            )
        try:
            yield Served(_address(server, log, expect), server, log)
        finally:
            if wrapper:
                _terminate(server.pid)
            else:
                server.terminate()
            try:
                server.wait(timeout=STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _terminate(pid: int) -> None:
    """Asks the innermost process to end: a tracer would keep the signal to itself."""
    with suppress(FileNotFoundError, ProcessLookupError):
        os.kill(innermost(pid), signal.SIGTERM)


def innermost(pid: int) -> int:
    """The process that a wrapper runs, or the one itself."""
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(children[0])
    return pid


@contextmanager
def serving(app: str, *arguments: str, wrapper: Sequence[str] = ()) -> Iterator[str]:
    """The same, for those who only want its `host:port`."""
    with served(app, *arguments, wrapper=wrapper) as server:
        yield server.address


def _address(server: subprocess.Popen[bytes], log: Path, expect: str) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        # A line may be seen half written: the address must be followed by something.
        if found := re.search(expect, log.read_text(errors="replace")):
            return found[1]
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the server did not start: " + log.read_text(errors="replace"))
        time.sleep(0.01)
