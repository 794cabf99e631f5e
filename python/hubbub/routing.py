"""Where a handler answers: path patterns, and the declaration of one route (pure).

Knows nothing of what handlers return (see `http`, `channel`) nor of the engine (see `assembly`).
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType
from typing import Any, Literal, TypedDict, cast

from hubbub._core import Request, WebSocket
from hubbub.config import Compression, size_bytes
from hubbub.errors import Misuse

Kind = Literal["message", "websocket", "http"]
Admission = tuple[Any, dict[str, Any]]
Admit = Callable[[Request], Admission | Awaitable[Admission]]
Hook = Callable[[WebSocket[Any]], object]

_OURS = Path(__file__).parent
_APPS = _OURS / "apps"
_SEGMENT = re.compile(r"[^{}]*(?:\{(\*?)([^{}*]+)\}[^{}]*)?")


@dataclass(frozen=True)
class Procedure:
    """A remote procedure of a hub, as `hubbub export` describes it."""

    name: str
    sentence: str
    params: Any
    result: Any


class EndpointOptions(TypedDict, total=False):
    """What every WebSocket endpoint can be told.

    A limit that is not given is the server's; see `ServerSettings`.
    """

    subprotocols: Sequence[str]
    """What is spoken here, best first (RFC 6455 §1.9)."""

    origins: Sequence[str] | None
    """Allowed values of `Origin`; None, the default: the request's own host; ("*",): any."""

    message_limit_bytes: int | str
    """Longest message, e.g. "16MiB"."""

    outbox_limit_bytes: int | str
    """How much may wait for one slow peer."""

    compression: Compression
    """permessage-deflate; "off" where secrets and a stranger's text share a message."""


@dataclass(frozen=True)
class Endpoint:
    """`EndpointOptions` as the engine takes them; None: what the server's settings say."""

    subprotocols: tuple[str, ...] = ()
    origins: tuple[str, ...] | None = None
    message_limit_bytes: int | None = None
    outbox_limit_bytes: int | None = None
    compression: Compression | None = None

    @classmethod
    def of(cls, options: EndpointOptions) -> "Endpoint":
        """Reads the options.

        Raises:
            Misuse: A value is not possible.
            TypeError: There is no such option.
        """
        refuse_unknown(EndpointOptions, options)
        origins = options.get("origins")
        return cls(
            subprotocols=_several("subprotocols", options.get("subprotocols", ())),
            origins=None if origins is None else _several("origins", origins),
            message_limit_bytes=size_of("message_limit_bytes", options.get("message_limit_bytes")),
            outbox_limit_bytes=size_of("outbox_limit_bytes", options.get("outbox_limit_bytes")),
            compression=options.get("compression"),
        )


@dataclass(frozen=True)
class Declaration:
    """One route as the application declared it; `assembly` makes the native one of it."""

    path: str
    kind: Kind
    handler: Callable[..., Any]
    method: str = "GET"
    admit: Admit | None = None
    on_open: Hook | None = None
    on_close: Hook | None = None
    endpoint: Endpoint = Endpoint()
    body_limit_bytes: int | None = None
    streams: bool = False
    resume: Callable[[Request], dict[str, Any]] | None = None
    """The handler's arguments once more, for connections of an older version of it."""

    on_handover: Hook | None = None
    sources: tuple[Callable[..., Any], ...] = ()
    """What the application wrote, where `handler` is made of it."""

    error_fields: Callable[[str | None], list[tuple[str, str]]] | None = None
    """What an error in the handler's place says besides, to a page of that origin."""

    def below(self, prefix: str) -> "Declaration":
        """The same under a mount."""
        return replace(self, path=join(prefix, self.path))

    @property
    def places(self) -> tuple[str, ...]:
        """Where the application wrote it, "FILE:LINE" for each function; none: it wrote none."""
        return tuple(filter(None, map(_place, self.sources or (self.handler,))))


def _place(function: Callable[..., Any]) -> str:
    function = inspect.unwrap(function)
    function = getattr(function, "__func__", function)
    code = cast("CodeType | None", getattr(function, "__code__", None))
    if code is None:
        return ""
    file = Path(code.co_filename)
    if file.is_relative_to(_OURS) and not file.is_relative_to(_APPS):
        return ""
    return f"{code.co_filename}:{code.co_firstlineno}"


class RouteOptions(TypedDict, total=False):
    """What every HTTP route can be told."""

    body_limit_bytes: int | str
    """Longest body, e.g. "1GiB"; a longer one is answered with 413. Else the server's setting."""

    stream: bool
    """The handler reads the body as it comes, by `request.stream()`; else it is collected first."""


class StaticOptions(TypedDict, total=False):
    """What `App.static` can be told."""

    index: str
    """What stands for a directory, "index.html"; empty: nothing does."""

    cache_control: str
    """What clients may keep; "no-cache", the default: they ask each time whether it has changed."""

    immutable: bool | str
    """Names with a hash in them, such as "app-3f2a9c1b.js", may be kept for ever; or, where a tool
    gives a hash to all of them, a pattern of their paths such as "assets/*"."""

    precompressed: bool
    """Whether "x.js.br" and "x.js.gz" are sent for "x.js"; they are, unless this says no."""

    headers: Mapping[str, str]
    """More header fields, or others in the place of those that are sent by default."""


def http_declarations(
    path: str, methods: Sequence[str], handler: Callable[..., Any], options: RouteOptions
) -> list[Declaration]:
    """One route for each method.

    Raises:
        Misuse: A method or an option is not possible.
        TypeError: There is no such option.
    """
    refuse_unknown(RouteOptions, options)
    for method in _several("methods", methods):
        # Methods are case-sensitive (RFC 9110 §9.1): "get" would answer nobody.
        if not method.isascii() or not method.isalpha() or method != method.upper():
            raise Misuse(f"not a method: {method!r}")
    return [
        Declaration(
            path,
            "http",
            handler,
            method=method,
            body_limit_bytes=size_of("body_limit_bytes", options.get("body_limit_bytes")),
            streams=options.get("stream", False),
        )
        for method in methods
    ]


def parameter_names(path: str) -> tuple[str, ...]:
    """The names in a pattern such as "/ws/{room}" or "/files/{*rest}".

    Raises:
        Misuse: It is not a pattern.
    """
    if not path.startswith("/"):
        raise Misuse(f"a path begins with a slash: {path!r}")
    names: list[str] = []
    segments = path.split("/")[1:]
    for position, segment in enumerate(segments):
        match = _SEGMENT.fullmatch(segment)
        if match is None:
            raise Misuse(f"not a pattern such as /ws/{{room}}: {path!r}")
        name = match[2]
        if name is None:
            continue
        if not name.isidentifier():
            raise Misuse(f"not a name for a parameter: {name!r} in {path!r}")
        if match[1] and (position < len(segments) - 1 or not segment.endswith("}")):
            raise Misuse(f"nothing may follow {{*{name}}}: {path!r}")
        names.append(name)
    if len(set(names)) < len(names):
        raise Misuse(f"a parameter stands twice in {path!r}")
    return tuple(names)


def checked_hook(hook: Hook | None) -> Hook | None:
    """The same hook.

    Raises:
        Misuse: It is `async def`: nobody would wait for it; `ws.spawn` starts what takes its time.
    """
    if inspect.iscoroutinefunction(hook):
        raise Misuse(f"a hook is a plain function, ws.spawn starts a coroutine: {hook!r}")
    return hook


def join(prefix: str, path: str) -> str:
    """The path of a route under a mount: ("/chat", "/ws") → "/chat/ws", ("/", "/ws") → "/ws"."""
    return prefix.rstrip("/") + path


def refuse_unknown(declared: Any, options: Mapping[str, object]) -> None:
    """What Python does for written-out parameters.

    Args:
        declared: The TypedDict that names the options.
        options: The given ones.

    Raises:
        TypeError: There is no such option.
    """
    for name in options.keys() - declared.__annotations__.keys():
        raise TypeError(f"got an unexpected keyword argument {name!r}")


def _several(name: str, values: Sequence[str]) -> tuple[str, ...]:
    # A text is a sequence of texts, too: the mistake that the type checker cannot see.
    if isinstance(values, str):
        raise Misuse(f'{name}: expected several, e.g. ("one", "two"): {values!r}')
    return tuple(values)


def size_of(name: str, value: int | str | None) -> int | None:
    """A size as people write it, in bytes.

    Raises:
        Misuse: It is none.
    """
    try:
        return None if value is None else size_bytes(value)
    except ValueError as error:
        raise Misuse(f"{name}: {error}") from None
