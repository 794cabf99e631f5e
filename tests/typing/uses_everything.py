"""A user's file that touches the whole public API: it must pass mypy and basedpyright, both strict.

Checked, never run.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Literal, assert_type
from uuid import UUID

from msgspec import Struct

import hubbub
from hubbub import (
    App,
    BadCertificate,
    CannotListen,
    CertificatePair,
    Channel,
    Connecting,
    ConnectionClosed,
    Event,
    EventSourceResponse,
    Failure,
    FileResponse,
    Form,
    HandshakeRejected,
    HandshakeTimeout,
    Headers,
    HubbubError,
    InvalidMessage,
    Misuse,
    Reject,
    Request,
    Response,
    Sent,
    Server,
    ServerSettings,
    Stats,
    StreamingResponse,
    TlsInfo,
    TlsSettings,
    Trust,
    Upload,
    Violation,
    WebSocket,
    last_event_id,
    testing,
)


class Colour(Enum):
    RED = "red"


class User(Struct):
    name: str


class Say(Struct, tag="say"):
    text: str


class Shout(Struct, tag="shout"):
    text: str


class Said(Struct, tag="said"):
    name: str
    text: str


app = App()
other = App()


async def auth(req: Request) -> User:
    await asyncio.sleep(0)
    if "authorization" not in req.headers:
        raise Reject(401, "who are you?", {"www-authenticate": "Bearer"})
    return User(req.headers["authorization"])


def auth_at_once(req: Request) -> User:
    return User(req.cookies.get("name", "guest"))


def joined(ws: WebSocket[User]) -> None:
    ws.subscribe(ws.data.name)


@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    return msg


@app.get("/whoami")
def whoami(req: Request) -> str:
    tls = req.tls
    assert_type(tls, TlsInfo | None)
    if tls is None:
        return "anybody"
    print(tls.version, tls.cipher, tls.server_name, tls.resumed, tls.client_certificate)
    return tls.client_subject or "somebody"


@app.message(
    "/upper",
    auth=auth,
    on_open=joined,
    on_close=joined,
    subprotocols=("chat.v1",),
    origins=("https://example.org",),
    message_limit_bytes="16MiB",
    outbox_limit_bytes=65_536,
    compression="off",
)
async def upper(ws: WebSocket[User], msg: str) -> str | None:
    await asyncio.sleep(0)
    return msg.upper() if ws.data.name else None


@app.websocket("/ws/{room}/{number}", auth=auth_at_once)
async def room_socket(
    ws: WebSocket[User],
    room: str,
    number: int,
    colour: Colour = Colour.RED,
    size: Literal["s", "m"] = "s",
    ratio: float = 1.0,
    loud: bool = False,
    ticket: UUID | None = None,
) -> None:
    sent: Sent = ws.send(room)
    if not sent:
        assert_type(sent.status, Literal["queued", "backpressure", "dropped", "closed"])
    still_open: bool = await sent
    ws.send(b"bytes")
    ws.send(memoryview(b"view"))
    ws.subscribe(room)
    count: int = ws.publish(room, "text", include_self=True, key="position")
    task: asyncio.Task[int] = ws.spawn(numbers())
    task.cancel()
    async for message in ws:
        assert_type(message, str | bytes)
    async for text in ws.text():
        assert_type(text, str)
    async for binary in ws.binary():
        assert_type(binary, bytes)
    try:
        assert_type(await ws.recv(), str | bytes)
    except ConnectionClosed as closed:
        print(closed.code, closed.reason)
    ws.unsubscribe(room)
    ws.ping()
    ws.data = User("another")
    print(ws.id, ws.params, ws.request.path, ws.path, ws.peer, ws.subprotocol, ws.rtt, ws.buffered)
    print(
        ws.client,
        ws.is_open,
        ws.close_code,
        ws.close_reason,
        ws.closed_by,
        ws.topics,
        count,
        still_open,
    )
    print(number, colour, size, ratio, loud, ticket)
    ws.close(4000, "enough")
    await ws.wait_closed()


board = app.channel("/board/{id}", auth=auth)
board_at_once = app.channel("/board2/{id}", auth=auth_at_once, compression="off")
open_board = app.channel("/open/{id}")
assert_type(board, Channel[User])
assert_type(board_at_once, Channel[User])


@board.on
def say(ws: WebSocket[User], msg: Say) -> None:
    app.publish(ws.params["id"], Said(ws.data.name, msg.text))
    board.send(ws, Said("server", "noted"))


@board.on
async def shout(ws: WebSocket[User], msg: Shout) -> Said:
    await asyncio.sleep(0)
    return Said(ws.data.name, msg.text.upper())


@board.on_open
def board_opened(ws: WebSocket[User]) -> None:
    ws.subscribe(ws.params["id"])


@board.on_close
def board_closed(ws: WebSocket[User]) -> None:
    print(ws.close_code)


@board.on_invalid
def board_invalid(ws: WebSocket[User], error: InvalidMessage) -> Said:
    return Said("server", f"{error.code} {error.reason} {error.payload!r}")


@open_board.on
def say_open(ws: WebSocket, msg: Say | Shout) -> str:
    return msg.text


@app.get("/healthz")
def healthz(req: Request) -> dict[str, str]:
    return {"status": "ok"}


@app.get("/things/{number}")
async def thing(req: Request, number: int, page: int = 1) -> Response:
    headers: Headers = req.headers
    print(headers.get("accept"), headers.get("accept", "*"), headers.get_all("cookie"))
    print(req.client, req.scheme, req.host)
    print(len(headers), list(headers), headers.items(), req.raw_target, req.query_string)
    print(req.method, req.params, req.query, req.peer, req.connection_id, page)
    return Response({"number": number}, status=201, headers={"x-page": "1"})


@app.get("/page")
def page(req: Request) -> Response:
    return Response.html("<!doctype html><title>x</title>")


@app.route("/notes/{number}", methods=("PUT", "PATCH"))
def note(req: Request, number: int, said: Said) -> Response:
    response = Response(said)
    response.set_cookie("last", str(number), max_age_s=3600, same_site="strict")
    response.delete_cookie("old")
    return response


@app.post("/sign-up")
def sign_up(req: Request, form: Form) -> str:
    assert_type(form.to(User), User)
    assert_type(form.files.get("photo"), Upload | None)
    return form["name"] + form.get("title")


@app.post("/upload", stream=True, body_limit_bytes="1GiB")
async def upload(req: Request) -> StreamingResponse:
    async for piece in req.stream():
        assert_type(piece, bytes)

    async def echo() -> AsyncIterator[str]:
        yield "done"

    return StreamingResponse(echo(), content_type="text/plain")


@app.get("/events")
def events(req: Request) -> EventSourceResponse:
    async def some() -> AsyncIterator[Event | str]:
        yield last_event_id(req)
        yield Event({"a": 1}, event="thing", id="1", retry_ms=1000)

    return EventSourceResponse(some())


@app.get("/report")
def report(req: Request) -> FileResponse:
    return FileResponse("report.pdf", download_as="Report.pdf")


app.static("/assets", "assets", immutable=True, cache_control="no-store", index="")


@app.get("/away")
def away(req: Request) -> Response:
    return Response.redirect("/page")


@app.post("/things")
def add(req: Request, thing: Say) -> bytes | None:
    return req.body or thing.text.encode()


@app.lifespan
async def lifespan() -> AsyncIterator[None]:
    app.spawn(numbers())
    yield


@other.lifespan
@asynccontextmanager
async def other_lifespan() -> AsyncGenerator[None]:
    yield


@app.every("30s")
def tick() -> None:
    app.publish("ticks", f"{app.subscribers('ticks')} listen", key="tick")


@app.every(0.25)
async def tick_async() -> None:
    await asyncio.sleep(0)


app.topic("ticks", policy="conflate")
app.mount("/other", other)


async def numbers() -> int:
    return 1


async def client() -> None:
    connecting: Connecting = hubbub.connect(
        "ws://127.0.0.1:8000/echo",
        subprotocols=("chat.v1",),
        headers={"authorization": "Ada"},
        message_limit_bytes="16MiB",
        compression="shared",
        timeout="5s",
    )
    try:
        async with connecting as ws:
            ws.send("hello")
            assert_type(ws, WebSocket[None])
        ws = await hubbub.connect("ws://localhost/", uds="/run/hubbub.sock")
        ws.close()
        async for again in hubbub.connect("ws://localhost/"):
            assert_type(again, WebSocket[None])
        trust = Trust(ca="ca.pem", cert="me.pem", key="me.key", server_name="example.org")
        await hubbub.connect("wss://127.0.0.1/", tls=trust)
        await hubbub.connect("wss://localhost/", tls=Trust(without_verification=True))
    except HandshakeRejected as refused:
        print(refused.status, refused.headers, refused.body)
    except (
        HandshakeTimeout,
        CannotListen,
        BadCertificate,
        Failure,
        Violation,
        Misuse,
        HubbubError,
        OSError,
    ):
        raise


async def embedded() -> None:
    settings = ServerSettings(message_limit_bytes=1024, ping_interval_s=5)
    settings = ServerSettings.parse({"message_limit_bytes": "1KiB", "ping_interval_s": "5s"})
    tls = TlsSettings(
        cert="fullchain.pem",
        key="privkey.pem",
        more=(CertificatePair("other.pem", "other.key"),),
        client_ca="clients.pem",
        client_auth="optional",
        minimum_version="1.3",
    )
    async with hubbub.serve(app, host="::1", port=0, tls=tls, settings=settings) as server:
        assert_type(server, Server)
        assert_type(server.stats(), Stats)
        assert_type(server.reload_certificates(), bool)
        print(server.addresses, server.urls, server.url, server.ws_url, server.stats())
        await server.close()


async def tests() -> None:
    async with testing.serve(app) as server, server.connect("/echo", timeout=1) as client:
        assert_type(server, testing.TestServer)
        assert_type(client, testing.Client)
        client.send("hello")
        client.send_json(Say("hello"))
        assert_type(await client.receive(timeout_s=1), str | bytes)
        assert_type(await client.receive_json(Said), Said)
        assert_type(await client.wait_closed(), int | None)
        answer = await server.get("/healthz", headers={"accept": "*/*"})
        assert_type(answer, testing.Answer)
        print(answer.status, answer.headers, answer.body, answer.text, answer.json())
        await server.post("/things", json=Say("hello"))
        await server.request("DELETE", "/things", body=b"")
        print(server.exceptions, server.url, server.ws_url, server.port, server.stats())


async def translated() -> None:
    backend = testing.PseudoBackend((("en", "fr"),), name="pseudo")
    print(backend.asked, backend.failures)


def program() -> None:
    with asyncio.Runner(loop_factory=hubbub.new_event_loop) as runner:
        runner.run(embedded())
    hubbub.run(app, host="0.0.0.0", port=80, backlog=64)
    print(hubbub.__version__)
