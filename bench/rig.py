"""Servers and the load generator as child processes, each on its own processor.

Knows how to start, measure and stop; not what is compared with what (see `run` and `peers`).
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hubbub.certificate import dev_certificate

ROOT = Path(__file__).resolve().parent.parent
SERVER_CPU = 0
CLIENT_CPU = 1
START_TIMEOUT_S = 15.0
RUN_TIMEOUT_S = 180.0
CERTIFICATE = ROOT / ".stamps/certificate"
"""One for all servers that speak TLS; the load generator believes anybody."""

Figures = dict[str, Any]


class Unmeasured(Exception):
    """A server did not start, or the load generator refused to report; the text tells why."""


@dataclass(frozen=True)
class Server:
    """How to start one server."""

    name: str
    command: Callable[[int, bool], Sequence[str]]
    """The command line for a port and for permessage-deflate on or off."""
    echo: str = "/echo"
    fan: str = "/fan"
    deflates: bool = True
    tls: Callable[[str, str], Sequence[str]] | None = None
    """What its command line says besides for TLS, with the files of a certificate and its key."""
    cpus: frozenset[int] = frozenset({SERVER_CPU})
    """Where it may run."""
    env: Mapping[str, str] = field(default_factory=dict)


class Running:
    """A started server, stopped at the end of the `with` block."""

    def __init__(self, server: Server, *, deflate: bool = False, tls: bool = False) -> None:
        self.server = server
        self.port = free_port()
        self.scheme = "wss" if tls else "ws"
        self.command = [str(word) for word in server.command(self.port, deflate)]
        if tls:
            if server.tls is None:
                raise Unmeasured("is not set up for TLS here")
            self.command += server.tls(*dev_certificate(CERTIFICATE))

    def __enter__(self) -> Self:
        # A child begins where its parent is. Its output is kept: a server that does not start is
        # asked why.
        mine = os.sched_getaffinity(0)
        os.sched_setaffinity(0, self.server.cpus)
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**os.environ, **self.server.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        os.sched_setaffinity(0, mine)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not accepts(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                output = self.process.stdout.read() if self.process.stdout else b""
                lines = output.decode(errors="replace").strip().splitlines() or ["no output"]
                raise Unmeasured(f"{self.server.name} does not start: {lines[-1]}")
            time.sleep(0.02)
        if len(self.server.cpus) > 1:
            place_threads(self.process.pid, sorted(self.server.cpus))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Asks the server to end, and ends it if it does not."""
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def measure(self, path: str, load: Sequence[str]) -> Figures:
        """Runs the load generator and returns its report."""
        command = [
            str(load_generator()),
            *load,
            "--json",
            f"--pin={CLIENT_CPU}",
            f"--server-pid={self.process.pid}",
            f"{self.scheme}://127.0.0.1:{self.port}{path}",
        ]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise Unmeasured(f"no result in {RUN_TIMEOUT_S:.0f} s") from None
        if done.returncode != 0:
            raise Unmeasured(done.stderr.strip().removeprefix("hubbub-bench: "))
        figures: Figures = json.loads(done.stdout)
        return figures


def place_threads(pid: int, cpus: Sequence[int]) -> None:
    """Gives each of the engine's threads a processor of its own, in turn.

    Left to the scheduler, a short burst is over before it has moved one of two to the other
    processor, if somebody else has a job there.
    """
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("hubbub-"):
            number = int(name.removeprefix("hubbub-")) - 1
            os.sched_setaffinity(int(task.name), {cpus[number % len(cpus)]})


def build() -> None:
    """Builds the load generator and the bare server."""
    packages = ["--package=hubbub-bench", "--package=hubbub-bare"]
    subprocess.run(
        ["cargo", "build", "--release", "--locked", "--quiet", *packages], cwd=ROOT, check=True
    )


def binaries() -> Path:
    """Where cargo puts what it builds."""
    return ROOT / os.environ.get("CARGO_TARGET_DIR", "target") / "release"


def load_generator() -> Path:
    """The load generator's binary."""
    return binaries() / "hubbub-bench"


def take_precedence() -> None:
    """Goes ahead of other jobs on this machine where that is allowed; the children inherit it.

    With autogroups the scheduler weighs sessions first and niceness only inside of them.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/autogroup").write_text("-10")
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -10)
    except OSError:
        print("other programs on this machine may disturb: no right to a higher priority")


def check_machine() -> None:
    """Two processors are the least: one for the server, one for the load."""
    if not {SERVER_CPU, CLIENT_CPU} <= os.sched_getaffinity(0):
        sys.exit(f"processors {SERVER_CPU} and {CLIENT_CPU} are needed, one for each side")


def machine() -> str:
    """One line about this machine, for the foot of a table."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    uname = os.uname()
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"{model[1] if model else uname.machine}, {os.cpu_count()} processors, "
        f"Linux {uname.release.split('-')[0]}, CPython {python}, {time.strftime('%Y-%m-%d')}"
    )


def free_port() -> int:
    """A port nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    """Whether somebody listens there now."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
