"""Cross-origin requests: which foreign pages may read answers, and ask what (Fetch §3.2).

Browsers ask before everything that a form could not have sent; without an answer from here they
say no by themselves. That a page may not read an answer does not keep its request away.
"""

import inspect
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from hubbub._core import Request
from hubbub.errors import Misuse
from hubbub.http.adapt import Adapted, Answer
from hubbub.http.response import Encoded, Fields, more_fields

_VARY = ("vary", "origin")


@dataclass(frozen=True)
class Cors:
    """Who may read the answers of an app.

    Raises:
        Misuse: Origins are none, or everybody may come with credentials.
    """

    origins: tuple[str, ...]
    """Pages, by origin ("https://example.org"); ("*",): all of them, without credentials."""

    headers: tuple[str, ...] = ()
    """Which header fields they may send besides the harmless ones."""

    expose: tuple[str, ...] = ()
    """Which header fields of an answer they may read besides the harmless ones."""

    credentials: bool = False
    """Whether cookies come along."""

    max_age_s: int = 600
    """How long a browser may keep the answer to a preflight."""

    def __post_init__(self) -> None:
        """Refuses what no browser would accept, or what would be a mistake."""
        if "*" in self.origins and (self.credentials or len(self.origins) > 1):
            raise Misuse('cors: "*" stands alone, and without credentials')
        for origin in self.origins:
            scheme, separator, host = origin.partition("://")
            if origin != "*" and (not scheme or not separator or not host or "/" in host):
                raise Misuse(f"cors: not an origin such as https://example.org: {origin!r}")

    def fields(self, origin: str | None) -> Fields:
        """What every answer says to a page of this origin."""
        if self.origins == ("*",):
            fields: Fields = [("access-control-allow-origin", "*")]
        else:
            fields = [_VARY]
            if origin is None or origin not in self.origins:
                return fields
            fields.append(("access-control-allow-origin", origin))
        if self.credentials:
            fields.append(("access-control-allow-credentials", "true"))
        if self.expose:
            fields.append(("access-control-expose-headers", ", ".join(self.expose)))
        return fields

    def preflight(self, methods: Sequence[str]) -> Adapted:
        """What answers OPTIONS for a path with these methods."""
        allowed = sorted({*methods, "OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))

        def answer(request: Request) -> Encoded:
            fields = self.fields(request.headers.get("origin"))
            is_known = any(name == "access-control-allow-origin" for name, _ in fields)
            if is_known and "access-control-request-method" in request.headers:
                fields.append(("access-control-allow-methods", ", ".join(allowed)))
                if self.headers:
                    fields.append(("access-control-allow-headers", ", ".join(self.headers)))
                fields.append(("access-control-max-age", str(self.max_age_s)))
            return 204, [("allow", ", ".join(allowed)), *fields], b""

        return answer

    def around(self, adapted: Adapted) -> Adapted:
        """A handler whose answers say so; what is told in its place is the engine's to say."""
        if inspect.iscoroutinefunction(adapted):

            async def answer_later(request: Request) -> Encoded | None:
                # Called here, or a Task that is cancelled before its first step would leave one
                # that nobody has awaited.
                return await _later(adapted(request), self.fields(request.headers.get("origin")))

            return answer_later

        def answer(request: Request) -> Answer:
            answered = adapted(request)
            fields = self.fields(request.headers.get("origin"))
            if isinstance(answered, tuple):
                status, own, body = answered
                return status, [*own, *fields], body
            return _later(answered, fields)

        return answer


async def _later(answered: Awaitable[Encoded | None], fields: Fields) -> Encoded | None:
    # Who answers piece by piece sends the head itself.
    more_fields.set(fields)
    encoded = await answered
    if encoded is None:
        return None
    status, own, body = encoded
    return status, [*own, *fields], body
