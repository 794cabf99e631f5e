"""Well-behaved clients beside an attack, in a process of their own: how long do they wait?

They send at their time whether answers have come or not, so a server that stands still is seen in
the figures (no coordinated omission).
"""

import gc
import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..serving import ROOT
from ..wire import BINARY, connect, frame, open_websocket, receive_head, upgrade

STAMP = struct.Struct("!d")
ANSWER_BYTES = 2 + STAMP.size
GRACE_S = 10.0
"""How long answers are waited for at the end."""


@dataclass(frozen=True)
class Waits:
    """What the clients waited for their answers."""

    p50_ms: float
    p99_ms: float
    longest_ms: float
    asked: int
    answered: int


NOISE_MS = 3.0
"""What a time slice of somebody else's adds to the longest waits, whoever serves: clients, attacker
and server share the processors."""


@dataclass(frozen=True)
class Compared:
    """What clients waited with nothing beside, and beside an attack."""

    alone: Waits
    beside: Waits
    rest: str = ""
    threads: int = 1
    """How many threads of the server's share the processors with each other: each takes slices."""

    @property
    def are_unhurt(self) -> bool:
        """Whether all were answered, and nearly all within twice the time."""
        all_answered = self.beside.answered == self.beside.asked
        bound_ms = 2 * self.alone.p99_ms + self.threads * NOISE_MS
        return all_answered and self.beside.p99_ms <= bound_ms

    def __str__(self) -> str:
        """The waits that all but one in a hundred keep below."""
        return f"p99 {self.alone.p99_ms:.1f} → {self.beside.p99_ms:.1f} ms"


def compared(measure: Callable[[], Compared]) -> Compared:
    """What was measured, or measured once more where the machine was too busy to tell."""
    first = measure()
    return first if first.are_unhurt else measure()


@dataclass
class Beside:
    """Clients at work in another process."""

    process: "subprocess.Popen[bytes]"

    def waits(self) -> Waits:
        """Waits for their end."""
        out, _ = self.process.communicate(timeout=120)
        assert self.process.returncode == 0
        return Waits(**json.loads(out))


@contextmanager
def healthy(
    address: str, *, connections: int = 50, rate: int = 1000, duration_s: float, what: str = "echo"
) -> Iterator[Beside]:
    """Clients beside whatever is done meanwhile; returns when they are connected.

    Args:
        address: The server's.
        connections: How many.
        rate: How often they ask, per second, all together.
        duration_s: For how long.
        what: "echo": a message; "handshake": another connection each time.
    """
    words = (what, address, str(connections), str(rate), str(duration_s))
    command = (sys.executable, "-m", "tests.torture.healthy", *words)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        yield Beside(process)
    finally:
        process.kill()
        process.communicate()


def waits(address: str, **how: object) -> Waits:
    """The same with nothing beside: what to compare with."""
    with healthy(address, **how) as clients:  # type: ignore[arg-type]
        return clients.waits()


def main() -> None:
    what, address, connections, rate, duration_s = sys.argv[1:]
    gc.disable()
    come_first()
    measure = echoes if what == "echo" else handshakes
    asked, found = measure(address, int(connections), float(rate), float(duration_s))
    found.sort()
    at = [found[min(len(found) - 1, int(len(found) * part))] for part in (0.5, 0.99, 1)]
    print(json.dumps(Waits(*(round(one * 1000, 3) for one in at), asked, len(found)).__dict__))


def come_first() -> None:
    """Takes a processor as soon as there is something to do, where the system permits it.

    Else what is measured is how long the attacker's process may work before ours has its turn.
    """
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def echoes(
    address: str, connections: int, rate: float, duration_s: float
) -> tuple[int, list[float]]:
    """Messages sent and how long each answer took, in seconds."""
    sockets = {one.fileno(): one for one in (open_websocket(address) for _ in range(connections))}
    order = list(sockets.values())
    poll = select.epoll()
    for fd in sockets:
        poll.register(fd, select.EPOLLIN)
    print("ready", file=sys.stderr, flush=True)
    found: list[float] = []
    asked, begin = 0, time.monotonic()
    while True:
        now = time.monotonic()
        if now - begin < duration_s:
            while (due := begin + asked / rate) <= now:
                order[asked % connections].send(frame(BINARY, STAMP.pack(due)))
                asked += 1
            wait = max(0, begin + asked / rate - time.monotonic())
        elif len(found) == asked or now - begin > duration_s + GRACE_S:
            return asked, found
        else:
            wait = 0.05
        # epoll_wait(2) sleeps whole milliseconds, and would have them begin late.
        select.select([poll], [], [], wait)
        for fd, _ in poll.poll(0):
            received = sockets[fd].recv(1 << 16)
            assert received, "a healthy connection was ended"
            assert len(received) % ANSWER_BYTES == 0
            now = time.monotonic()
            for start in range(0, len(received), ANSWER_BYTES):
                assert received[start] == 0x80 | BINARY, "a healthy connection is being closed"
                found.append(now - STAMP.unpack_from(received, start + 2)[0])


def handshakes(
    address: str, connections: int, rate: float, duration_s: float
) -> tuple[int, list[float]]:
    """Handshakes begun, one after the other, and how long each took, in seconds."""
    print("ready", file=sys.stderr, flush=True)
    found: list[float] = []
    begin = time.monotonic()
    for asked in range(int(rate * duration_s)):
        due = begin + asked / rate
        time.sleep(max(0, due - time.monotonic()))
        with connect(address) as one:
            one.sendall(upgrade())
            assert receive_head(one).startswith(b"HTTP/1.1 101 ")
            found.append(time.monotonic() - due)
    return len(found), found


if __name__ == "__main__":
    main()
