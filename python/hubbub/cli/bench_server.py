"""The server that `hubbub bench` measures when it is given none: a child, on a core of its own.

This module is also the app that the child serves.
"""

import http.client
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hubbub._core import WebSocket
from hubbub.app import App
from hubbub.cli.mistake import FAILED, Mistake
from hubbub.hub import Hub, HubLimits

_START_TIMEOUT_S = 10.0

app = App()
limits = HubLimits(command_rate=0, user_command_rate=0, publish_rate=0, user_publish_rate=0)
hub = Hub(app, allow_anonymous=True, limits=limits)
hub.channel("*", history_limit=100, subscribe="anyone", publish="anyone")


@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    """Answers each message with itself."""
    return msg


def join(ws: WebSocket[Any]) -> None:
    """Lets a newcomer hear what is published."""
    ws.subscribe("fan")


@app.message("/fan", on_open=join)
def fan(ws: WebSocket, msg: str | bytes) -> None:
    """Publishes each message to everybody here."""
    app.publish("fan", msg)


@app.get("/json")
def document(req: object) -> dict[str, str]:
    """A small document."""
    return {"message": "hello"}


@app.get("/ready")
def ready(req: object) -> None:
    """Answers as soon as the server does."""


@dataclass(frozen=True)
class Measured:
    """A server that is ready to be measured."""

    url: str
    """ws://127.0.0.1:port"""

    pid: int
    """Its process."""

    client_cpu: int | None
    """The processor that is left for the load generator, if there are two."""


@contextmanager
def started() -> Generator[Measured]:
    """Runs the child as long as the `with` lasts.

    Raises:
        Mistake: It does not come up.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        port = int(listener.getsockname()[1])
        child = subprocess.Popen(
            [
                *(sys.executable, "-m", "hubbub", "run", f"{__name__}:app"),
                *("--fd", str(listener.fileno()), "--log-level", "warning"),
            ],
            pass_fds=(listener.fileno(),),
        )
    try:
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) > 1:
            os.sched_setaffinity(child.pid, cpus[:1])
        _wait_ready(port)
        client_cpu = cpus[1] if len(cpus) > 1 else None
        yield Measured(f"ws://127.0.0.1:{port}", child.pid, client_cpu)
    finally:
        child.terminate()
        child.wait()


def _wait_ready(port: int) -> None:
    # The kernel has been accepting since the socket was made, so one question is enough.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_START_TIMEOUT_S)
    try:
        connection.request("GET", "/ready")
        connection.getresponse().read()
    except OSError as error:
        raise Mistake(f"the server for the measurement did not start: {error}", FAILED) from None
    finally:
        connection.close()
