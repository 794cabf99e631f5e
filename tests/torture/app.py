"""The app under attack: every kind of handler, and a look inside."""

import asyncio
import time
from pathlib import Path

import hubbub
from hubbub import App, Request, WebSocket
from tests.torture.inside import look_inside

app = App()

for policy in ("close", "drop-newest", "drop-oldest", "conflate"):
    app.topic(f"{policy}.*", policy=policy)


@app.message("/echo")
def echo(ws: WebSocket, message: str | bytes) -> str | bytes:
    return message


@app.message("/sink")
def sink(ws: WebSocket, message: str | bytes) -> None:
    """Takes everything and says nothing."""


@app.websocket("/hears/{topics}")
async def hears(ws: WebSocket, topics: str) -> None:
    for topic in topics.split(","):
        ws.subscribe(topic)
    async for _ in ws:
        pass


@app.websocket("/sleeps")
async def sleeps(ws: WebSocket) -> None:
    """Works on its first message until `/wake`."""
    async for _ in ws:
        await gate.wait()


@app.message("/crashes")
def crashes(ws: WebSocket, message: str) -> str:
    raise RuntimeError(message)


@app.websocket("/crashes-later")
async def crashes_later(ws: WebSocket) -> None:
    async for message in ws:
        await asyncio.sleep(0)
        raise RuntimeError(message)


def no_admission(request: Request) -> None:
    """Fails while it decides who may come in."""
    raise RuntimeError("no admission today")


@app.message("/refuses", auth=no_admission)
def refuses(ws: WebSocket, message: str) -> None:
    """Hears nothing."""


@app.websocket("/relays/{address}")
async def relays(ws: WebSocket, address: str) -> None:
    """Asks another server, and says what it says, or what went wrong."""
    async for message in ws:
        try:
            async with hubbub.connect(f"ws://{address}/echo") as other:
                other.send(message)
                ws.send(await other.recv())
        except (OSError, hubbub.HubbubError) as error:
            ws.send(f"{type(error).__name__}: {error}")


@app.message("/blocks")
def blocks(ws: WebSocket, message: str) -> str:
    """Does what no handler should: holds the thread."""
    time.sleep(float(message))
    return "done"


gate = asyncio.Event()
"""What the handlers of `/sleeps` wait for."""


@app.get("/word")
def word(request: Request) -> dict[str, str]:
    """An answer as small as they are."""
    return {"word": "yes"}


@app.post("/wake")
def wake(request: Request) -> None:
    gate.set()


@app.post("/publish/{topic}")
def publish(
    request: Request, topic: str, count: int, size: int, first: int = 0, keys: int = 0
) -> dict[str, int]:
    """Publishes so many messages, numbered, of one size; with keys, in turn under each."""
    reached = 0
    for number in range(first, first + count):
        key = str(number % keys) if keys else None
        reached += app.publish(topic, number.to_bytes(4) + bytes(size - 4), key=key)
    return {"reached": reached}


app.static("/files", Path("docs"))
look_inside(app)
