"""The same echo as one coroutine per connection.

hubbub run examples/echo_async.py:app
"""

from hubbub import App, WebSocket

app = App()


@app.websocket("/echo")
async def echo(ws: WebSocket) -> None:
    async for msg in ws:
        await ws.send(msg)
