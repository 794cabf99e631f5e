"""A request as handlers and answers see it, without a server."""

from types import SimpleNamespace
from typing import Any


class Fields:
    """Header fields; each name once."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value, or the default."""
        return self._fields.get(name, default)

    def get_all(self, name: str) -> list[str]:
        """The value, if there is one."""
        return [self._fields[name]] if name in self._fields else []

    def __contains__(self, name: object) -> bool:
        """Whether there is such a field."""
        return name in self._fields


def request(
    *,
    method: str = "GET",
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    scheme: str = "http",
) -> Any:
    """A request with these parts."""
    return SimpleNamespace(
        method=method,
        params=path or {},
        query=query or {},
        body=body,
        headers=Fields(headers or {}),
        scheme=scheme,
    )
