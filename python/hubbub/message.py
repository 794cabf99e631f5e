"""Message handlers as the engine calls them (pure).

`msg: str` never sees binary: such a message closes the connection with 1003 (RFC 6455 §7.4.1,
"a type of data it cannot accept"). `str | bytes` costs nothing extra. An `async def` handler
becomes one coroutine per connection, which answers message after message.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any

from hubbub._core import WebSocket
from hubbub.errors import Misuse
from hubbub.params import annotation, arguments

Handler = Callable[..., Any]

_BOTH = (inspect.Parameter.empty, Any, object, str | bytes, bytes | str)
_WORDS: dict[type, str] = {str: "text", bytes: "binary"}


def adapt(handler: Handler) -> Handler:
    """The handler, refusing the kinds of message that it does not name.

    Raises:
        Misuse: It does not take `(ws, msg)`, or names something else than `str` and `bytes`.
    """
    _, message = arguments(handler, 2, "(ws, msg)")
    kind = annotation(handler, message)
    if kind in _WORDS:
        return _only(kind, handler)
    if kind not in _BOTH:
        raise Misuse(
            f"{handler.__qualname__}: a message is str, bytes or str | bytes, not {kind}; "
            "for Structs use app.channel"
        )
    return handler


def each(handler: Callable[..., Awaitable[str | bytes | None]]) -> Handler:
    """One coroutine per connection out of an `async def` handler for one message.

    The engine steps it where it waits, so a message costs no task; answers keep their order, and
    a peer that does not read them is not read from.
    """

    async def answer_each(ws: WebSocket[Any]) -> None:
        async for message in ws:
            reply = await handler(ws, message)
            if reply is not None:
                await ws.send(reply)

    return answer_each


def _only(kind: type, handler: Handler) -> Handler:
    reason = f"expected a {_WORDS[kind]} message"
    if inspect.iscoroutinefunction(handler):

        async def of_kind_later(ws: WebSocket[Any], message: str | bytes) -> Any:
            if isinstance(message, kind):
                return await handler(ws, message)
            return ws.close(1003, reason)

        return of_kind_later

    def of_kind(ws: WebSocket[Any], message: str | bytes) -> Any:
        if isinstance(message, kind):
            return handler(ws, message)
        return ws.close(1003, reason)

    return of_kind
