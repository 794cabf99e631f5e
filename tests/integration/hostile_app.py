"""Handlers that are told what to do by their peer (see test_closing, test_sending, test_log)."""

import json
import logging
from collections import Counter

from hubbub import App, Misuse, Reject, Request, Response, WebSocket

app = App()


@app.message("/echo")
def echo(ws: WebSocket, message: str | bytes) -> str | bytes:
    return message


@app.message("/token", compression="off")
def token(ws: WebSocket, message: str) -> str:
    return f"token=secret&q={message}" * 10


@app.message("/closes")
def closes(ws: WebSocket, message: str) -> str | None:
    """Closes with the code and reason it is given as JSON; a misuse is told instead."""
    try:
        ws.close(*json.loads(message))
    except (Misuse, TypeError, ValueError, OverflowError) as error:
        return f"refused: {type(error).__name__}"
    return None


@app.websocket("/floods")
async def floods(ws: WebSocket, size: int, count: int) -> None:
    """Sends without asking, then waits for room, and says what became of it."""
    statuses = [ws.send(bytes(size)).status for _ in range(count)]
    buffered = ws.buffered
    await ws.send("waited")
    counted = Counter(statuses)
    await ws.send(json.dumps({"buffered": buffered, **counted}))
    await ws.wait_closed()


app.websocket("/floods-little", outbox_limit_bytes="16KiB")(floods)


@app.get("/nick")
def nick(request: Request) -> Response:
    """Logs what a stranger says, and tries to send it in a header field."""
    said = request.query.get("nick", "")
    logging.getLogger("app").warning("nick %s of %s", said, request.headers.get("user-agent", ""))
    return Response("hello", headers={"x-nick": said})


@app.get("/refused/{why}")
def refused(request: Request, why: str) -> None:
    raise Reject(403, why)


@app.get("/fails/{why}")
def fails(request: Request, why: str) -> None:
    raise RuntimeError(why)


@app.message("/crashes")
def crashes(ws: WebSocket, message: str) -> None:
    raise RuntimeError(message)
