"""The vectors once more, over a socket: what the pure core decides must be what a peer meets.

The core is tested with the same tables (crates/protocol/tests). Here the bytes go through kernel,
worker and bindings, whole and in pieces, and the connection's end is looked at, too.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from ..serving import ROOT, serving
from ..wire import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    Frame,
    close_frame,
    connect,
    frame,
    frames,
    open_websocket,
    receive_all,
    receive_exactly,
    receive_frame,
    receive_head,
    upgrade,
)

APP = "tests/integration/vectors_app.py:app"
NAME = "Sec-WebSocket-Extensions: "
OFFER = NAME + "permessage-deflate"
ANOTHER = b"GET /another HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n"
PIECE_LIMIT = 400
"""Longer streams are not sent byte for byte: a system call each."""

Row = dict[str, Any]


def table(file: str, name: str = "rows") -> list[Row]:
    rows: list[Row] = json.loads((ROOT / "tests/vectors" / file).read_text())[name]
    return rows


def latin1(text: Any) -> bytes:
    """Bytes as the vectors write them: text, a repetition, or a list of both."""
    match text:
        case str():
            return text.encode("latin-1")
        case {"repeat": part, "times": times}:
            return latin1(part) * int(times)
        case _:
            return b"".join(map(latin1, text))


STREAMS = [row for row in table("frames.json", "streams") if row["to"] == "server"]
# There is no TLS here, and blanks around a value are not part of it.
ORIGINS = [
    row
    for row in table("origins.json")
    if not row["tls"] and row["origin"].strip() == row["origin"]
]
# The size of a dedicated window is set for the whole server: here it is the default.
EXTENSIONS = [
    row for row in table("extensions.json", "negotiate") if row.get("window_bits", 12) == 12
]


def name_of(row: Row) -> str:
    return str(row.get("name") or row.get("why"))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(APP, "--close-timeout", "1s") as address:
        yield address


def say(connection: socket.socket, words: bytes, *, in_pieces: bool = False) -> None:
    """Sends it all, or as much as the other end cares to hear."""
    try:
        if in_pieces and len(words) <= PIECE_LIMIT:
            for byte in words:
                connection.sendall(bytes([byte]))
        else:
            connection.sendall(words)
    except (BrokenPipeError, ConnectionResetError):
        pass


def refusal(address: str, request: bytes, *, in_pieces: bool = False) -> tuple[int, bytes]:
    """Status and head of the one answer to a request that ends its connection.

    What follows in the same write must not be read as a request.
    """
    with closing(connect(address)) as connection:
        say(connection, request + ANOTHER, in_pieces=in_pieces)
        answer = receive_all(connection)
    assert answer.count(b"HTTP/1.1 ") == 1, answer
    return int(answer[9:12]), answer.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize("row", table("http_heads.json"), ids=name_of)
def test_requests(address: str, row: Row, in_pieces: bool) -> None:
    request = latin1(row["request"])
    if row["outcome"] != "accepted":
        status, _ = refusal(address, request, in_pieces=in_pieces)
        assert status == row["outcome"]
        return
    with closing(connect(address)) as connection:
        say(connection, request, in_pieces=in_pieces)
        connection.shutdown(socket.SHUT_WR)
        answer = receive_all(connection)
    if answer.startswith(b"HTTP/1.1 100 "):
        answer = answer.partition(b"\r\n\r\n")[2]
    # What the app has no handler for is not the parser's business.
    assert answer[9:12] in (b"200", b"204", b"404", b"405"), answer


@pytest.mark.parametrize("row", table("handshakes.json"), ids=name_of)
def test_handshakes(address: str, row: Row) -> None:
    request = latin1(row["request"])
    if row["outcome"] not in (101, "plain"):
        status, head = refusal(address, request)
        assert status == row["outcome"]
        for name, value in row.get("fields", {}).items():
            assert f"\r\n{name}: {value}\r\n".encode().lower() in (head + b"\r\n").lower()
        return
    with closing(connect(address)) as connection:
        say(connection, request)
        head = receive_head(connection)
        if row["outcome"] == "plain":
            assert head[9:12] in (b"200", b"405")
        else:
            assert head.startswith(b"HTTP/1.1 101 ")
            assert f"\r\nSec-WebSocket-Accept: {row['accept']}\r\n".encode() in head


@pytest.mark.parametrize("row", table("targets.json"), ids=name_of)
def test_targets(address: str, row: Row) -> None:
    words = f"{row['method']} {row['target']} HTTP/1.1\r\nHost: example.org\r\n\r\n"
    request = words.encode("latin-1")
    if "outcome" in row:
        assert refusal(address, request)[0] == row["outcome"]
    elif row["method"] == "GET":
        with closing(connect(address)) as connection:
            say(connection, request)
            head = receive_head(connection).lower()
            assert head.startswith(b"http/1.1 200 ")
            length = int(head.partition(b"content-length: ")[2].split()[0])
            seen = receive_exactly(connection, length)
            assert seen.decode() == f"{row['path']}?{row['query']}"


@pytest.mark.parametrize("row", ORIGINS, ids=name_of)
def test_origins(address: str, row: Row) -> None:
    request = upgrade("/same-host").replace(b"Host: h", f"Host: {row['host']}".encode("latin-1"))
    fields = f"\r\nOrigin: {row['origin']}\r\n\r\n".encode("latin-1")
    with closing(connect(address)) as connection:
        say(connection, request.removesuffix(b"\r\n\r\n") + fields)
        status = receive_head(connection)[9:12]
    if row["same"]:
        assert status == b"101"
    else:
        # Some of them are no field values to begin with.
        assert status in (b"400", b"403")


@pytest.mark.parametrize("row", EXTENSIONS, ids=name_of)
def test_extensions(address: str, row: Row) -> None:
    offers = [NAME + offer for offer in row["offers"]]
    with closing(connect(address)) as connection:
        connection.sendall(upgrade(f"/{row['window']}", *offers))
        head = receive_head(connection).decode("latin-1")
    assert head.startswith("HTTP/1.1 101 ")
    agreed = [line[len(NAME) :] for line in head.split("\r\n") if line.startswith(NAME)]
    assert agreed == ([] if row["answer"] is None else [row["answer"]])


def answers(events: list[Row]) -> list[Frame]:
    """What an echoing server says to such events."""
    said = []
    for event in events:
        match event:
            case {"text": text}:
                said.append(Frame(TEXT, text.encode()))
            case {"binary": payload}:
                said.append(Frame(BINARY, bytes.fromhex(payload)))
            case {"ping": payload}:
                said.append(Frame(PONG, bytes.fromhex(payload)))
            case {"close": code}:
                said.append(Frame(CLOSE, b"" if code == 1005 else int(code).to_bytes(2)))
    return said


@pytest.mark.parametrize("in_pieces", [False, True], ids=["whole", "in pieces"])
@pytest.mark.parametrize("row", STREAMS, ids=name_of)
def test_frames(address: str, row: Row, in_pieces: bool) -> None:
    path = f"/limit-{row['limit']}" if "limit" in row else "/echo"
    fields = (OFFER,) if row.get("deflate") else ()
    expected = answers(row["events"])
    if fails := row.get("fails"):
        expected.append(Frame(CLOSE, fails["code"].to_bytes(2) + fails["text"].encode()))
    with closing(open_websocket(address, path, *fields)) as connection:
        words = bytes.fromhex(row["bytes"].replace("|", ""))
        say(connection, words, in_pieces=in_pieces)
        if name_of(row).startswith("incomplete"):
            connection.shutdown(socket.SHUT_WR)
            assert receive_all(connection) == b""
            return
        if not expected or expected[-1].opcode != CLOSE:
            # Still open: an answer to this is the proof.
            say(connection, frame(PING, b"the end"))
            expected.append(Frame(PONG, b"the end"))
        heard = [receive_frame(connection) for _ in expected]
        assert heard == expected
        if expected[-1].opcode == CLOSE:
            # The server closes first (RFC 6455 §7.1.1), and by FIN.
            assert receive_all(connection) == b""


@pytest.mark.parametrize("row", table("utf8.json", "texts"), ids=name_of)
def test_texts(address: str, row: Row) -> None:
    text = bytes.fromhex(row["bytes"])
    with closing(open_websocket(address)) as connection:
        say(connection, frame(TEXT, text))
        heard = receive_frame(connection)
        if row["valid"]:
            assert heard == Frame(TEXT, text)
        else:
            assert heard.close_code == 1007


@pytest.mark.parametrize("row", table("close.json", "codes"), ids=name_of)
def test_close_codes(address: str, row: Row) -> None:
    for code in {row["first"], (row["first"] + row["last"]) // 2, row["last"]}:
        with closing(open_websocket(address)) as connection:
            say(connection, close_frame(code, "why"))
            (heard,), rest = frames(receive_all(connection))
            assert not rest
            if row["sendable"]:
                assert heard == Frame(CLOSE, code.to_bytes(2))
            else:
                assert heard.close_code == 1002
