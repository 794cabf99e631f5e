"""What can be said of the proxy, and what makes no sense."""

import pytest

from hubbub.bridges.xmpp.proxy import app
from hubbub.bridges.xmpp.proxy.settings import ProxySettings, ServerSettings


def test_where_a_server_is() -> None:
    assert ServerSettings().address("a.example") == ("a.example", 5222)
    assert ServerSettings(tls="direct").address("a.example") == ("a.example", 5223)
    assert ServerSettings(host="::1", port=9, tls="none").address("a.example") == ("::1", 9)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"port": 70_000}, "port:"),
        ({"tls": "none"}, "tls:"),
        ({"tls": "none", "host": "192.0.2.1"}, "tls:"),
        ({"tls": "none", "host": "localhost.example"}, "tls:"),
        ({"tls": "none", "host": "127.0.0.1", "ca": "a.pem"}, "ca:"),
    ],
)
def test_what_makes_no_sense_of_a_server(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ServerSettings(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"servers": {"A.example": ServerSettings()}}, "servers:"),
        ({"path": "xmpp"}, "path:"),
        ({"url": "https://a.example"}, "url:"),
        ({"frame_limit_bytes": 100}, "frame_limit_bytes:"),
        ({"connect_s": 0}, "connect_s:"),
    ],
)
def test_what_makes_no_sense(values: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ProxySettings(**values)  # type: ignore[arg-type]


def test_a_file_of_certificates_that_is_none() -> None:
    with pytest.raises(Exception, match="no-such-file"):
        app(ProxySettings(servers={"a.test": ServerSettings(ca="/no-such-file.pem")}))
