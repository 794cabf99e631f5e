"""Clients that open one WebSocket after the other, in a process of their own, until told to stop.

Each handshake begins at its time, whether the others are done or not, and every way to fail is
counted apart.
"""

import gc
import json
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from ..serving import ROOT
from ..wire import upgrade

UNANSWERED_S = 15.0
"""After so long, one that waits for its 101 has waited in vain."""

SOURCES = 200
"""Addresses of the loopback that they come from in turn: each has 28,000 ports a minute."""


@dataclass
class Knocks:
    """What became of the handshakes."""

    begun: int = 0
    answered: int = 0
    refused: int = 0
    reset: int = 0
    unanswered: int = 0
    other: list[str] = field(default_factory=list)
    p50_ms: float = 0.0
    p99_ms: float = 0.0
    longest_ms: float = 0.0


@dataclass
class Knocking:
    """Clients at work in another process."""

    process: "subprocess.Popen[bytes]"

    def stop(self) -> Knocks:
        """Lets those that have begun end, and tells what became of all of them."""
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return Knocks(**json.loads(out))


@contextmanager
def knocking(address: str, rate: int) -> Iterator[Knocking]:
    """Knocks at a server's door, so many times a second, while the context lasts."""
    command = (sys.executable, "-m", "tests.torture.knocking", address, str(rate))
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Knocking(process)
    finally:
        process.kill()
        process.communicate()


class Door:
    """Handshakes under way."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self.found = Knocks()
        self._place = (host, int(port))
        self._poll = select.epoll()
        self._open: dict[int, tuple[socket.socket, float]] = {}
        self._waits: list[float] = []

    def knock(self, due: float) -> None:
        one = socket.socket()
        one.setblocking(False)
        one.bind((f"127.0.1.{1 + self.found.begun % SOURCES}", 0))
        self.found.begun += 1
        one.connect_ex(self._place)
        self._open[one.fileno()] = (one, due)
        self._poll.register(one, select.EPOLLOUT)

    def work(self, wait_s: float) -> None:
        for fd, _ in self._poll.poll(wait_s):
            self._go_on(fd)
        if self._open:
            first, (one, due) = next(iter(self._open.items()))
            if time.monotonic() - due > UNANSWERED_S:
                self.found.unanswered += 1
                self._end(first, one)

    def is_busy(self) -> bool:
        return bool(self._open)

    def report(self) -> Knocks:
        self._waits.sort()
        at = [self._waits[int((len(self._waits) - 1) * part)] for part in (0.5, 0.99, 1)]
        found = self.found
        found.p50_ms, found.p99_ms, found.longest_ms = (round(one * 1000, 1) for one in at)
        return found

    def _go_on(self, fd: int) -> None:
        one, due = self._open[fd]
        try:
            if error := one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "connect")
            if self._poll_for(fd, one):
                return
            head = one.recv(4096)
            if not head:
                raise ConnectionResetError("ended without an answer")
            if head.startswith(b"HTTP/1.1 101 "):
                self.found.answered += 1
                self._waits.append(time.monotonic() - due)
            else:
                self.found.other.append(head[:80].decode("latin-1"))
        except ConnectionRefusedError:
            self.found.refused += 1
        except (ConnectionResetError, BrokenPipeError):
            self.found.reset += 1
        except OSError as error:
            self.found.other.append(str(error))
        self._end(fd, one)

    def _poll_for(self, fd: int, one: socket.socket) -> bool:
        """Says what is to be said first; tells whether the answer is still to come."""
        try:
            one.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            one.sendall(upgrade())
            self._poll.modify(fd, select.EPOLLIN)
            return True
        return False

    def _end(self, fd: int, one: socket.socket) -> None:
        del self._open[fd]
        one.close()


def main() -> None:
    address, rate = sys.argv[1], float(sys.argv[2])
    gc.disable()
    door, begin, begun = Door(address), time.monotonic(), 0
    told = select.poll()
    told.register(sys.stdin, select.POLLIN | select.POLLHUP)
    while not told.poll(0):
        while (due := begin + begun / rate) <= time.monotonic():
            door.knock(due)
            begun += 1
        door.work(max(0.0, due - time.monotonic()))
    while door.is_busy():
        door.work(0.05)
    print(json.dumps(asdict(door.report())))


if __name__ == "__main__":
    main()
