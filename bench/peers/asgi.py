"""An ASGI application for uvicorn and granian: /echo, and /fan as a loop over all connections."""

from collections.abc import Awaitable, Callable
from typing import Any

Event = dict[str, Any]
fan: set[Callable[[Event], Awaitable[None]]] = set()


async def app(
    scope: Event, receive: Callable[[], Awaitable[Event]], send: Callable[[Event], Awaitable[None]]
) -> None:
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    is_fan = scope["path"] == "/fan"
    if is_fan:
        fan.add(send)
    try:
        while (event := await receive())["type"] == "websocket.receive":
            text, data = event.get("text"), event.get("bytes")
            reply: Event = {"type": "websocket.send"}
            reply |= {"text": text} if text is not None else {"bytes": data}
            if is_fan:
                for other in tuple(fan):
                    await other(reply)
            else:
                await send(reply)
    finally:
        fan.discard(send)
