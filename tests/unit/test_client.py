"""Where URLs lead, and which cannot be opened."""

from typing import Any

import pytest

from hubbub.client import Endpoint, connect
from hubbub.errors import Misuse
from hubbub.tls import Trust


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "target"),
    [
        ("ws://example.org", "example.org", 80, "example.org", "/"),
        ("ws://example.org:80/x", "example.org", 80, "example.org", "/x"),
        ("ws://example.org:8000/x?y=1&z", "example.org", 8000, "example.org:8000", "/x?y=1&z"),
        ("ws://example.org?y=1", "example.org", 80, "example.org", "/?y=1"),
        ("ws://[::1]:8000/", "::1", 8000, "[::1]:8000", "/"),
        ("http://127.0.0.1:8000/echo", "127.0.0.1", 8000, "127.0.0.1:8000", "/echo"),
        ("WS://Example.ORG/Path", "example.org", 80, "example.org", "/Path"),
        ("wss://example.org", "example.org", 443, "example.org", "/"),
        ("https://example.org:443/x", "example.org", 443, "example.org", "/x"),
        ("wss://example.org:80/", "example.org", 80, "example.org:80", "/"),
    ],
)
def test_urls(url: str, host: str, port: int, authority: str, target: str) -> None:
    secure = url.startswith(("wss", "https"))
    assert Endpoint.parse(url) == Endpoint(host, port, authority, target, secure)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://example.org/", "expected ws://"),
        ("example.org", "expected ws://"),
        ("ws:///x", "expected ws://"),
        ("ws://example.org:99999/", "not a URL"),
        ("ws://[::1/", "not a URL"),
        ("ws://ada:secret@example.org/", "credentials"),
        ("ws://example.org/#top", "fragment"),
        ("ws://example.org/a b", "percent-encode"),
        ("ws://example.org/ä", "percent-encode"),
        ("ws://example.org/a\r\nx: y", "percent-encode"),
    ],
)
def test_urls_that_cannot_be_opened(url: str, why: str) -> None:
    with pytest.raises(Misuse, match=why):
        connect(url)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"timeout": "soon"}, Misuse),
        ({"message_limit_bytes": "big"}, Misuse),
        ({"subprotocols": "chat"}, Misuse),
        ({"header": {}}, TypeError),
        ({"tls": Trust()}, Misuse),
    ],
)
def test_options_that_cannot_be(options: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        connect("ws://example.org/", **options)
