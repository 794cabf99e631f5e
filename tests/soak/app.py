"""Every kind of endpoint, for visitors who come and go."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from hubbub import App, Request, WebSocket
from hubbub.loop import EventLoop

app = App()


@app.message("/echo", compression="dedicated")
def echo(ws: WebSocket, message: str | bytes) -> str | bytes:
    return message


@app.message("/later")
async def later(ws: WebSocket, message: str | bytes) -> str | bytes:
    await asyncio.sleep(0.001)
    return message


@app.websocket("/room/{name}")
async def room(ws: WebSocket, name: str) -> None:
    ws.subscribe(name)
    async for message in ws:
        ws.publish(name, message, include_self=True)


async def admit(request: Request) -> str:
    await asyncio.sleep(0)
    return request.query.get("name", "guest")


@app.websocket("/told", auth=admit)
async def told(ws: WebSocket[str]) -> None:
    ws.spawn(_tick(ws))
    async for text in ws.text():
        ws.send(f"{ws.data}: {text}")


async def _tick(ws: WebSocket[str]) -> None:
    while True:
        await asyncio.sleep(0.5)
        ws.send("tick")


class Say(msgspec.Struct, tag="say"):
    text: str


board = app.channel("/board")


@board.on
def say(ws: WebSocket, message: Say) -> Say:
    return message


@app.get("/page/{number}")
def page(request: Request, number: int) -> dict[str, int]:
    return {"number": number}


@app.post("/form")
async def form(request: Request) -> str:
    await asyncio.sleep(0)
    return str(len(request.body))


@app.lifespan
async def life() -> AsyncIterator[None]:
    yield


@app.get("/stats")
def stats(request: Request) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, EventLoop)
    return dict(loop.host.engine.stats())
