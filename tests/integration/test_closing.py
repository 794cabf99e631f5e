"""How connections end over a socket: by whom, with what, and what is left (W5, W7, W10)."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ..serving import Served, served
from ..wire import (
    BINARY,
    CLOSE,
    PONG,
    TEXT,
    Frame,
    close_frame,
    frame,
    frames,
    open_websocket,
    receive_all,
    receive_frame,
)

APP = "tests/integration/hostile_app.py:app"
CLOSE_TIMEOUT_S = 1.0


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(APP, "--close-timeout", f"{CLOSE_TIMEOUT_S}s") as server:
        yield server


def sockets(server: Served) -> int:
    """How many the server has open."""
    links = Path(f"/proc/{server.process.pid}/fd").iterdir()
    return sum("socket:" in str(link.readlink()) for link in links if link.is_symlink())


@pytest.fixture
def none_left(server: Served) -> Iterator[None]:
    """What was connected during the test is gone a moment after it."""
    before = sockets(server)
    yield
    deadline = time.monotonic() + CLOSE_TIMEOUT_S + 2
    while sockets(server) > before:
        assert time.monotonic() < deadline, "a socket is left"
        time.sleep(0.02)


def goes_on_sending(connection: socket.socket) -> None:
    connection.setblocking(False)
    with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
        connection.send(frame(BINARY, bytes(50_000)))
    connection.setblocking(True)


def goes_on_with_half_a_frame(connection: socket.socket) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):
        connection.send(frame(BINARY, bytes(10))[:9])


def says_nothing(connection: socket.socket) -> None:
    pass


@pytest.mark.slow
@pytest.mark.usefixtures("none_left")
@pytest.mark.parametrize("habit", [says_nothing, goes_on_sending, goes_on_with_half_a_frame])
@pytest.mark.parametrize("who", ["app", "server"])
def test_who_does_not_answer_a_close_is_ended(server: Served, who: str, habit: object) -> None:
    """W10: and can read our close frame to its last byte, whatever it has sent meanwhile."""
    assert callable(habit)
    with closing(open_websocket(server.address, "/closes")) as connection:
        wish = frame(TEXT, b'[4000, "enough"]')
        # A reserved opcode: then it is the server that fails the connection.
        connection.sendall(wish if who == "app" else frame(3))
        began = time.monotonic()
        while time.monotonic() - began < CLOSE_TIMEOUT_S + 0.5:
            habit(connection)
            time.sleep(0.01)
        # The reset that follows what was sent after the end must not have taken the frame along.
        heard = receive_frame(connection)
        assert heard.close_code == (4000 if who == "app" else 1002)
        with suppress(ConnectionResetError):
            assert receive_all(connection) == b""


@pytest.mark.usefixtures("none_left")
def test_a_close_is_answered_and_the_server_goes_first(server: Served) -> None:
    with closing(open_websocket(server.address)) as connection:
        connection.sendall(close_frame(3000, "bye"))
        (heard,), rest = frames(receive_all(connection))
        assert heard == Frame(CLOSE, (3000).to_bytes(2))
        assert not rest


@pytest.mark.usefixtures("none_left")
def test_a_close_that_is_answered_ends_at_once(server: Served) -> None:
    with closing(open_websocket(server.address, "/closes")) as connection:
        connection.sendall(frame(TEXT, b'[4000, "enough"]'))
        assert receive_frame(connection).close_reason == "enough"
        began = time.monotonic()
        connection.sendall(close_frame(4000))
        assert receive_all(connection) == b""
        assert time.monotonic() - began < CLOSE_TIMEOUT_S / 2


@pytest.mark.usefixtures("none_left")
def test_answers_go_out_before_the_close(server: Served) -> None:
    """W7: three good frames and a bad one in a single write."""
    with closing(open_websocket(server.address)) as connection:
        good = frame(TEXT, b"one") + frame(9, b"two") + frame(BINARY, b"three")
        connection.sendall(good + frame(0))
        heard, rest = frames(receive_all(connection))
    assert heard[:3] == [Frame(TEXT, b"one"), Frame(PONG, b"two"), Frame(BINARY, b"three")]
    assert heard[3].close_code == 1002
    assert not rest
    assert len(heard) == 4


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ([], 1000, ""),
        ([4000], 4000, ""),
        ([4000, "x" * 123], 4000, "x" * 123),
        ([4000, "x" * 124], 4000, "x" * 123),
        ([4000, "é" * 100], 4000, "é" * 61),
        ([4000, "x" + "é" * 61], 4000, "x" + "é" * 61),
        ([4000, "\N{GRINNING FACE}" * 50], 4000, "\N{GRINNING FACE}" * 30),
    ],
)
def test_reasons_are_cut_between_characters(
    server: Served, arguments: list[object], code: int, reason: str
) -> None:
    """W5: never a byte that was not given."""
    with closing(open_websocket(server.address, "/closes")) as connection:
        connection.sendall(frame(TEXT, json.dumps(arguments).encode()))
        heard = receive_frame(connection)
    assert (heard.opcode, heard.close_code, heard.close_reason) == (CLOSE, code, reason)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ([999], "Misuse"),
        ([1005], "Misuse"),
        ([1006, "gone"], "Misuse"),
        ([1015], "Misuse"),
        ([2999], "Misuse"),
        ([5000], "Misuse"),
        ([-1], "OverflowError"),
        ([65536], "OverflowError"),
        (["1000"], "TypeError"),
        ([1000, 7], "TypeError"),
        # A lone surrogate, which JSON can spell and UTF-8 cannot.
        ([1000, "\ud800"], "UnicodeEncodeError"),
    ],
)
def test_what_may_not_be_sent_is_refused_and_nothing_is(
    server: Served, arguments: list[object], error: str
) -> None:
    """W3, W5: the application is told, the peer sees nothing of it."""
    with closing(open_websocket(server.address, "/closes")) as connection:
        connection.sendall(frame(TEXT, json.dumps(arguments).encode()))
        assert receive_frame(connection) == Frame(TEXT, f"refused: {error}".encode())
        connection.sendall(frame(TEXT, b"[1000]"))
        assert receive_frame(connection).close_code == 1000
