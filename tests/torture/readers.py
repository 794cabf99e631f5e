"""Thousands who read as fast as they can, and how fast that is."""

import json
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..wire import Frame, frame, frames
from .crowd import PATIENCE_S, Crowd

_BUFFER = bytearray(1 << 18)
PING = b"{}"
"""The hub's."""


def subscribed(address: str, count: int, channel: str, *, narrow: bool = False) -> Crowd:
    """A crowd of the hub's clients that hear a channel; has taken its answers."""
    crowd = Crowd.connect(address, count, path="/connection/websocket", narrow=narrow)
    hello = {"id": 1, "connect": {"data": ""}}
    subscribe = {"id": 2, "subscribe": {"channel": channel}}
    crowd.say(frame(1, f"{json.dumps(hello)}\n{json.dumps(subscribe)}".encode()))
    crowd.work(lambda: all(b'"subscribe"' in member.heard for member in crowd.members))
    for member in crowd.members:
        assert b'"error"' not in member.heard, bytes(member.heard)
        member.heard.clear()
    return crowd


@dataclass
class Readers:
    """A crowd that reads and counts, and keeps nothing but what its first member has heard."""

    crowd: Crowd

    def rate(self, publish: Callable[[], int], duration_s: float) -> float:
        """Publications a second that all of them have read, each portion when they have the last.

        Args:
            publish: Publishes a portion; tells how many.
            duration_s: For about how long.
        """
        sockets = {one.socket.fileno(): one.socket for one in self.crowd.members}
        first = self.crowd.members[0].socket
        with select.epoll() as poll:
            for fd in sockets:
                poll.register(fd, select.EPOLLIN)
            published, began = 0, time.monotonic()
            while (took := time.monotonic() - began) < duration_s:
                count = publish()
                self._read(poll, sockets, first, count)
                published += count
        return published / took

    def _read(
        self,
        poll: select.epoll,
        sockets: dict[int, socket.socket],
        first: socket.socket,
        count: int,
    ) -> None:
        """Until everybody has had as many bytes as `count` publications are for the first."""
        heard = dict.fromkeys(sockets, 0)
        text = bytearray()
        expected, behind = -1, len(sockets)
        deadline = time.monotonic() + PATIENCE_S
        while behind:
            assert time.monotonic() < deadline, f"{behind} of {len(sockets)} wait in vain"
            for fd, _ in poll.poll(0.05):
                got = sockets[fd].recv_into(_BUFFER)
                assert got, "a reader was sent away"
                before = heard[fd]
                heard[fd] = before + got
                if fd == first.fileno():
                    text += _BUFFER[:got]
                    if expected < 0 and (expected := _bytes(text, count)) > 0:
                        behind = sum(one < expected for one in heard.values())
                elif before < expected <= heard[fd]:
                    behind -= 1


def _bytes(text: bytearray, count: int) -> int:
    """How many bytes so many publications are; -1 while they are not all there."""
    found, rest = frames(bytes(text))
    pings = sum(one.payload == PING for one in found)
    return -1 if len(found) - pings < count else len(text) - len(rest) - pings * (2 + len(PING))


def numbers(heard: list[Frame]) -> list[tuple[int, int]]:
    """Number and offset of each publication; the offset of a raw topic's is its number and one."""
    found = []
    for one in heard:
        if one.opcode == 2:
            number = int.from_bytes(one.payload[:4])
            found.append((number, number + 1))
        elif one.opcode == 1 and one.payload != PING:
            publication = json.loads(one.payload)["push"]["pub"]
            number = publication["data"][0]
            found.append((number, publication.get("offset", number + 1)))
    return found
