"""Message handlers as the engine calls them: of the kinds that their annotation names (pure).

`msg: str` never sees binary: such a message closes the connection with 1003 (RFC 6455 §7.4.1,
"a type of data it cannot accept"). `str | bytes` costs nothing extra.
"""

import inspect
from collections.abc import Callable
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
