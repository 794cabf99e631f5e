"""What strangers write into the log: never a control byte (H9), never a token (A2)."""

import itertools
import json
import re
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from ..serving import Served, served
from ..wire import TEXT, close_frame, connect, frame, open_websocket, receive_all, receive_frame

APP = "tests/integration/hostile_app.py:app"

PAYLOADS = {
    "a new line": "%0d%0aERROR%20all%20is%20lost",
    "terminal codes": "%1b%5b2J%1b%5d0;owned%07",
    "C1 codes": "%c2%9b2J%c2%85",
    "separators of lines": "%e2%80%a8%e2%80%a9",
    "an order of its own": "%e2%80%ae%e2%81%a6txt.exe",
    "NUL and DEL": "%00%7f%08",
}
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ [\w.]+: ")


marks = itertools.count()


@pytest.fixture(scope="module", params=["text", "json"])
def server(request: pytest.FixtureRequest) -> Iterator[Served]:
    everything = ("--access-log", "--log-level", "debug", "--log-format", request.param)
    with served(APP, *everything) as server:
        yield server


def ask(server: Served, request: str) -> bytes:
    with closing(connect(server.address)) as connection:
        connection.sendall(request.encode("latin-1"))
        return receive_all(connection)


def lines_since(server: Served, before: int) -> list[str]:
    """What was logged meanwhile, up to a line of ours."""
    mark = f"mark-{next(marks)}-"
    ask(server, f"GET /nick?nick={mark} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    deadline = time.monotonic() + 5
    while f"nick {mark}" not in (text := server.log.read_text(errors="surrogateescape")):
        assert time.monotonic() < deadline, "what was logged has not been written"
        time.sleep(0.01)
    return text[before:].split("\n")[:-1]


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_nothing_of_a_request_moves_the_cursor(server: Served, payload: str) -> None:
    before = len(server.log.read_text(errors="surrogateescape"))
    end = " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n"
    asked = 0
    for target in (f"/echo{payload}", f"/nick?nick={payload}", f"/fails/{payload}"):
        ask(server, f"GET {target}{end}User-Agent: \x9b2J\xa0\r\n\r\n")
        asked += 1
    ask(server, f"GET /refused/{payload}{end}\r\n")
    with closing(open_websocket(server.address, f"/echo?name={payload}")) as connection:
        connection.sendall(frame(TEXT, b"\x1b[2J") + close_frame(4000, "\x1b[2J\x85"))
        assert receive_frame(connection).payload == b"\x1b[2J"
        receive_all(connection)
    lines = lines_since(server, before)
    assert lines, "nothing was logged: nothing was tested"
    assert not [line for line in lines if CONTROLS.search(line)]
    # And no line of the log was begun by a stranger.
    assert not [line for line in lines if line.startswith("ERROR")]
    assert sum(line.startswith(('{"time": ', "2")) for line in lines) >= asked - 1
    for line in lines:
        if line.startswith("{"):
            assert set(json.loads(line)) >= {"time", "level", "logger", "message"}
        else:
            assert LINE.match(line) or line.startswith("  ")


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS)
def test_nothing_of_a_request_begins_a_header_field(server: Served, payload: str) -> None:
    answer = ask(
        server, f"GET /nick?nick={payload} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    )
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    # What is beyond ASCII is "obs-text" (RFC 9110 §5.5), and no control to anybody on this way.
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f]", head.replace("\r\n", "\n"))
    assert "\nERROR" not in head
    assert head.startswith(("HTTP/1.1 200 ", "HTTP/1.1 500 ", "HTTP/1.1 400 "))


FORGED = "2026-01-01 00:00:00,000 INFO hubbub: all is well"


def test_an_exception_with_a_strangers_words(server: Served) -> None:
    before = len(server.log.read_text(errors="surrogateescape"))
    with closing(open_websocket(server.address, "/crashes")) as connection:
        connection.sendall(frame(TEXT, f"\x1b[2J\r\n{FORGED}\n\x85\u2028{FORGED}".encode()))
        assert receive_frame(connection).close_code == 1011
    lines = lines_since(server, before)
    assert sum(FORGED in line for line in lines) >= 1
    assert not [line for line in lines if CONTROLS.search(line)]
    assert not [line for line in lines if line.startswith(FORGED)]


SECRETS = [f"s3cret-{number:02d}-value" for number in range(12)]


def test_no_secret_of_a_request_is_logged(server: Served) -> None:
    before = len(server.log.read_text(errors="surrogateescape"))
    secret = iter(SECRETS)
    asked = [
        f"/nick?nick=a&token={next(secret)}",
        f"/fails/x?access_token={next(secret)}",
        f"/fails/token={next(secret)}",
        f"/refused/x?key={next(secret)}",
        f"/nowhere?password={next(secret)}&jwt={next(secret)}",
        f"/nick?nick=https://h/%3Fcode%3D{next(secret)}",
    ]
    fields = (
        f"Authorization: Bearer {next(secret)}\r\nCookie: session={next(secret)}\r\n"
        f"User-Agent: x?sig={next(secret)}\r\n"
    )
    for target in asked:
        ask(server, f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{fields}\r\n")
    with closing(open_websocket(server.address, f"/crashes?token={next(secret)}")) as connection:
        connection.sendall(frame(TEXT, f"password={next(secret)}".encode()))
        assert receive_frame(connection).close_code == 1011
    assert next(secret, None) is None, "a secret was not tried"
    lines = lines_since(server, before)
    assert sum("***" in line for line in lines) >= 4
    assert [one for one in SECRETS if any(one in line for line in lines)] == []
