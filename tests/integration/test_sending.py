"""What an application may send to who does not read (B3), and what is never compressed (C4)."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from ..serving import serving
from ..wire import TEXT, Frame, connect, frame, open_websocket, receive_frame, receive_head, upgrade

APP = "tests/integration/hostile_app.py:app"
OFFER = "Sec-WebSocket-Extensions: permessage-deflate"

KIB, MIB = 1 << 10, 1 << 20


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(APP) as address:
        yield address


def narrow(address: str, target: str) -> socket.socket:
    """An open connection that the kernel holds little for."""
    host, _, port = address.rpartition(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect((host, int(port)))
    connection.sendall(upgrade(target))
    assert receive_head(connection).startswith(b"HTTP/1.1 101 ")
    return connection


@pytest.mark.parametrize(
    ("path", "limit_bytes", "size", "count"),
    [
        ("/floods", 1 * MIB, 64 * KIB, 300),
        ("/floods", 1 * MIB, 100, 100_000),
        ("/floods", 1 * MIB, 3 * MIB, 3),
        ("/floods-little", 16 * KIB, 1 * KIB, 20_000),
    ],
)
def test_sending_stops_at_the_high_water_mark(
    address: str, path: str, limit_bytes: int, size: int, count: int
) -> None:
    """B3: `send` turns falsy, nothing grows past the mark and one message; `await` waits."""
    with closing(narrow(address, f"{path}?size={size}&count={count}")) as connection:
        # It stays falsy however long nothing is read.
        time.sleep(0.3)
        received = 0
        while (heard := receive_frame(connection)).opcode != TEXT:
            assert heard.payload == bytes(size)
            received += 1
        assert heard == Frame(TEXT, b"waited")
        told = json.loads(receive_frame(connection).payload)
    assert told["buffered"] <= limit_bytes + size + 16
    assert told.get("queued", 0) + told.get("backpressure", 0) == received
    assert received + told.get("dropped", 0) == count
    assert told["dropped"] > 0
    # Between room and none there is at most one that is queued with a warning each time it drains.
    assert told["backpressure"] >= 1


def test_a_route_may_speak_without_compression(address: str) -> None:
    """C4: on a route with secrets nothing tells by its length what it is made of."""
    for path, agrees in (("/echo", True), ("/token", False)):
        with closing(connect(address)) as connection:
            connection.sendall(upgrade(path, OFFER))
            assert (b"permessage-deflate" in receive_head(connection)) is agrees
    with closing(open_websocket(address, "/token", OFFER)) as connection:
        lengths = set()
        for guess in ("secret", "sesame"):
            connection.sendall(frame(TEXT, guess.encode() * 10))
            answer = receive_frame(connection)
            assert not answer.rsv1
            lengths.add(len(answer.payload))
        assert len(lengths) == 1
