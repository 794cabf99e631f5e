"""A small HTTP client for tests: one request, one connection, one answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

TIMEOUT_S = 5.0
"""How long a test waits for an answer."""


@dataclass(frozen=True)
class Answer:
    """What a server answered."""

    status: int
    headers: dict[str, str]
    """Names in lower case; of a repeated one the last."""

    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


async def ask(
    host: str,
    port: int,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    """Sends a request and reads the answer to its end.

    Raises:
        TimeoutError: It did not come in time.
        OSError: The server cannot be reached, or hung up.
    """
    fields = {"host": f"{host}:{port}", "connection": "close", **headers}
    if body or method == "POST":
        fields["content-length"] = str(len(body))
    head = "".join(
        [
            f"{method} {target} HTTP/1.1\r\n",
            *(f"{name}: {value}\r\n" for name, value in fields.items()),
        ]
    )
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(head.encode("latin-1") + b"\r\n" + body)
            return parse(await reader.read(), has_body=method != "HEAD")
        finally:
            writer.close()
            await writer.wait_closed()


def parse(answer: bytes, *, has_body: bool = True) -> Answer:
    """One answer that ends with its connection.

    Raises:
        ConnectionError: It is not complete.
    """
    head, blank, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    if not blank or not status_line.startswith("HTTP/1.1 "):
        raise ConnectionError(f"not an answer: {answer[:80]!r}")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if has_body and len(body) < int(headers.get("content-length", "0")):
        raise ConnectionError(f"cut short: {len(body)} bytes of {headers['content-length']}")
    return Answer(int(status_line.split()[1]), headers, body)
