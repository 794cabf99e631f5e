"""Path patterns and endpoint options."""

from typing import Any

import pytest

from hubbub.errors import Misuse
from hubbub.routing import Declaration, Endpoint, join, parameter_names


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/", ()),
        ("/echo", ()),
        ("/ws/{room}", ("room",)),
        ("/a/{b}/c/{d}", ("b", "d")),
        ("/files/{*rest}", ("rest",)),
        ("/{name}.json", ("name",)),
        ("/v{number}", ("number",)),
        ("/{", None),
        ("/{}", None),
        ("/}", None),
        ("/{a}{b}", None),
        ("/{1a}", None),
        ("/{a-b}", None),
        ("/{a}/{a}", None),
        ("/{*rest}/more", None),
        ("/{*rest}.txt", None),
        ("echo", None),
        ("", None),
    ],
)
def test_patterns(path: str, names: tuple[str, ...] | None) -> None:
    if names is None:
        with pytest.raises(Misuse):
            parameter_names(path)
    else:
        assert parameter_names(path) == names


@pytest.mark.parametrize(
    ("prefix", "path", "joined"),
    [
        ("/", "/echo", "/echo"),
        ("/chat", "/ws", "/chat/ws"),
        ("/chat/", "/ws", "/chat/ws"),
        ("/chat", "/", "/chat/"),
        ("/", "/", "/"),
    ],
)
def test_below_a_mount(prefix: str, path: str, joined: str) -> None:
    assert join(prefix, path) == joined
    assert Declaration(path, "http", print).below(prefix).path == joined


def test_options_become_numbers() -> None:
    endpoint = Endpoint.of(
        {
            "message_limit_bytes": "16MiB",
            "outbox_limit_bytes": 5,
            "origins": ["*"],
            "subprotocols": ["a", "b"],
            "compression": "off",
        }
    )
    assert endpoint == Endpoint(("a", "b"), ("*",), 16 * 1024 * 1024, 5, "off")
    assert Endpoint.of({}) == Endpoint()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"message_limit_bytes": "big"}, Misuse),
        ({"outbox_limit_bytes": -1}, Misuse),
        ({"subprotocols": "chat"}, Misuse),
        ({"origins": "*"}, Misuse),
        ({"mesage_limit": 1}, TypeError),
    ],
)
def test_options_that_cannot_be(options: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=next(iter(options))):
        Endpoint.of(options)
