"""Addresses: the engine's spelling, and the URLs that lead there."""

import pytest

from hubbub.address import bracketed, is_ip, port_of, tcp_address, url_of


def test_spelling() -> None:
    assert tcp_address("127.0.0.1", 80) == "tcp://127.0.0.1:80"
    assert tcp_address("::1", 80) == "tcp://[::1]:80"
    assert bracketed("example.org") == "example.org"
    assert port_of("tcp://[::1]:8000") == 8000


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("tcp://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("tcp://0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("tcp://[::]:8000", "http://[::1]:8000"),
        ("tcp://[::1]:8000", "http://[::1]:8000"),
        ("unix:/run/x", "unix:/run/x"),
    ],
)
def test_urls(address: str, url: str) -> None:
    assert url_of(address, "http") == url


def test_names_are_no_addresses() -> None:
    assert is_ip("::1")
    assert is_ip("10.0.0.1")
    assert not is_ip("localhost")
    assert not is_ip("1.2.3")
