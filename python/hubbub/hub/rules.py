"""What an application declares about its hub: hooks, who may do what, remote procedures."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec import Raw

from hubbub.errors import Misuse
from hubbub.hub import codes, wire
from hubbub.hub.client import Client
from hubbub.hub.tokens import Tokens
from hubbub.params import annotation, arguments, returned
from hubbub.routing import Procedure


@dataclass(frozen=True)
class Welcome:
    """What `on_connect` may return: who the client is and what it hears from the start.

    Attributes:
        user: Whose connection it is; None: what its token says. Further tokens of the client are
            for whom its token was for, all the same.
        info: What others are told about it; becomes JSON.
        data: What the client is told; becomes JSON.
        channels: What it is subscribed to without asking.
        expires_at_s: When it has to refresh, in seconds since the epoch of Unix; None: what its
            token says.
    """

    user: str | None = None
    info: object = None
    data: object = None
    channels: tuple[str, ...] = ()
    expires_at_s: float | None = None


@dataclass(frozen=True)
class Grant:
    """What `authorize` may return instead of True.

    Attributes:
        info: What others are told about the client in this channel; becomes JSON.
        data: What the client is told; becomes JSON.
        expires_at_s: When the subscription ends unless it is refreshed by a token.
    """

    info: object = None
    data: object = None
    expires_at_s: float = 0.0


Authorize = Callable[[Client, str], Any]
Hook = Callable[..., Any]


@dataclass
class Rules:
    """All that was declared."""

    tokens: Tokens | None = None
    allow_anonymous: bool = False
    authorize: list[tuple[str, Authorize]] = field(default_factory=list)
    procedures: dict[str, Callable[[Client, Raw], Any]] = field(default_factory=dict)
    on_connect: Hook | None = None
    on_subscribe: Hook | None = None
    on_publish: Hook | None = None
    on_message: Hook | None = None
    on_disconnect: Hook | None = None

    def permission(self, channel: str) -> Authorize | None:
        """Who decides about a channel: the whole name, else the longest beginning."""
        best: tuple[int, Authorize] | None = None
        for pattern, authorize in self.authorize:
            prefix = pattern.removesuffix("*")
            if channel == pattern:
                return authorize
            fits = prefix != pattern and channel.startswith(prefix)
            if fits and (best is None or len(prefix) > best[0]):
                best = len(prefix), authorize
        return best[1] if best else None


def procedure(handler: Callable[..., Any]) -> Callable[[Client, Raw], Any]:
    """A remote procedure as it is called: its parameters are decoded by their annotation.

    Raises:
        Misuse: It takes neither `(client)` nor `(client, params)`, or it cannot be known what
            params are.
    """
    parameters = list(inspect.signature(handler).parameters.values())
    if not 1 <= len(parameters) <= 2:
        raise Misuse(f"{handler.__qualname__}: expected (client) or (client, params)")
    if len(parameters) == 1:
        return lambda client, data: handler(client)
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_kind(handler, parameters[1]))

    def call(client: Client, data: Raw) -> Any:
        try:
            params = decoder.decode(data or b"null")
        except msgspec.DecodeError as error:
            raise codes.Refused(107, f"bad request: {error}") from None
        return handler(client, params)

    return call


def described(name: str, handler: Callable[..., Any]) -> Procedure:
    """A remote procedure, for those who call it."""
    params = list(inspect.signature(handler).parameters.values())[1:]
    kind = _kind(handler, params[0]) if params else None
    sentence = (inspect.getdoc(handler) or "").partition("\n")[0]
    try:
        result = returned(handler)
    except Misuse:
        # A name for the type checker alone: who calls it does without.
        result = Any
    return Procedure(name, sentence, kind, Any if result is inspect.Parameter.empty else result)


def _kind(handler: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    kind = annotation(handler, parameter)
    return Any if kind is parameter.empty else kind


def hook(function: Hook, count: int, form: str) -> Hook:
    """A hook with as many arguments.

    Raises:
        Misuse: It has others.
    """
    arguments(function, count, form)
    return function


def as_json(value: object) -> bytes:
    """What an application says, as JSON; nothing for None."""
    return b"" if value is None else wire.encode(value)


_PLAIN = frozenset(
    {type(None), bool, dict, str, Grant, Welcome, wire.ConnectResult, wire.SubscribeResult}
)


def is_awaitable(value: object) -> bool:
    """Whether a value has to be waited for; quick with what is asked about most."""
    return type(value) not in _PLAIN and inspect.isawaitable(value)


def then(value: Any, go: Callable[[Any], Any]) -> Any:
    """Goes on with a value: now, or when it is there."""
    if not is_awaitable(value):
        return go(value)

    async def later(waiting: Awaitable[Any]) -> Any:
        result = go(await waiting)
        return await result if is_awaitable(result) else result

    return later(value)
