"""An ASGI application for uvicorn: /json, and nothing that a framework would add."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

Event = dict[str, Any]


async def app(
    scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    body = json.dumps({"message": "hello"}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
