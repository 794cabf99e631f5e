"""Many connections of one attacker: what each has still to say, and what it has heard."""

import resource
import select
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from random import sample

from ..wire import PING, PONG, frame, frames, upgrade

NOTHING = memoryview(b"")
RECV_BYTES = 1 << 16
OPENING = 500
"""How many are on their way through connect and upgrade at a time."""

PATIENCE_S = 30.0

_, _hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
_descriptors = 20_000 if _hard_limit == resource.RLIM_INFINITY else min(20_000, _hard_limit)
# The servers that we start inherit it.
resource.setrlimit(resource.RLIMIT_NOFILE, (_descriptors, _hard_limit))

BIND_ADDRESS_NO_PORT = 24
"""`IP_BIND_ADDRESS_NO_PORT`, which Python names from 3.12 on: the port is chosen when it is known
with whom it is to be paired."""

# The ports of a crowd that has left rest for a minute, and an address has not enough of them for
# the next one. Others may run beside us: each begins somewhere else.
_sources = cycle(sample(range(2, 255), 253))

MOST = _descriptors - 1_000
"""So many connections at a time: 19,000, or what the machine allows."""


@dataclass(eq=False)
class Member:
    """One connection.

    Attributes:
        heard: What the server has sent, after its 101.
        ended_s: How long after its beginning the server ended it.
        was_reset: It did so without a FIN.
    """

    socket: socket.socket
    began: float
    pending: memoryview = NOTHING
    heard: bytearray = field(default_factory=bytearray)
    ended_s: float | None = None
    was_reset: bool = False

    @property
    def has_ended(self) -> bool:
        return self.ended_s is not None


class Crowd:
    """The connections of one attacker; closes them at the end of its `with`.

    Attributes:
        pongs: Pings are answered, as long as nothing else is said.
    """

    def __init__(self, members: Iterable[Member]) -> None:
        self.pongs = False
        self.members = list(members)
        self._by_fd = {member.socket.fileno(): member for member in self.members}

    @classmethod
    def connect(
        cls,
        address: str,
        count: int,
        *,
        path: str | None = None,
        fields: Sequence[str] = (),
        narrow: bool = False,
    ) -> "Crowd":
        """Opens connections.

        Args:
            address: The victim's.
            count: How many.
            path: With it, they are upgraded to WebSockets there.
            fields: More header fields of the upgrade.
            narrow: Keep the kernel's buffers on both sides small.
        """
        host, _, port = address.rpartition(":")
        crowd = cls([])
        source = f"127.0.0.{next(_sources)}"
        for first in range(0, count, OPENING):
            batch = []
            for _ in range(min(OPENING, count - first)):
                one = socket.socket()
                one.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
                one.bind((source, 0))
                if narrow:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
                one.settimeout(PATIENCE_S)
                began = time.monotonic()
                one.connect((host, int(port)))
                batch.append(Member(one, began))
            if path is not None:
                for member in batch:
                    member.socket.sendall(upgrade(path, *fields))
                for member in batch:
                    _take_101(member)
            for member in batch:
                member.socket.setblocking(False)
            crowd._add(batch)
        return crowd

    def __enter__(self) -> "Crowd":
        return self

    def __exit__(self, *_: object) -> None:
        for member in self.members:
            member.socket.close()

    def say(self, words: bytes) -> None:
        """Gives each member something to send, by and by."""
        for member in self.members:
            member.pending = memoryview(words)

    def work(
        self,
        until: Callable[[], bool],
        *,
        timeout_s: float = PATIENCE_S,
        listen: bool = True,
    ) -> None:
        """Sends what is pending and hears what comes.

        Args:
            until: Looked at after each turn.
            timeout_s: An end to it.
            listen: Whether anything is read.

        Raises:
            TimeoutError: It took longer.
        """
        deadline = time.monotonic() + timeout_s
        with select.epoll() as poll:
            reading = select.EPOLLIN if listen else 0
            watched = {}
            for fd, member in self._by_fd.items():
                if not member.has_ended:
                    watched[fd] = reading | (select.EPOLLOUT if member.pending else 0)
                    poll.register(fd, watched[fd])
            while not until():
                if time.monotonic() > deadline:
                    raise TimeoutError("the crowd waits in vain")
                for fd, events in poll.poll(0.05):
                    member = self._by_fd[fd]
                    if events & ~select.EPOLLOUT:
                        _hear(member)
                        if self.pongs:
                            _answer_pings(member)
                    if events & select.EPOLLOUT and not member.has_ended:
                        _speak(member)
                    wanted = reading | (select.EPOLLOUT if member.pending else 0)
                    if member.has_ended:
                        poll.unregister(fd)
                    elif wanted != watched[fd]:
                        watched[fd] = wanted
                        poll.modify(fd, wanted)

    def has_spoken(self) -> bool:
        """Whether nothing is pending."""
        return not any(member.pending and not member.has_ended for member in self.members)

    def has_ended(self) -> bool:
        """Whether the server has ended all of them."""
        return all(member.has_ended for member in self.members)

    def _add(self, members: Iterable[Member]) -> None:
        for member in members:
            self.members.append(member)
            self._by_fd[member.socket.fileno()] = member


def _take_101(member: Member) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        part = member.socket.recv(RECV_BYTES)
        assert part, f"refused: {received!r}"
        received += part
    head, _, rest = received.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    member.heard += rest


def _hear(member: Member) -> None:
    try:
        part = member.socket.recv(RECV_BYTES)
    except BlockingIOError:
        return
    except OSError:
        part, member.was_reset = b"", True
    member.heard += part
    if not part:
        member.ended_s = time.monotonic() - member.began


def _answer_pings(member: Member) -> None:
    found, rest = frames(bytes(member.heard))
    pings = [frame(PONG, one.payload) for one in found if one.opcode == PING]
    others = [one for one in found if one.opcode != PING]
    if pings and not others:
        member.pending = memoryview(bytes(member.pending) + b"".join(pings))
        member.heard[:] = rest


def _speak(member: Member) -> None:
    try:
        sent = member.socket.send(member.pending[: 1 << 20])
    except BlockingIOError:
        return
    except OSError:
        # What the server said before it hung up is still to be heard.
        member.pending = NOTHING
        return
    member.pending = member.pending[sent:]
