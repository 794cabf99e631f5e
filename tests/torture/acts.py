"""What a server does while its system calls are made to fail (R2): act by act, and who was hurt.

Each act makes the server meet calls of its own; what it does on the wire is checked to the last
byte, so that a failure that changes an answer is noticed like one that ends it.
"""

import os
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path

from ..authority import Authority
from ..serving import ROOT
from ..wire import (
    BINARY,
    TEXT,
    close_frame,
    connect,
    frame,
    get,
    open_websocket,
    receive_all,
    receive_exactly,
    receive_frame,
    receive_head,
    upgrade,
)
from .victim import Victim

LARGE = frame(BINARY, bytes(200_000))
HUGE_BYTES = 5 << 20
HUGE = frame(BINARY, bytes(HUGE_BYTES))
FILES = ROOT / "docs"
"""What `/files` of the app serves."""

FILE = FILES / "reliability.md"
RELOAD_S = 5.0

Act = Callable[[Victim], None]
"""Raises OSError or EOFError where the server has cut it short."""


def hurt(victim: Victim, act: Act, times: int = 1) -> int:
    """Does it so many times; how many of them were cut short."""
    failed = 0
    for _ in range(times):
        try:
            act(victim)
        except TimeoutError:
            raise
        except (OSError, EOFError):
            failed += 1
    return failed


def talk(victim: Victim) -> None:
    """A WebSocket, two messages, an orderly close."""
    with open_websocket(victim.address) as one:
        one.sendall(frame(TEXT, b"small"))
        assert receive_frame(one).payload == b"small"
        one.sendall(LARGE)
        assert len(receive_frame(one).payload) == 200_000
        one.sendall(close_frame(1000))
        receive_all(one)


def relay(victim: Victim) -> None:
    """The server asks itself, as its own client."""
    with open_websocket(victim.address, f"/relays/{victim.address}") as one:
        one.sendall(frame(TEXT, b"over there"))
        if receive_frame(one).payload != b"over there":
            raise EOFError("it could not")


def huge(victim: Victim) -> None:
    """A message for which memory is asked for, moved and given back."""
    with open_websocket(victim.address) as one:
        one.sendall(HUGE)
        assert len(receive_frame(one).payload) == HUGE_BYTES


def crash(victim: Victim) -> None:
    """A handler that fails; its line in the log shows the source."""
    os.utime(Path(__file__).with_name("app.py"))
    with open_websocket(victim.address, "/crashes") as one:
        one.sendall(frame(TEXT, b"now"))
        assert receive_frame(one).close_code == 1011


def fetch(victim: Victim) -> None:
    """A file, in plain text."""
    with connect(victim.address) as one:
        _fetch(one)


def local(victim: Victim) -> None:
    """By the Unix socket."""
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(10)
        one.connect(victim.local)
        one.sendall(get("/stats"))
        assert receive_head(one).startswith(b"HTTP/1.1 200 ")


class ByTls:
    """The acts of a server that speaks TLS.

    Attributes:
        flags: What makes it do so.
    """

    def __init__(self, authority: Authority) -> None:
        cert, key = authority.pair("127.0.0.1")
        self.flags = ("--ssl-certfile", cert, "--ssl-keyfile", key)
        self._context = ssl.create_default_context(cafile=authority.file)

    def talk(self, victim: Victim) -> None:
        """A WebSocket and a message."""
        with self._connect(victim) as one:
            one.sendall(upgrade("/echo"))
            if not receive_head(one).startswith(b"HTTP/1.1 101 "):
                raise EOFError("refused")
            one.sendall(LARGE)
            assert len(receive_frame(one).payload) == 200_000

    def fetch(self, victim: Victim) -> None:
        """A file: it has to be read to be encrypted."""
        with self._connect(victim) as one:
            _fetch(one)

    def renew(self, victim: Victim) -> None:
        """Certificates are read again, or the log says why not, and the old ones serve on."""
        before = _renewals(victim)
        os.kill(victim.pid, signal.SIGHUP)
        end = time.monotonic() + RELOAD_S
        while _renewals(victim) == before:
            if time.monotonic() > end:
                raise EOFError("nothing is said of the certificates")
            time.sleep(0.005)
        with self._connect(victim):
            pass

    def _connect(self, victim: Victim) -> ssl.SSLSocket:
        plain = connect(victim.address)
        try:
            return self._context.wrap_socket(plain, server_hostname="127.0.0.1")
        except BaseException:
            plain.close()
            raise


def _renewals(victim: Victim) -> int:
    return victim.log.read_text(errors="replace").count(" certificates ")


def _fetch(one: socket.socket) -> None:
    one.sendall(get(f"/files/{FILE.name}"))
    head = receive_head(one)
    expected = FILE.read_bytes()
    if not head.startswith(b"HTTP/1.1 200 "):
        raise EOFError("no file")
    assert f"content-length: {len(expected)}\r\n".encode() in head.lower()
    assert receive_exactly(one, len(expected)) == expected
