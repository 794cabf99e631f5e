"""Where to listen, as people write it."""

import pytest

from hubbub.config.bind import Descriptor, Systemd, Tcp, Unix, parse_bind, parse_tcp


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("127.0.0.1:8000", Tcp("127.0.0.1", 8000)),
        ("localhost:0", Tcp("localhost", 0)),
        ("[::]:443", Tcp("::", 443)),
        ("[::1]:65535", Tcp("::1", 65_535)),
        ("unix:/run/x.sock", Unix("/run/x.sock")),
        ("unix:x.sock", Unix("x.sock")),
        ("unix:///run/x.sock", Unix("/run/x.sock")),
        ("fd:3", Descriptor(3)),
        ("systemd", Systemd()),
        ("systemd:web", Systemd("web")),
    ],
)
def test_forms(text: str, place: object) -> None:
    assert parse_bind(text) == place


@pytest.mark.parametrize(
    "text",
    [
        *("", "8000", ":8000", "localhost", "::1:80", "[::1]", "[]:80", "a:b", "a:-1", "a:٣"),
        *("a:65536", "unix:", "unix://", "fd:", "fd:x", "fd:-1", "systemd:"),
    ],
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|not a port"):
        parse_bind(text)


def test_where_there_are_only_hosts_and_ports() -> None:
    assert parse_tcp("[::1]:6667") == Tcp("::1", 6667)
    for other in ("unix:/run/x.sock", "systemd", "::1:6667"):
        with pytest.raises(ValueError, match=r'expected "HOST:PORT" or "\[IPv6\]:PORT": found'):
            parse_tcp(other)
