"""JSON over HTTP to a service, and every way that can fail, as one kind of exception.

Deadlines are the caller's: who cancels a call gets its connection closed.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hubbub.translation.failures import BackendFailure, Kind

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
"""An answer that is longer translates nothing of ours."""

_CONNECTIONS = 16
_REASON_LIMIT = 200
_KINDS: dict[int, Kind] = {
    401: "unauthorized",
    403: "unauthorized",
    408: "down",
    429: "throttled",
    456: "quota",
}
# A 403 of Google's or Microsoft's may mean that the month's characters are used up.
_USED_UP = re.compile(rb"quota|limit ?exceeded|\b403001\b", re.IGNORECASE)


class Wire:
    """One service: its address, the fields every request carries, its connections.

    Args:
        backend: The name of who speaks, for failures.
        url: Where the service is; paths are put behind it.
        headers: Sent with every request; keys travel here, never in addresses, which are logged.
    """

    def __init__(self, backend: str, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._backend = backend
        self._url = url.rstrip("/")
        self._headers = dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        path: str,
        answer: type[T],
        *,
        query: Mapping[str, str] | list[tuple[str, str]] | None = None,
        json: Any = None,
    ) -> T:
        """Asks the service.

        Args:
            method: GET or POST.
            path: What stands behind the address.
            answer: What the answer has to be.
            query: The query.
            json: The body.

        Raises:
            BackendFailure: It did not answer, not so, or with an error.
        """
        # A fifth of the time in which a chat starts, were it not for the first question.
        import aiohttp

        if self._session is None:
            # Within the loop that is running now.
            self._session = aiohttp.ClientSession(
                headers={**self._headers, "accept": "application/json"},
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
                timeout=aiohttp.ClientTimeout(total=None),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        body = msgspec.json.encode(json) if json is not None else None
        try:
            async with self._session.request(
                method,
                self._url + path,
                params=query,
                data=body,
                headers={"content-type": "application/json"} if body is not None else None,
                # Whoever redirects us would get the key.
                allow_redirects=False,
            ) as response:
                content = await _read(response)
                if content is None:
                    raise self._failure("garbage", "the answer is too long")
                if response.status != 200:
                    raise self._refused(response, content)
        except aiohttp.ClientError as error:
            raise self._failure("down", f"cannot be reached: {type(error).__name__}") from error
        except OSError as error:
            raise self._failure("down", f"cannot be reached: {error.strerror or error}") from error
        try:
            return msgspec.json.decode(content, type=answer)
        except msgspec.MsgspecError as error:
            raise self._failure("garbage", f"not the answer one expects: {error}") from None

    async def close(self) -> None:
        """Closes the connections; another call opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def garbage(self, reason: str) -> BackendFailure:
        """What to raise if an answer of the right shape makes no sense."""
        return self._failure("garbage", reason)

    def _failure(
        self, kind: Kind, reason: str, retry_after_s: float | None = None
    ) -> BackendFailure:
        return BackendFailure(self._backend, kind, reason, retry_after_s)

    def _refused(self, response: "aiohttp.ClientResponse", content: bytes) -> BackendFailure:
        status = response.status
        kind = _KINDS.get(status, "down" if status >= 500 else "refused")
        if status < 400:
            kind = "garbage"
        elif status == 403 and _USED_UP.search(content):
            kind = "quota"
        words = " ".join(content[:_REASON_LIMIT].decode("utf-8", "replace").split())
        return self._failure(kind, f"{status} {words}".strip(), _seconds(response.headers))


async def _read(response: "aiohttp.ClientResponse") -> bytes | None:
    content = bytearray()
    async for piece in response.content.iter_chunked(65_536):
        content += piece
        if len(content) > ANSWER_LIMIT_BYTES:
            response.close()
            return None
    return bytes(content)


def _seconds(headers: Mapping[str, str]) -> float | None:
    written = headers.get("retry-after", "")
    return float(written) if written.isascii() and written.isdigit() and len(written) < 7 else None
