"""What is measured of ours: an echo by callback, an echo by `async for`, a fan-out."""

from hubbub import App, WebSocket

app = App()


@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    """The shortest handler there is."""
    return msg


@app.websocket("/echo-for")
async def echo_for(ws: WebSocket) -> None:
    """A real asyncio task for each connection."""
    async for msg in ws:
        await ws.send(msg)


def join(ws: WebSocket) -> None:
    """Everybody who comes hears everything."""
    ws.subscribe("fan")


@app.message("/fan", on_open=join)
def fan(ws: WebSocket, msg: str | bytes) -> None:
    """Native fan-out, asked for by Python."""
    app.publish("fan", msg)
