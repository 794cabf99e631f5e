"""A user's module: configured, reloaded, and answering HTTP in every way there is.

Checked, never run. `uses_everything` has what is older.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import assert_type

from msgspec import Struct

from hubbub import (
    App,
    EventSourceResponse,
    Reject,
    Request,
    Response,
    ServerSettings,
    StreamingResponse,
    WebSocket,
)


class Config(Struct):
    languages: list[str] = ["en"]


@dataclass
class Plain:
    name: str = "x"


app = App(config=Config)
plain = App(config=Plain)
assert_type(app, App[Config])
assert_type(plain.config, Plain)

app.state.rooms = {"lobby": 1}
app.topic("news.*", shared=True, policy="drop-oldest")
app.mount("/plain", plain)
app.cors(origins=("https://example.org",), credentials=True, headers=("x-token",), max_age_s=60)
app.static("/files", "files", precompressed=False, headers={"x-frame-options": "DENY"})


@app.message("/ws")
def hear(ws: WebSocket, msg: str) -> str:
    assert_type(app.config, Config)
    traffic: tuple[int, int, int, int] | None = ws.traffic
    return f"{app.config.languages[0]}: {msg} {traffic}"


@app.handover
def take(old: App) -> None:
    app.state.rooms = old.state.rooms


@app.handover_each
def each(ws: WebSocket) -> None:
    ws.spawn(forever())


async def forever() -> None:
    await asyncio.Event().wait()


@app.put("/things/{number}")
def put(req: Request, number: int) -> Response:
    return Response(None, status=204)


@app.patch("/things/{number}")
def patch(req: Request, number: int, config: Config) -> Config:
    return config


@app.delete("/things/{number}", body_limit_bytes=0)
def delete(req: Request, number: int) -> None:
    raise Reject(409, "not now", {"retry-after": "5"})


@app.head("/things")
def head(req: Request) -> None: ...


@app.options("/things")
def options(req: Request) -> Response:
    return Response(None, status=204, headers={"allow": "HEAD"}, compress=False)


@app.get("/lines")
async def lines(req: Request) -> StreamingResponse:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"line\n"
            await asyncio.sleep(1)

    return StreamingResponse(endless(), endless=True, status=200, headers={"x-a": "b"})


@app.get("/export")
def export(req: Request) -> StreamingResponse:
    async def three() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x"

    return StreamingResponse(three(), length=3)


@app.get("/events")
def events(req: Request) -> EventSourceResponse:
    async def some() -> AsyncIterator[str]:
        yield "x"

    return EventSourceResponse(some(), heartbeat_s=5, endless=False, headers={"x-a": "b"})


def settings() -> ServerSettings:
    return ServerSettings(
        threads=2,
        handover_timeout_s=2,
        proxy_headers=True,
        proxy_fields="forwarded",
        trusted_proxies=("127.0.0.1", "unix"),
        inflated_ratio=50,
        dry_run=("inflated_ratio", "message_limit"),
        rate_policy="close",
    )
