"""HTTP bodies that take their time: uploads read as they come, answers in pieces, events, cuts."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator

import pytest

from hubbub import (
    App,
    ConnectionClosed,
    Event,
    EventSourceResponse,
    Form,
    Misuse,
    Reject,
    Request,
    Response,
    ServerSettings,
    StreamingResponse,
    last_event_id,
)
from hubbub.testing import serve

from ..waiting import until
from .conftest import Failing

pytestmark = pytest.mark.anyio

TIMEOUT_S = 10
CLOSE = b"Connection: close\r\n"

app = App()


@app.get("/small")
def small(req: Request) -> str:
    return "small"


@app.get("/long")
def long(req: Request) -> Response:
    return Response("hubbub " * 1000)


@app.get("/pieces")
def pieces(req: Request) -> StreamingResponse:
    async def some() -> AsyncIterator[str]:
        for number in range(3):
            yield f"<{number}>"
            await asyncio.sleep(0)

    return StreamingResponse(some(), content_type="text/plain")


@app.get("/large")
def large(req: Request) -> StreamingResponse:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b"x" * 100_000

    return StreamingResponse(much(), length=8_000_000)


@app.post("/upload", stream=True, body_limit_bytes="16MiB")
async def upload(req: Request) -> dict[str, int]:
    total = 0
    async for piece in req.stream():
        total += len(piece)
    return {"bytes": total}


@app.post("/refuse", stream=True)
async def refuse(req: Request) -> None:
    raise Reject(403, "not from you")


@app.post("/numbered/{number}", stream=True)
async def numbered(req: Request, number: int) -> None:
    async for _ in req.stream():
        pass


begun: set[str] = set()
read_to: dict[str, str] = {}


@app.put("/kept/{name}", stream=True, body_limit_bytes=1000)
async def keep(req: Request, name: str) -> None:
    async def read() -> None:
        begun.add(name)
        try:
            async for _ in req.stream():
                pass
        except ConnectionClosed:
            read_to[name] = "a part"
            raise
        read_to[name] = "its end"

    if name.startswith("elsewhere"):
        await asyncio.create_task(read())
    else:
        await read()


gone = asyncio.Event()


@app.put("/later", stream=True)
async def read_later(req: Request) -> None:
    async def read() -> None:
        await gone.wait()
        try:
            async for _ in req.stream():
                pass
        except ConnectionClosed:
            read_to["later"] = "a part"

    reading = asyncio.create_task(read())
    begun.add("later")
    try:
        await asyncio.Event().wait()
    finally:
        gone.set()
        await reading


@app.post("/collect", body_limit_bytes=300_000)
def collect(req: Request) -> str:
    return str(len(req.body))


@app.post("/both", stream=True, body_limit_bytes="16MiB")
def both(req: Request) -> StreamingResponse:
    return StreamingResponse(req.stream())


@app.get("/breaks")
def breaks(req: Request) -> StreamingResponse:
    async def some() -> AsyncIterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    return StreamingResponse(some())


@app.get("/short")
def short(req: Request) -> StreamingResponse:
    async def some() -> AsyncIterator[bytes]:
        yield b"a"

    return StreamingResponse(some(), length=2)


@app.get("/events")
def events(req: Request) -> EventSourceResponse:
    async def some() -> AsyncIterator[Event | str]:
        yield f"after {last_event_id(req)}"
        yield Event({"a": 1}, event="thing", id="7", retry_ms=100)
        yield "two\nlines"

    return EventSourceResponse(some())


class Line:
    """A connection that a test speaks on by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def to(cls, port: int) -> "Line":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def ask(self, line: str, fields: bytes = b"", body: bytes = b"") -> None:
        if b"Transfer-Encoding" not in fields and b"Content-Length" not in fields and body:
            fields += b"Content-Length: %d\r\n" % len(body)
        head = line.encode() + b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"
        self.writer.write(head + body)

    async def until(self, end: bytes) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.reader.readuntil(end)

    async def rest(self) -> bytes:
        async with asyncio.timeout(TIMEOUT_S):
            return await self.reader.read()

    async def hang_up(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


async def ask(
    port: int, line: str, fields: bytes = CLOSE, body: bytes = b""
) -> tuple[bytes, bytes]:
    connection = await Line.to(port)
    try:
        connection.ask(line, fields, body)
        head, _, content = (await connection.rest()).partition(b"\r\n\r\n")
        return head, content
    finally:
        await connection.hang_up()


async def test_pieces_are_chunks_and_the_connection_goes_on() -> None:
    async with serve(app) as server:
        line = await Line.to(server.port)
        line.ask("GET /pieces")
        line.ask("GET /small", CLOSE)
        head = await line.until(b"\r\n\r\n")
        assert b"Transfer-Encoding: chunked" in head
        assert await line.until(b"0\r\n\r\n") == b"3\r\n<0>\r\n3\r\n<1>\r\n3\r\n<2>\r\n0\r\n\r\n"
        assert (await line.rest()).endswith(b"\r\n\r\nsmall")
        await line.hang_up()


async def test_who_knows_no_chunks_gets_none() -> None:
    async with serve(app) as server:
        line = await Line.to(server.port)
        line.writer.write(b"GET /pieces HTTP/1.0\r\n\r\n")
        head, _, content = (await line.rest()).partition(b"\r\n\r\n")
        assert b"Transfer-Encoding" not in head
        assert content == b"<0><1><2>"
        await line.hang_up()


@pytest.mark.parametrize("path", ["/pieces", "/large"])
async def test_head_has_no_body(path: str) -> None:
    async with serve(app) as server:
        line = await Line.to(server.port)
        line.ask(f"HEAD {path}")
        line.ask("GET /small", CLOSE)
        await line.until(b"\r\n\r\n")
        assert (await line.rest()).startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain")
        await line.hang_up()


async def test_a_length_that_is_known_is_sent() -> None:
    async with serve(app) as server:
        head, content = await ask(server.port, "GET /large")
        assert b"Content-Length: 8000000" in head
        assert content == b"x" * 8_000_000


async def test_a_reader_that_waits_is_waited_for() -> None:
    async with serve(app, settings=ServerSettings(outbox_limit_bytes=200_000)) as server:
        line = await Line.to(server.port)
        line.ask("GET /large", CLOSE)
        await line.until(b"\r\n\r\n")
        # All buffers are full by now, and there the server waits.
        for _ in range(3):
            await asyncio.sleep(0)
        assert server.stats().held_bytes < 2_000_000
        assert len(await line.rest()) == 8_000_000
        await line.hang_up()


@pytest.mark.parametrize("size", [1, 100_000, 5_000_000])
async def test_an_upload_is_read_as_it_comes(size: int) -> None:
    body = b"y" * size
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)
    async with serve(app) as server:
        _, content = await ask(server.port, "POST /upload", CLOSE, body)
        assert content == b'{"bytes":%d}' % size
        fields = CLOSE + b"Transfer-Encoding: chunked\r\n"
        _, content = await ask(server.port, "POST /upload", fields, chunked)
        assert content == b'{"bytes":%d}' % size


async def test_an_upload_is_followed_by_the_next_request() -> None:
    async with serve(app) as server:
        line = await Line.to(server.port)
        for _ in range(3):
            line.ask("POST /upload", body=b"y" * 70_000)
        line.ask("GET /small", CLOSE)
        answers = await line.rest()
        assert answers.count(b'{"bytes":70000}') == 3
        assert answers.endswith(b"small")
        await line.hang_up()


async def test_an_answer_may_begin_before_the_upload_ends() -> None:
    async with serve(app) as server:
        line = await Line.to(server.port)
        line.ask("POST /both", CLOSE + b"Content-Length: 6\r\n", b"abc")
        await line.until(b"\r\n\r\n3\r\nabc\r\n")
        line.writer.write(b"def")
        assert await line.rest() == b"3\r\ndef\r\n0\r\n\r\n"
        await line.hang_up()


async def test_bodies_are_bounded_by_their_route() -> None:
    chunked = CLOSE + b"Transfer-Encoding: chunked\r\n"
    async with serve(app) as server:
        _, content = await ask(server.port, "POST /collect", CLOSE, b"x" * 300_000)
        assert content == b"300000"
        for path, body in (
            ("/collect", b"x" * 300_001),
            ("/upload", b"x" * (16 * 1024 * 1024 + 1)),
            ("/refuse", b"x" * 1_048_577),
        ):
            line = await Line.to(server.port)
            line.ask(f"POST {path}", CLOSE + b"Content-Length: %d\r\n" % len(body))
            assert (await line.rest()).startswith(b"HTTP/1.1 413 ")
            await line.hang_up()
        head, _ = await ask(server.port, "POST /collect", chunked, b"493e1\r\n")
        assert head.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "tricks",
    [
        b"3\r\nabc",
        b"3;\r\nabcd",
        b"0x3\r\nabc\r\n0\r\n\r\n",
        b"+3\r\nabc\r\n0\r\n\r\n",
        b"3\nabc\r\n0\r\n\r\n",
        b"3 \r\nabc\r\n0\r\n\r\n",
        b"\r\n3\r\nabc\r\n0\r\n\r\n",
        b"11111111111111111\r\nabc",
        b"3\r\nabc\r\n0\r\nX : y\r\n\r\n",
    ],
)
@pytest.mark.parametrize("path", ["/collect", "/upload"])
async def test_no_chunk_trick_reaches_an_answer(path: str, tricks: bytes) -> None:
    async with serve(app) as server:
        line = await Line.to(server.port)
        line.ask(f"POST {path}", b"Transfer-Encoding: chunked\r\n")
        line.writer.write(tricks + b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
        line.writer.write_eof()
        answer = await line.rest()
        assert b" 200 " not in answer
        assert b"small" not in answer
        await line.hang_up()


async def test_a_client_that_asks_first_is_answered_only_if_its_body_is_wanted() -> None:
    expects = CLOSE + b"Expect: 100-continue\r\n"
    async with serve(app) as server:
        for path in ("/upload", "/collect"):
            line = await Line.to(server.port)
            line.ask(f"POST {path}", expects + b"Content-Length: 3\r\n")
            assert await line.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            line.writer.write(b"abc")
            assert (await line.rest()).startswith(b"HTTP/1.1 200 OK\r\n")
            await line.hang_up()
        for path, length, status in (
            ("/collect", 400_000, 413),
            ("/nowhere", 3, 404),
            ("/small", 3, 405),
            ("/refuse", 3, 403),
            ("/refuse", 2_000_000, 413),
            ("/numbered/none", 3, 404),
        ):
            line = await Line.to(server.port)
            line.ask(f"POST {path}", expects + b"Content-Length: %d\r\n" % length)
            assert (await line.rest()).startswith(b"HTTP/1.1 %d " % status)
            await line.hang_up()


async def test_who_does_not_wait_to_be_told_needs_not() -> None:
    async with serve(app) as server:
        for path, body, status in (("/upload", b"abc", 200), ("/refuse", b"abc", 403)):
            line = await Line.to(server.port)
            line.ask(f"POST {path}", CLOSE + b"Expect: 100-continue\r\n", body)
            answer = await line.rest()
            assert answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").startswith(
                b"HTTP/1.1 %d " % status
            )
            await line.hang_up()


async def test_who_does_not_wait_to_be_told_has_no_longer_for_it() -> None:
    settings = ServerSettings(body_timeout_s=0.5)
    async with serve(app, settings=settings) as server:
        line = await Line.to(server.port)
        fields = b"Expect: 100-continue\r\nContent-Length: 900\r\n"
        line.ask("PUT /kept/here-unasked", fields, b"x" * 400)
        answer = (await line.rest()).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 408 ")
        await line.hang_up()


@pytest.mark.parametrize("where", ["here", "elsewhere"])
async def test_a_body_that_breaks_off_is_never_taken_for_whole(where: str) -> None:
    chunked = b"Transfer-Encoding: chunked\r\n"
    cases = {
        "gone": (b"Content-Length: 900\r\n", b"x" * 400),
        "slow": (b"Content-Length: 900\r\n", b"x" * 400),
        "long": (chunked, b"190\r\n" + b"x" * 400 + b"\r\n300\r\n"),
        "malformed": (chunked, b"190\r\n" + b"x" * 400 + b"\r\nnone\r\n"),
        "whole": (b"Content-Length: 400\r\n", b"x" * 400),
    }
    settings = ServerSettings(body_timeout_s=0.5)
    begun.clear()
    read_to.clear()
    async with serve(app, settings=settings) as server:
        for case, (fields, body) in cases.items():
            line = await Line.to(server.port)
            name = f"{where}-{case}"
            line.ask(f"PUT /kept/{name}", fields)
            # In pieces: what comes with its head is whole, or wrong, before anybody reads it.
            await until(lambda: name in begun, within_s=TIMEOUT_S)  # noqa: B023 - it is waited for
            line.writer.write(body)
            if case == "gone":
                await line.hang_up()
            await until(lambda: name in read_to, within_s=TIMEOUT_S)  # noqa: B023 - as before
            await line.hang_up()
    assert read_to == {
        f"{where}-{case}": "its end" if case == "whole" else "a part" for case in cases
    }


async def test_who_reads_when_the_client_has_gone_is_told() -> None:
    begun.clear()
    read_to.clear()
    async with serve(app) as server:
        line = await Line.to(server.port)
        line.ask("PUT /later", b"Content-Length: 900\r\n", b"x" * 400)
        await until(lambda: "later" in begun, within_s=TIMEOUT_S)
        await line.hang_up()
        await until(lambda: read_to == {"later": "a part"}, within_s=TIMEOUT_S)


async def test_a_body_that_is_streamed_is_no_parameter_whether_it_has_come_or_not(
    failing: Failing,
) -> None:
    other = App()

    with pytest.raises(Misuse, match=r"form: with stream=True the body is read by"):

        @other.post("/form", stream=True)
        async def take(req: Request, form: Form) -> None: ...

    @other.post("/body", stream=True)
    async def body(req: Request) -> str:
        return str(len(req.body))

    async with failing(other, Misuse, Misuse) as server:
        at_once, _ = await ask(server.port, "POST /body", CLOSE, b"abc")
        assert at_once.startswith(b"HTTP/1.1 500 ")
        line = await Line.to(server.port)
        line.ask("POST /body", CLOSE + b"Content-Length: 3\r\n")
        await asyncio.sleep(0.05)
        line.writer.write(b"abc")
        assert (await line.rest()).startswith(b"HTTP/1.1 500 ")
        await line.hang_up()


async def test_a_request_that_offers_another_protocol_is_one_like_any_other() -> None:
    """As Java's client does by default (RFC 9110 §7.8)."""
    h2c = CLOSE.rstrip() + b", Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n"
    async with serve(app) as server:
        _, content = await ask(server.port, "POST /upload", h2c, b"abc")
        assert content == b'{"bytes":3}'
        websocket = h2c.replace(b"h2c", b"h2c, websocket")
        head, _ = await ask(server.port, "POST /upload", websocket, b"abc")
        assert head.startswith(b"HTTP/1.1 400 ")


async def test_an_answer_that_breaks_off_has_no_end(failing: Failing) -> None:
    async with failing(app, ZeroDivisionError, Misuse, ZeroDivisionError) as server:
        for path, version in (("/breaks", "1.1"), ("/short", "1.1"), ("/breaks", "1.0")):
            line = await Line.to(server.port)
            line.writer.write(f"GET {path} HTTP/{version}\r\nHost: a\r\n\r\n".encode())
            got = b""
            with contextlib.suppress(ConnectionResetError):
                got = await line.rest()
                # A reset may overtake what was sent; an orderly end would be a lie.
                assert version == "1.1"
            assert b"0\r\n\r\n" not in got
            await line.hang_up()
        # With threads, a client may see the cut before the application sees it counted.
        async with asyncio.timeout(TIMEOUT_S):
            while server.stats().answers_cut < 3:
                await asyncio.sleep(0.01)
        assert server.stats().answers_cut == 3


async def test_events_are_written_as_browsers_read_them() -> None:
    async with serve(app) as server:
        fields = CLOSE + "Last-Event-ID: hä\r\n".encode()
        head, content = await ask(server.port, "GET /events", fields)
        assert b"content-type: text/event-stream\r\n" in head
        assert b"cache-control: no-store\r\n" in head
        assert "data: after hä\n\n".encode() in content
        assert b'event: thing\nid: 7\nretry: 100\ndata: {"a":1}\n\n' in content
        assert b"data: two\ndata: lines\n\n" in content


async def test_a_client_that_goes_away_ends_its_handler() -> None:
    parting = App()
    ended: asyncio.Queue[str] = asyncio.Queue()

    @parting.get("/silence")
    def silence(req: Request) -> EventSourceResponse:
        async def none() -> AsyncIterator[str]:
            try:
                await asyncio.Event().wait()
            finally:
                ended.put_nowait("silence")
            yield ""

        return EventSourceResponse(none(), heartbeat_s=0.05)

    @parting.get("/slow")
    async def slow(req: Request) -> None:
        ended.put_nowait("not yet")
        try:
            await asyncio.Event().wait()
        finally:
            ended.put_nowait("slow")

    async with serve(parting) as server, asyncio.timeout(TIMEOUT_S):
        line = await Line.to(server.port)
        line.ask("GET /silence")
        # The opening comment and a heartbeat.
        await line.until(b":\n\n")
        await line.until(b":\n\n")
        await line.hang_up()
        assert await ended.get() == "silence"
        line = await Line.to(server.port)
        line.ask("GET /slow")
        assert await ended.get() == "not yet"
        line.writer.write_eof()
        assert await ended.get() == "slow"
        with contextlib.suppress(ConnectionResetError):
            assert await line.rest() == b""
        await line.hang_up()


async def test_an_upload_that_crawls_is_ended() -> None:
    settings = ServerSettings(body_timeout_s=0.3, transfer_rate_bytes=1 << 20)
    async with serve(app, settings=settings) as server:
        for path in ("/upload", "/collect"):
            line = await Line.to(server.port)
            line.ask(f"POST {path}", b"Content-Length: 5\r\n", b"ab")
            assert (await line.rest()).startswith(b"HTTP/1.1 408 ")
            await line.hang_up()


async def test_a_client_that_takes_nothing_is_cut() -> None:
    async with serve(app, settings=ServerSettings(write_timeout_s=0.3)) as server:
        line = await Line.to(server.port)
        line.writer.transport.pause_reading()  # type: ignore[attr-defined]
        line.ask("GET /large")
        async with asyncio.timeout(TIMEOUT_S):
            while server.stats().answers_cut == 0:
                await asyncio.sleep(0.05)
        await line.hang_up()


async def test_requests_wait_for_room_for_their_answers() -> None:
    settings = ServerSettings(outbox_limit_bytes=100_000, outbox_low_bytes=10_000)
    async with serve(app, settings=settings) as server:
        line = await Line.to(server.port)
        for _ in range(2000):
            line.ask("GET /long")
        line.ask("GET /small", CLOSE)
        assert (await line.rest()).endswith(b"small")
        await line.hang_up()


async def test_long_texts_travel_compressed() -> None:
    async with serve(app) as server:
        head, content = await ask(server.port, "GET /long", CLOSE + b"Accept-Encoding: gzip\r\n")
        assert b"content-encoding: gzip" in head
        assert gzip.decompress(content) == b"hubbub " * 1000
