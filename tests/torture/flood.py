"""Clients that send as much as the wire takes, in a process of their own, until told to stop.

They are at the bottom of the scheduler's list: what is asked is whether the server lets them push
others aside, not whether they take the processor away from the clients that are measured.
"""

import json
import os
import select
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial

from ..serving import ROOT
from ..wire import BINARY, TEXT, connect, frame, get, open_websocket, upgrade

PIPELINE_BYTES = 1 << 18
"""What a connection tries to send at once: a kernel that copies does not look up meanwhile, and the
clients that are measured would wait for that."""

HEAR_BYTES = 1 << 18


@dataclass
class Flooding:
    """Clients at work in another process."""

    process: "subprocess.Popen[bytes]"

    def stop(self) -> int:
        """Ends them, and tells how often they have sent or knocked."""
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        told: int = json.loads(out)
        return told


@contextmanager
def flooding(address: str, what: str, connections: int, size: int = 1) -> Iterator[Flooding]:
    """Floods a server while the context lasts; returns when all have begun.

    Args:
        address: The server's.
        what: "messages": pipelined, and answered; "uploads": nobody answers them; "requests": the
            same by HTTP; "handshakes": a connection, its upgrade, and its end, again and again;
            "hellos": the same with the first words of TLS, always the same ones: they cost
            nothing to send, and a signature to answer.
        connections: How many at a time.
        size: Bytes in a message.
    """
    words = (what, address, str(connections), str(size))
    command = (sys.executable, "-m", "tests.torture.flood", *words)
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        yield Flooding(process)
    finally:
        process.kill()
        process.communicate()


class Pipelines:
    """Connections that say the same words over and over, and throw the answers away."""

    def __init__(self, sockets: list[socket.socket], word: bytes) -> None:
        self.sent = 0
        self._words = memoryview(word * max(1, PIPELINE_BYTES // len(word)))
        self._word_bytes = len(word)
        self._at = {one.fileno(): (one, 0) for one in sockets}
        self._poll = select.epoll()
        for one in sockets:
            one.setblocking(False)
            self._poll.register(one, select.EPOLLIN | select.EPOLLOUT)

    def work(self) -> None:
        for fd, flags in self._poll.poll(0.05):
            one, at = self._at[fd]
            if flags & select.EPOLLIN and not one.recv(HEAR_BYTES):
                self._poll.unregister(fd)
            elif flags & select.EPOLLOUT:
                sent = one.send(self._words[at : at + PIPELINE_BYTES])
                self.sent += sent / self._word_bytes
                # Whole words follow one another, wherever the socket has cut them.
                self._at[fd] = one, (at + sent) % len(self._words)


class Knocks:
    """Connections that end as soon as their first words are answered."""

    def __init__(self, address: str, connections: int, word: bytes) -> None:
        host, _, port = address.rpartition(":")
        self.sent = 0
        self._word = word
        self._place = (host, int(port))
        self._open: dict[int, socket.socket] = {}
        self._poll = select.epoll()
        for _ in range(connections):
            self._knock()

    def work(self) -> None:
        for fd, flags in self._poll.poll(0.05):
            one = self._open[fd]
            if flags & select.EPOLLIN or flags & (select.EPOLLERR | select.EPOLLHUP):
                del self._open[fd]
                one.close()
                self._knock()
            else:
                one.send(self._word)
                self._poll.modify(fd, select.EPOLLIN)

    def _knock(self) -> None:
        one = socket.socket()
        one.setblocking(False)
        # Otherwise the ports of ended connections are used up in no time.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        one.connect_ex(self._place)
        self._open[one.fileno()] = one
        self._poll.register(one, select.EPOLLOUT)
        self.sent += 1


def hello() -> bytes:
    """A client's first flight of TLS."""
    context = ssl.create_default_context()
    context.check_hostname = False
    words = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), words)
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return words.read()


def flood_of(what: str, address: str, connections: int, size: int) -> Pipelines | Knocks:
    """What is to be sent, on its connections."""
    match what:
        case "handshakes":
            return Knocks(address, connections, upgrade())
        case "hellos":
            return Knocks(address, connections, hello())
        case "requests":
            word, enter = get("/word"), partial(connect, address)
        case "uploads":
            word, enter = frame(BINARY, bytes(size)), partial(open_websocket, address, "/sink")
        case _:
            word, enter = frame(TEXT, b"!" * size), partial(open_websocket, address)
    return Pipelines([enter() for _ in range(connections)], word)


def main() -> None:
    what, address, connections, size = sys.argv[1:]
    os.nice(19)
    flood = flood_of(what, address, int(connections), int(size))
    print("ready", file=sys.stderr, flush=True)
    told = select.poll()
    told.register(sys.stdin, select.POLLIN | select.POLLHUP)
    while not told.poll(0):
        flood.work()
    print(json.dumps(int(flood.sent)))


if __name__ == "__main__":
    main()
