"""Small HTTP answers: what a handler returns becomes status, header fields and body (pure).

Framing, dates and keep-alive are the engine's; parameters are resolved in `params`.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from hubbub._core import Request
from hubbub.errors import Reject
from hubbub.page import content_security_policy
from hubbub.params import Parameters

Encoded = tuple[int, list[tuple[str, str]], bytes]
"""What the engine sends."""

_TEXT = "text/plain; charset=utf-8"
_HTML = "text/html; charset=utf-8"
_JSON = "application/json"
_BINARY = "application/octet-stream"


class Response:
    """An answer with a status and header fields of its own.

    Args:
        body: `str` is sent as text, `bytes` as they are, None as nothing; anything else as JSON.
        status: The HTTP status.
        headers: More header fields.
        content_type: Instead of the one that `body` suggests.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(
        self,
        body: object = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> None:
        payload, suggested = _payload(body)
        self.status = status or (204 if body is None else 200)
        self.headers = list((headers or {}).items())
        self.body = payload
        if body is not None:
            self.headers.insert(0, ("content-type", content_type or suggested))
            self.headers.append(("x-content-type-options", "nosniff"))

    @classmethod
    def html(
        cls, page: str, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> "Response":
        """A page whose own scripts and styles run, and no others.

        Args:
            page: The document; nothing in it may come from a stranger unescaped.
            status: The HTTP status.
            headers: More header fields; "content-security-policy" replaces the strict default.
        """
        defaults = {
            "content-security-policy": content_security_policy(page),
            "referrer-policy": "no-referrer",
        }
        return cls(page, status=status, headers=defaults | dict(headers or {}), content_type=_HTML)

    @classmethod
    def redirect(cls, location: str, *, status: int = 303) -> "Response":
        """Sends the client to another place: 303 to look there, 308 to ask there the same."""
        return cls(None, status=status, headers={"location": location})


def encode(result: object) -> Encoded:
    """The answer for what a handler returned."""
    if not isinstance(result, Response):
        result = Response(result)
    return result.status, result.headers, result.body


def encode_refusal(refusal: Reject) -> Encoded:
    """The answer for a `Reject`."""
    body = f"{refusal.reason}\n".encode() if refusal.reason else b""
    return refusal.status, [("content-type", _TEXT), *refusal.headers], body


def adapt(
    handler: Callable[..., Any], path_names: tuple[str, ...]
) -> Callable[[Request], Encoded | Awaitable[Encoded]]:
    """The handler as the engine calls it: request in, encoded answer out.

    Raises:
        Misuse: Its signature asks for what no request can bring.
    """
    parameters = Parameters(handler, path_names, body=True)
    if inspect.iscoroutinefunction(handler):

        async def answer_later(request: Request) -> Encoded:
            try:
                return encode(await handler(request, **parameters.resolve(request)))
            except Reject as refusal:
                return encode_refusal(refusal)

        return answer_later

    def answer(request: Request) -> Encoded:
        try:
            return encode(handler(request, **parameters.resolve(request)))
        except Reject as refusal:
            return encode_refusal(refusal)

    return answer


def _payload(body: object) -> tuple[bytes, str]:
    match body:
        case None:
            return b"", _TEXT
        case str():
            return body.encode(), _TEXT
        case bytes():
            return body, _BINARY
        case _:
            return msgspec.json.encode(body), _JSON
