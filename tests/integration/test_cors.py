"""Pages of other origins: which may read answers, and what their browsers are told before."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest

import hubbub
from hubbub import App, Misuse, Request, Response, ServerSettings, StreamingResponse
from hubbub.testing import serve

from ..wire import connect, receive_all

pytestmark = pytest.mark.anyio

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


def shared(**options: Any) -> App:
    app = App()

    @app.get("/thing")
    async def thing(req: Request) -> str:
        return "thing"

    @app.put("/thing")
    def put(req: Request) -> None: ...

    @app.get("/stream")
    def stream(req: Request) -> StreamingResponse:
        async def some() -> AsyncIterator[bytes]:
            yield b"x"

        return StreamingResponse(some())

    app.cors(**{"origins": (FRIEND,), **options})
    return app


async def test_friends_may_read_and_strangers_may_not() -> None:
    async with serve(shared(credentials=True, expose=("x-total",))) as server:
        for path in ("/thing", "/stream"):
            friend = await server.get(path, headers={"origin": FRIEND})
            assert friend.headers["access-control-allow-origin"] == FRIEND
            assert friend.headers["access-control-allow-credentials"] == "true"
            assert friend.headers["access-control-expose-headers"] == "x-total"
            for headers in ({"origin": STRANGER}, {"origin": "null"}, {}):
                other = await server.get(path, headers=headers)
                assert other.status == 200
                assert not any(name.startswith("access-control") for name in other.headers)
                # Else a cache would give one the answer for the other.
                assert other.headers["vary"] == "origin"


async def test_browsers_are_answered_before_they_ask() -> None:
    async with serve(shared(headers=("content-type",), max_age_s=60)) as server:
        question = {"origin": FRIEND, "access-control-request-method": "PUT"}
        told = await server.request("OPTIONS", "/thing", headers=question)
        assert (told.status, told.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PUT")
        assert told.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, PUT"
        assert told.headers["access-control-allow-headers"] == "content-type"
        assert told.headers["access-control-max-age"] == "60"
        stranger = await server.request(
            "OPTIONS", "/thing", headers=question | {"origin": STRANGER}
        )
        assert "access-control-allow-methods" not in stranger.headers


async def test_everybody_may_read_what_is_public() -> None:
    async with serve(shared(origins=("*",))) as server:
        answer = await server.get("/thing", headers={"origin": STRANGER})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "vary" not in answer.headers


LONG = b"Content-Length: 100\r\n\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

IN_ITS_PLACE = {
    "a body too long": (b"POST /collects", LONG, 413),
    "that came at once": (b"POST /collects", LONG + b"x" * 100, 413),
    "that is streamed": (b"POST /streams", LONG, 413),
    "in chunks": (b"POST /collects", CHUNKED + b"64\r\n", 413),
    "a body that is none": (b"POST /collects", CHUNKED + b"what?\r\n", 400),
    "one that does not come": (b"POST /collects", b"Content-Length: 5\r\n\r\n", 408),
    "a handler that fails": (b"GET /fails", b"\r\n", 500),
    "later": (b"GET /fails/later", b"\r\n", 500),
    "and cannot say what it wants": (b"GET /fails/to-say", b"\r\n", 500),
    "another method": (b"DELETE /collects", b"\r\n", 405),
}
"""What makes the server answer in a handler's place: how the request begins and ends, and how."""


def failing() -> App:
    app = App()

    @app.post("/collects", body_limit_bytes=10)
    def collects(req: Request) -> None: ...

    @app.post("/streams", stream=True, body_limit_bytes=10)
    async def streams(req: Request) -> None:
        async for _ in req.stream():
            pass

    @app.get("/fails")
    def fails(req: Request) -> None:
        raise RuntimeError("on purpose")

    @app.get("/fails/later")
    async def fails_later(req: Request) -> None:
        await asyncio.sleep(0)
        raise RuntimeError("on purpose")

    @app.get("/fails/to-say")
    def fails_to_say(req: Request) -> Response:
        return Response("x", headers={"x": "a\r\nb: c"})

    app.cors(origins=(FRIEND,), credentials=True)
    return app


@pytest.mark.parametrize("threads", [1, 2])
async def test_friends_may_read_what_is_answered_in_a_handlers_place(threads: int) -> None:
    settings = ServerSettings(threads=threads, body_timeout_s=0.3)
    async with hubbub.serve(failing(), port=0, settings=settings) as server:
        address = server.url.rpartition("/")[2]

        def asked(origin: str, begin: bytes, end: bytes) -> bytes:
            head = b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\nOrigin: " + origin.encode()
            with closing(connect(address)) as connection:
                connection.sendall(begin + head + b"\r\n" + end)
                return receive_all(connection).lower()

        for what, (begin, end, status) in IN_ITS_PLACE.items():
            friend, stranger = await asyncio.gather(
                asyncio.to_thread(asked, FRIEND, begin, end),
                asyncio.to_thread(asked, STRANGER, begin, end),
            )
            assert friend.startswith(b"http/1.1 %d " % status), what
            assert b"\r\naccess-control-allow-origin: " + FRIEND.encode() in friend, what
            assert b"\r\naccess-control-allow-credentials: true\r\n" in friend, what
            assert b"access-control" not in stranger, what
            for answer in (friend, stranger):
                assert answer.count(b"\r\nvary: origin\r\n") == 1, what


async def test_what_one_request_is_refused_with_is_not_said_of_the_next() -> None:
    app = failing()
    open_to_all = App()

    @open_to_all.post("/collects", body_limit_bytes=10)
    def collects(req: Request) -> None: ...

    app.mount("/private", open_to_all)
    async with serve(app) as server:

        def asked() -> bytes:
            with closing(connect(f"127.0.0.1:{server.port}")) as connection:
                head = f" HTTP/1.1\r\nHost: h\r\nOrigin: {FRIEND}\r\n".encode()
                connection.sendall(b"POST /collects" + head + b"Content-Length: 1\r\n\r\n")
                connection.sendall(b"x")
                connection.sendall(b"POST /private/collects" + head + LONG)
                return receive_all(connection).lower()

        first, second = (await asyncio.to_thread(asked)).split(b"http/1.1 ")[1:]
    assert first.startswith(b"204")
    assert b"access-control-allow-origin" in first
    assert second.startswith(b"413")
    assert b"access-control" not in second


@pytest.mark.parametrize(
    "options",
    [
        {"origins": ("*",), "credentials": True},
        {"origins": ("*", FRIEND)},
        {"origins": ("friend.example",)},
        {"origins": (FRIEND + "/",)},
    ],
)
def test_mistakes_are_told(options: dict[str, Any]) -> None:
    with pytest.raises(Misuse, match="cors"):
        shared(**options)
