"""A server under attack, and what the attack costs it, as /proc tells it."""

import http.client
import json
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from .. import memory
from ..serving import Served, innermost
from .inside import control_path

PATIENCE_S = 20.0


class Victim:
    """A server under attack.

    Attributes:
        address: Its `host:port`.
        pid: Its process, whatever it was wrapped in.
        log: What it writes.
        local: The Unix socket at which it can be asked, too.
    """

    def __init__(self, served: Served) -> None:
        self.address = served.address
        self.log = served.log
        self.pid = innermost(served.process.pid)
        # Opened now: where a test leaves no descriptor, this one is there.
        self.local = control_path(self.pid)
        self._control = _Control(self.local)
        self.stats()

    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return Path(f"/proc/{self.pid}/fd").exists()

    def rss_bytes(self) -> int:
        """Resident memory, to the page."""
        return memory.resident_bytes(self.pid)

    def own_bytes(self) -> int:
        """The same without pages of files."""
        return memory.own_bytes(self.pid)

    def peak(self) -> AbstractContextManager[Callable[[], int]]:
        """Yields what tells by how many bytes the memory has grown at most since the beginning."""
        return memory.peak(self.pid)

    def cpu_s(self) -> float:
        """CPU time of all threads, in nanoseconds' resolution."""
        threads = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9

    def descriptors(self) -> int:
        """How many are open."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def stats(self) -> dict[str, int]:
        """What the engine has counted."""
        counted: dict[str, int] = self.ask("GET", "/stats")
        return counted

    def get(self, target: str) -> Any:
        """What the app says of itself."""
        return self.ask("GET", target)

    def post(self, target: str) -> Any:
        """Has the app do something; returns what it says."""
        return self.ask("POST", target)

    def wait_for(self, counter: str, condition: Callable[[int], bool]) -> int:
        """The counter's value once it satisfies the condition.

        Raises:
            TimeoutError: It never did.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not condition(value := self.stats()[counter]):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{counter} is {value}")
            time.sleep(0.02)
        return value

    def wait_quiet(self) -> None:
        """Waits until no connection but our own is left.

        Raises:
            TimeoutError: Some stay.
        """
        self.wait_for("connections", lambda connections: connections <= 1)

    def close(self) -> None:
        """Gives the control connection back."""
        self._control.close()

    def ask(self, method: str, target: str) -> Any:
        """Asks it over its own socket; returns what it says."""
        try:
            self._control.request(method, target, body=b" " if method == "POST" else None)
            answer = self._control.getresponse()
        except ConnectionError:
            # Kept alive for a while only.
            self._control.close()
            self._control.request(method, target, body=b" " if method == "POST" else None)
            answer = self._control.getresponse()
        body = answer.read()
        assert answer.status in (200, 204), (answer.status, body)
        return json.loads(body) if body else None


class _Control(http.client.HTTPConnection):
    """By the server's Unix socket: what holds for the crowd does not hold here."""

    def __init__(self, path: str) -> None:
        super().__init__("control", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_S)
        self.sock.connect(self._path)
