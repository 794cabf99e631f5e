"""Small HTTP: `@app.get`, `@app.post`, and everything that is not a route."""

import asyncio

import msgspec
import pytest
from msgspec import Struct

import hubbub
from hubbub import App, HandshakeRejected, Reject, Request, Response, WebSocket
from hubbub.testing import serve

from .conftest import Failing
from .test_streams import CLOSE, Line

pytestmark = pytest.mark.anyio


class Thing(Struct):
    size: int


app = App()


@app.get("/text")
def text(req: Request) -> str:
    return "hä"


@app.get("/json")
async def json(req: Request) -> dict[str, str]:
    await asyncio.sleep(0)
    return {"status": "ok"}


@app.get("/nothing")
def nothing(req: Request) -> None: ...


@app.get("/things/{number}")
def thing(req: Request, number: int, page: int = 1) -> list[int]:
    return [number, page]


@app.post("/things")
def add(req: Request, thing: Thing) -> Response:
    return Response(thing, status=201, headers={"location": f"/things/{thing.size}"})


@app.post("/raw")
async def raw(req: Request) -> bytes:
    await asyncio.sleep(0)
    return req.body[::-1]


@app.get("/secret")
def secret(req: Request) -> None:
    raise Reject(401, "who are you?", {"www-authenticate": "Bearer"})


@app.get("/broken")
def broken(req: Request) -> None:
    raise ZeroDivisionError


@app.get("/broken-later")
async def broken_later(req: Request) -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


@app.get("/split")
def split(req: Request) -> Response:
    return Response("x", headers={"x-a": "1\r\nx-b: 2"})


@app.message("/ws")
def ws(ws: WebSocket, msg: str) -> None: ...


@app.get("/both")
def both(req: Request) -> str:
    return "page"


@app.message("/both")
def both_ws(ws: WebSocket, msg: str) -> str:
    return "socket"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/text", 200, "hä".encode()),
        ("/json", 200, b'{"status":"ok"}'),
        ("/nothing", 204, b""),
        ("/things/7", 200, b"[7,1]"),
        ("/things/7?page=2", 200, b"[7,2]"),
    ],
)
async def test_answers(path: str, status: int, body: bytes) -> None:
    async with serve(app) as server:
        answer = await server.get(path)
        assert (answer.status, answer.body) == (status, body)
        assert "date" in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/things/seven", 404),
        ("GET", "/things/7?page=two", 400),
        ("GET", "/no/such/path", 404),
        ("POST", "/text", 405),
        ("DELETE", "/things", 405),
        ("GET", "/secret", 401),
        ("GET", "/ws", 426),
    ],
)
async def test_refusals(method: str, path: str, status: int) -> None:
    async with serve(app) as server:
        answer = await server.request(method, path)
        assert answer.status == status
        if status == 405:
            assert "allow" in answer.headers
        if status == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.text == "who are you?\n"


async def test_head_is_get_without_the_body() -> None:
    async with serve(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"HEAD /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b"content-length: 15" in head.lower()
        assert body == b""


async def test_bodies() -> None:
    async with serve(app) as server:
        created = await server.post("/things", json=Thing(3))
        assert (created.status, created.json()) == (201, {"size": 3})
        assert created.headers["location"] == "/things/3"
        assert (await server.post("/things", body=b"{")).status == 400
        assert (await server.post("/raw", body=b"abc")).body == b"cba"
        assert (await server.post("/raw", body=b"x" * 2_000_000)).status == 413


async def test_two_requests_on_one_connection() -> None:
    async with serve(app) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        request = b"GET /json HTTP/1.1\r\nHost: x\r\n\r\n"
        writer.write(request + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answers = await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        assert answers.count(b'{"status":"ok"}') == 2


@pytest.mark.parametrize("path", ["/broken", "/broken-later"])
async def test_an_exception_is_500_and_says_nothing_of_the_inside(
    path: str, failing: Failing
) -> None:
    async with failing(app, ZeroDivisionError) as server:
        answer = await server.get(path)
        assert answer.status == 500
        assert b"Zero" not in answer.body


async def test_who_asks_for_json_gets_errors_as_json(failing: Failing) -> None:
    failed = App()

    @failed.get("/broken")
    def broken(req: Request) -> None:
        raise ZeroDivisionError

    @failed.get("/refused")
    def refused(req: Request) -> None:
        raise Reject(404)

    expected = {
        ("GET", "/broken"): (500, "internal server error"),
        ("GET", "/refused"): (404, "Not Found"),
        ("GET", "/nowhere"): (404, "nothing here"),
        ("DELETE", "/refused"): (405, "not by this method"),
    }
    async with failing(failed, ZeroDivisionError, ZeroDivisionError) as server:
        for (method, path), (status, error) in expected.items():
            answer = await server.request(method, path, headers={"accept": "application/json"})
            assert answer.headers["content-type"] == "application/json"
            assert answer.json() == {"status": status, "error": error}
            plain = await server.request(method, path)
            assert (plain.status, plain.text.strip()) == (status, error)


async def test_cookies_keep_every_letter() -> None:
    asked = App()

    @asked.get("/")
    def cookies(req: Request) -> dict[str, str]:
        return req.cookies

    async with serve(asked) as server:
        line = await Line.to(server.port)
        line.ask("GET /", CLOSE + 'Cookie: a=voilà ;\tb = "c"\r\n'.encode())
        _, _, content = (await line.rest()).partition(b"\r\n\r\n")
        assert msgspec.json.decode(content) == {"a": "voilà".encode().decode("latin-1"), "b": "c"}
        await line.hang_up()


async def test_a_rejection_that_is_kept_keeps_nothing() -> None:
    """Python adds each raise's frames to those an exception has, and so all that is in them."""
    kept = [Reject(403, f"no {number}") for number in range(4)]
    app = App()

    @app.get("/0")
    def plainly(req: Request) -> None:
        raise kept[0]

    @app.get("/1")
    async def later(req: Request) -> None:
        await asyncio.sleep(0)
        raise kept[1]

    def nobody(req: Request) -> None:
        raise kept[2]

    async def nobody_later(req: Request) -> None:
        await asyncio.sleep(0)
        raise kept[3]

    app.message("/2", auth=nobody)(lambda ws, msg: None)
    app.message("/3", auth=nobody_later)(lambda ws, msg: None)
    async with serve(app) as server:
        for number in range(2):
            answer = await server.get(f"/{number}")
            assert (answer.status, answer.text) == (403, f"no {number}\n")
        for number in range(2, 4):
            with pytest.raises(HandshakeRejected, match="403"):
                await hubbub.connect(server.ws_url + f"/{number}")
    assert [one.__traceback__ for one in kept] == [None] * len(kept)


async def test_a_header_cannot_be_split() -> None:
    async with serve(app) as server:
        answer = await server.get("/split")
        assert answer.status == 500
        assert "x-b" not in answer.headers
        server.exceptions.clear()


async def test_a_page_and_a_socket_may_share_a_path() -> None:
    async with serve(app) as server:
        assert (await server.get("/both")).text == "page"
        async with server.connect("/both") as client:
            client.send("?")
            assert await client.receive() == "socket"


async def test_a_method_is_allowed_once() -> None:
    app = App()

    @app.route("/x", methods=("GET", "HEAD", "OPTIONS", "PUT"))
    def answer(request: Request) -> str:
        return "x"

    async with serve(app) as server:
        refused = await server.request("DELETE", "/x")
        assert refused.status == 405
        assert refused.headers["allow"] == "GET, HEAD, OPTIONS, PUT"
