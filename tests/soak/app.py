"""Every kind of endpoint, for visitors who come and go."""

import asyncio
import ctypes
import sys

import msgspec

from hubbub import App, Request, WebSocket
from tests.torture.inside import look_inside

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


class MallInfo(ctypes.Structure):
    """What glibc's `mallinfo2` tells (mallinfo(3))."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        )
    ]


LIBC = ctypes.CDLL(None)
LIBC.mallinfo2.restype = MallInfo


@app.get("/memory")
def memory(request: Request) -> dict[str, int]:
    """What is in use, whatever the allocators keep besides."""
    found = LIBC.mallinfo2()
    return {
        "python_blocks": sys.getallocatedblocks(),
        "malloc_bytes": found.uordblks + found.hblkhd,
        "malloc_kept_bytes": found.fordblks,
    }


look_inside(app)
