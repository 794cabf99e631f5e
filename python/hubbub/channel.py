"""Typed JSON over a WebSocket: msgspec Structs in, dispatched by their tag, Structs out.

Decides what a message is and who handles it; sending and topics are the engine's. The wire: one
JSON object per text message, its "type" naming the Struct (its `tag`).

    no JSON, or a binary message     closed with 1007
    JSON, but none of our messages   closed with 1008 and what was wrong

unless `on_invalid` answers instead.
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import Struct

from hubbub._core import Sent, WebSocket
from hubbub.errors import InvalidMessage, Misuse
from hubbub.message import each
from hubbub.params import annotation, arguments, returned
from hubbub.routing import Admit, Declaration, Endpoint, Hook, checked_hook

D = TypeVar("D")
M = TypeVar("M", bound=Struct)

Reply = Struct | str | bytes | None
"""What a handler may return: a Struct is sent as JSON, text and binary as they are."""

R = TypeVar("R", bound=Reply | Awaitable[Reply])
Opened = Callable[[WebSocket[D]], object]
Invalid = Callable[[WebSocket[D], InvalidMessage], Reply]

_encoder = msgspec.json.Encoder()


def encode(message: Struct | str | bytes) -> str | bytes:
    """What goes over the wire: JSON text of a Struct, other messages as they are."""
    if isinstance(message, Struct):
        return _encoder.encode(message).decode()
    return message


class Channel(Generic[D]):
    """One path on which typed messages are spoken; made by `App.channel`.

    Handlers are added by decorators::

        @board.on
        def say(ws: WebSocket[User], msg: Say) -> None: ...
    """

    def __init__(self, path: str, admit: Admit | None, endpoint: Endpoint) -> None:
        self.path = path
        self._admit = admit
        self._endpoint = endpoint
        self._handlers: dict[type[Struct], Callable[..., Any]] = {}
        self._says: tuple[type[Struct], ...] = ()
        self._on_open: Hook | None = None
        self._on_close: Hook | None = None
        self._on_invalid: Callable[[WebSocket[D], InvalidMessage], Reply] | None = None

    def on(self, handler: Callable[[WebSocket[D], M], R]) -> Callable[[WebSocket[D], M], R]:
        """Handles the messages that the second argument's annotation names: a Struct or a union.

        What it returns is sent back; it may be `async def`.

        Raises:
            Misuse: The annotation is no Struct, or another handler has it.
        """
        _, message = arguments(handler, 2, "(ws, msg)")
        for kind in _structs(handler, annotation(handler, message)):
            if kind in self._handlers:
                raise Misuse(f"{self.path}: {kind.__name__} already has a handler")
            self._handlers[kind] = handler
        return handler

    def on_open(self, hook: Opened[D]) -> Opened[D]:
        """Calls back when somebody has connected."""
        self._on_open = checked_hook(hook)
        return hook

    def on_close(self, hook: Opened[D]) -> Opened[D]:
        """Calls back when a connection has ended; `ws.close_code` is set."""
        self._on_close = checked_hook(hook)
        return hook

    def on_invalid(self, hook: Invalid[D]) -> Invalid[D]:
        """Answers what cannot be understood instead of closing; its return value is sent back."""
        self._on_invalid = hook
        return hook

    def send(self, ws: WebSocket[Any], message: Struct) -> Sent:
        """Sends a Struct to one connection, as `ws.send` does."""
        return ws.send(_encoder.encode(message).decode())

    def says(self, *kinds: type[Struct]) -> None:
        """Names Structs that are sent here, for `hubbub export`; replies are known already."""
        self._says += kinds

    def takes(self) -> tuple[type[Struct], ...]:
        """What it understands."""
        return tuple(self._handlers)

    def sends(self) -> tuple[type[Struct], ...]:
        """What it is known to send: the replies that handlers are annotated with, and `says`."""
        replies = [returned(handler) for handler in self._handlers.values()]
        structs = [
            kind
            for reply in replies
            for kind in (get_args(reply) or (reply,))
            if isinstance(kind, type) and issubclass(kind, Struct)
        ]
        return tuple(dict.fromkeys((*structs, *self._says)))

    def declaration(self) -> Declaration:
        """The route that all this amounts to.

        Raises:
            Misuse: There are no handlers, or their Structs cannot be told apart.
        """
        is_async = any(inspect.iscoroutinefunction(one) for one in self._handlers.values())
        return Declaration(
            self.path,
            "websocket" if is_async else "message",
            each(self._dispatcher_later()) if is_async else self._dispatcher(),
            admit=self._admit,
            on_open=self._on_open,
            on_close=self._on_close,
            endpoint=self._endpoint,
            sources=tuple(dict.fromkeys(self._handlers.values())),
        )

    def _dispatcher(self) -> Callable[[WebSocket[D], str | bytes], str | bytes | None]:
        decode = self._decoder()
        handlers = self._handlers

        def dispatch(ws: WebSocket[D], raw: str | bytes) -> str | bytes | None:
            try:
                message = decode(raw)
            except InvalidMessage as error:
                return self._refuse(ws, error)
            return _encode_reply(handlers[type(message)](ws, message))

        return dispatch

    def _dispatcher_later(
        self,
    ) -> Callable[[WebSocket[D], str | bytes], Awaitable[str | bytes | None]]:
        decode = self._decoder()
        handlers = self._handlers

        async def dispatch(ws: WebSocket[D], raw: str | bytes) -> str | bytes | None:
            try:
                message = decode(raw)
            except InvalidMessage as error:
                return self._refuse(ws, error)
            reply = handlers[type(message)](ws, message)
            return _encode_reply(await reply if inspect.isawaitable(reply) else reply)

        return dispatch

    def _decoder(self) -> Callable[[str | bytes], Any]:
        if not self._handlers:
            raise Misuse(f"{self.path}: the channel has no handlers, add one with @channel.on")
        union: Any = None
        for kind in self._handlers:
            union = kind if union is None else union | kind
        try:
            decoder = msgspec.json.Decoder(union)
        except TypeError as error:
            raise Misuse(f"{self.path}: {error}; give each Struct a tag") from None

        def decode(raw: str | bytes) -> Any:
            if not isinstance(raw, str):
                raise InvalidMessage("expected a text message", 1007, raw)
            try:
                return decoder.decode(raw)
            except msgspec.ValidationError as error:
                raise InvalidMessage(str(error), 1008, raw) from None
            except (msgspec.DecodeError, RecursionError) as error:
                raise InvalidMessage(str(error), 1007, raw) from None

        return decode

    def _refuse(self, ws: WebSocket[D], error: InvalidMessage) -> str | bytes | None:
        if self._on_invalid is None:
            ws.close(error.code, error.reason)
            return None
        return _encode_reply(self._on_invalid(ws, error))


def _encode_reply(reply: Reply) -> str | bytes | None:
    return None if reply is None else encode(reply)


def _structs(handler: Callable[..., Any], kind: Any) -> tuple[type[Struct], ...]:
    members = get_args(kind) if get_origin(kind) is not None else (kind,)
    for member in members:
        if not (isinstance(member, type) and issubclass(member, Struct)):
            name = getattr(handler, "__qualname__", handler)
            raise Misuse(f"{name}: annotate the message with a msgspec Struct: {kind}")
    return members
