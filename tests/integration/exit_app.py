"""Handlers that end the program when they are told to (see test_faults)."""

import asyncio

from hubbub import App, WebSocket

app = App()


@app.message("/function")
def function(ws: WebSocket, message: str) -> str:
    if message == "exit":
        raise SystemExit(7)
    return message


@app.websocket("/coroutine")
async def coroutine(ws: WebSocket) -> None:
    async for message in ws.text():
        ws.send(function(ws, message))


@app.websocket("/coroutine-later")
async def coroutine_later(ws: WebSocket) -> None:
    async for message in ws.text():
        await asyncio.sleep(0)
        ws.send(function(ws, message))
