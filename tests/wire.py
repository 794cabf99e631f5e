"""Bytes of the wire, by hand: for tests that must send what no client would.

Shares nothing with the engine, or it would prove nothing.
"""

import socket
import struct
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
PATIENCE_S = 10.0
"""How long a test waits for bytes that never come."""


class Frame(NamedTuple):
    """A frame as a server sends it."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv1: bool = False

    @property
    def close_code(self) -> int:
        return int.from_bytes(self.payload[:2])

    @property
    def close_reason(self) -> str:
        return self.payload[2:].decode()


def upgrade(path: str = "/echo", *fields: str) -> bytes:
    """The request that opens a WebSocket (RFC 6455 §4.1), with more fields at its end."""
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: h",
        "Connection: Upgrade",
        "Upgrade: websocket",
        f"Sec-WebSocket-Key: {KEY}",
        "Sec-WebSocket-Version: 13",
        *fields,
    )
    return "".join(line + "\r\n" for line in (*lines, "")).encode("latin-1")


def get(path: str) -> bytes:
    """A plain request."""
    return f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode("latin-1")


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, rsv1: bool = False) -> bytes:
    """A frame as a client sends it; the masking key is zero, so the payload stays as it is."""
    first = opcode | fin << 7 | rsv1 << 6
    if len(payload) < 126:
        head = struct.pack("!BB", first, 0x80 | len(payload))
    elif len(payload) < 1 << 16:
        head = struct.pack("!BBH", first, 0x80 | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, 0x80 | 127, len(payload))
    return head + bytes(4) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame as a client sends it."""
    return frame(CLOSE, code.to_bytes(2) + reason.encode())


def frames(received: bytes) -> tuple[list[Frame], bytes]:
    """The whole frames at the beginning of what a server has sent, and the rest."""
    found: list[Frame] = []
    at = 0
    while len(received) - at >= 2:
        first, second = received[at], received[at + 1]
        assert not second & 0x80, "a server does not mask (RFC 6455 §5.1)"
        body = at + 2
        length = second
        if second >= 126:
            extended = 2 if second == 126 else 8
            length = int.from_bytes(received[body : body + extended])
            body += extended
        if body + length > len(received):
            break
        payload = received[body : body + length]
        found.append(Frame(first & 15, payload, bool(first & 0x80), bool(first & 0x40)))
        at = body + length
    return found, received[at:]


def connect(address: str) -> socket.socket:
    """A connection to `host:port` or `unix:PATH`, that gives up waiting after a while."""
    if address.startswith("unix:"):
        local = socket.socket(socket.AF_UNIX)
        local.settimeout(PATIENCE_S)
        local.connect(address.removeprefix("unix:"))
        return local
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), PATIENCE_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def open_websocket(address: str, path: str = "/echo", *fields: str) -> socket.socket:
    """A connection on which the handshake is done."""
    connection = connect(address)
    try:
        connection.sendall(upgrade(path, *fields))
        head = receive_head(connection)
        assert head.startswith(b"HTTP/1.1 101 "), head
    except BaseException:
        connection.close()
        raise
    return connection


def receive_head(connection: socket.socket) -> bytes:
    """A response's head; takes not a byte of what follows.

    Raises:
        EOFError: The other end has closed before.
    """
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            raise EOFError(f"in the middle of a head: {head!r}")
        head += byte
    return head


def receive_exactly(connection: socket.socket, count: int) -> bytes:
    """So many bytes.

    Raises:
        EOFError: The other end has closed before.
    """
    received = bytearray()
    while len(received) < count:
        part = connection.recv(count - len(received))
        if not part:
            raise EOFError(f"{len(received)} of {count} bytes came")
        received += part
    return bytes(received)


def receive_frame(connection: socket.socket) -> Frame:
    """The next frame."""
    head = receive_exactly(connection, 2)
    extended = {126: 2, 127: 8}.get(head[1], 0)
    head += receive_exactly(connection, extended)
    length = int.from_bytes(head[2:]) if extended else head[1]
    (found,), rest = frames(head + receive_exactly(connection, length))
    assert not rest
    return found


def receive_all(connection: socket.socket) -> bytes:
    """Everything up to the other end's FIN.

    Raises:
        ConnectionResetError: It was no FIN.
    """
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))
