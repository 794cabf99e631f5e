"""Answers at hand: what a handler returns becomes status, header fields and body (pure).

Framing, dates and keep-alive are the engine's; answers in pieces are in `streaming`, files in
`files`.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Iterable, Mapping
from contextvars import ContextVar
from datetime import datetime
from http.client import responses
from typing import Any

import msgspec

from hubbub._core import OpenFile, Request, prefers_json
from hubbub.errors import Reject
from hubbub.http.compression import compressed
from hubbub.http.cookies import SameSite, set_cookie
from hubbub.page import content_security_policy

Fields = list[tuple[str, str]]

Part = bytes | tuple[OpenFile, int, int]
"""Bytes, or so many bytes of a file from an offset on: (file, offset, length)."""

Encoded = tuple[int, Fields, bytes | list[Part]]
"""What the engine sends: status, fields, body."""

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BINARY = "application/octet-stream"

more_fields: ContextVar[Fields] = ContextVar("hubbub-http-fields")
"""What is said with every answer of a Task, by whoever stands around its handler."""

NOSNIFF = ("x-content-type-options", "nosniff")


def merged(defaults: Fields, given: Iterable[tuple[str, str]]) -> Fields:
    """Fields of ours, and in their place those that were given: names know no case.

    Which is sent first is ours to say: what the body is, above all.
    """
    fields = list(given)
    if not fields:
        return list(defaults)
    instead = {name.lower(): (name.lower(), value) for name, value in fields}
    ours = {name for name, _ in defaults}
    return [
        *(instead.get(name, (name, value)) for name, value in defaults),
        *(field for field in fields if field[0].lower() not in ours),
    ]


class BaseResponse(ABC):
    """What all answers have: a status, header fields and cookies.

    Args:
        status: The HTTP status.
        headers: Header fields.
        content_type: What the body is; None where there is none.
    """

    __slots__ = ("_cookies", "headers", "status")

    def __init__(
        self, status: int, headers: Mapping[str, str] | None, content_type: str | None
    ) -> None:
        self.status = status
        defaults = [("content-type", content_type), NOSNIFF] if content_type is not None else []
        self.headers = merged(defaults, (headers or {}).items())
        self._cookies: list[tuple[str, str, bool | None, dict[str, Any]]] = []

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        max_age_s: int | None = None,
        expires: datetime | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool | None = None,
        http_only: bool = True,
        same_site: SameSite = "lax",
    ) -> None:
        """Asks the client to keep a cookie; scripts do not see it, foreign pages do not send it.

        Args:
            name: Its name.
            value: Its value: printable ASCII without blanks, quotes, commas and semicolons.
            max_age_s: How long it lives, in seconds; else as long as the browser runs.
            expires: Until when it lives.
            path: Below which path it is sent.
            domain: To which domain and its subdomains; None: to this host alone.
            secure: Only over TLS; None: if this request came over TLS.
            http_only: Not for scripts.
            same_site: Which foreign pages' requests bring it along.
        """
        options: dict[str, Any] = {
            "max_age_s": max_age_s,
            "expires": expires,
            "path": path,
            "domain": domain,
            "http_only": http_only,
            "same_site": same_site,
        }
        # Looked at now, where the mistake is; only whether it is secure is not known yet.
        set_cookie(name, value, secure=secure is not False, **options)
        self._cookies.append((name, value, secure, options))

    def delete_cookie(
        self, name: str, *, path: str | None = "/", domain: str | None = None
    ) -> None:
        """Asks the client to forget a cookie, which it knows by name, path and domain."""
        self.set_cookie(name, "", max_age_s=0, path=path, domain=domain)

    def fields(self, request: Request) -> Fields:
        """The header fields for the answer to this request, cookies included."""
        if not self._cookies:
            return self.headers
        is_secure = request.scheme == "https"
        return [
            *self.headers,
            *(
                (
                    "set-cookie",
                    set_cookie(
                        name, value, secure=is_secure if secure is None else secure, **options
                    ),
                )
                for name, value, secure, options in self._cookies
            ),
        ]

    @abstractmethod
    def answer(self, request: Request) -> Encoded | Awaitable[None]:
        """What the engine sends now, or what sends it itself."""


class Response(BaseResponse):
    """An answer with a status and header fields of its own.

    Args:
        body: `str` is sent as text, `bytes` as they are, None as nothing; anything else as JSON.
        status: The HTTP status.
        headers: More header fields, or others in the place of those that are sent by default.
        content_type: Instead of the one that `body` suggests.
        compress: Whether a long text may be compressed. Not where a secret and a stranger's text
            stand in one body: its length would tell how alike they are.
    """

    __slots__ = ("body", "compress")

    def __init__(
        self,
        body: object = None,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
        compress: bool = True,
    ) -> None:
        payload, suggested = _payload(body)
        suggested_status = 204 if body is None else 200
        kind = None if body is None else content_type or suggested
        super().__init__(status or suggested_status, headers, kind)
        self.body = payload
        self.compress = compress

    @classmethod
    def html(
        cls,
        page: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        compress: bool = True,
    ) -> "Response":
        """A page whose own scripts and styles run, and no others.

        Args:
            page: The document; nothing in it may come from a stranger unescaped.
            status: The HTTP status.
            headers: More header fields; "content-security-policy" replaces the strict default.
            compress: As in `Response`.
        """
        defaults = [
            ("content-security-policy", content_security_policy(page)),
            ("referrer-policy", "no-referrer"),
        ]
        fields = dict(merged(defaults, (headers or {}).items()))
        return cls(page, status=status, headers=fields, content_type=HTML, compress=compress)

    @classmethod
    def redirect(cls, location: str, *, status: int = 303) -> "Response":
        """Sends the client to another place: 303 to look there, 308 to ask there the same."""
        return cls(None, status=status, headers={"location": location})

    def answer(self, request: Request) -> Encoded:
        """Status, fields and body, compressed if both sides like it."""
        fields = self.fields(request)
        if self.compress:
            body, more = compressed(self.body, fields[0][1] if self.body else "", request, fields)
            return self.status, [*fields, *more] if more else fields, body
        return self.status, fields, self.body


_JSON_FIELDS: Fields = [("content-type", JSON), NOSNIFF]
_TEXT_FIELDS: Fields = [("content-type", TEXT), NOSNIFF]
_BINARY_FIELDS: Fields = [("content-type", BINARY), NOSNIFF]


def encode(result: object, request: Request) -> Encoded | Awaitable[None]:
    """The answer for what a handler returned."""
    if isinstance(result, BaseResponse):
        return result.answer(request)
    if isinstance(result, bytes):
        return 200, _BINARY_FIELDS, result
    if isinstance(result, str):
        body, fields = result.encode(), _TEXT_FIELDS
    elif result is None:
        return 204, [], b""
    else:
        body, fields = msgspec.json.encode(result), _JSON_FIELDS
    packed, more = compressed(body, fields[0][1], request, fields)
    return (200, [*fields, *more], packed) if more else (200, fields, packed)


def encode_refusal(refusal: Reject, request: Request) -> Encoded:
    """The answer for a `Reject`."""
    # One that is kept, as a constant say, would keep each frame it ever passed through.
    refusal.__traceback__ = None
    status, fields, body = encode_error(refusal.status, refusal.reason, request)
    return status, merged(fields, refusal.headers), body


def encode_error(status: int, reason: str, request: Request) -> Encoded:
    """The answer that says what went wrong: as text, or as JSON to those who ask for it."""
    reason = reason or responses.get(status, "")
    if reason and prefers_json(request.headers.get("accept", "")):
        return status, _JSON_FIELDS, msgspec.json.encode({"status": status, "error": reason})
    return status, _TEXT_FIELDS, f"{reason}\n".encode() if reason else b""


def _payload(body: object) -> tuple[bytes, str]:
    match body:
        case None:
            return b"", TEXT
        case str():
            return body.encode(), TEXT
        case bytes():
            return body, BINARY
        case _:
            return msgspec.json.encode(body), JSON
