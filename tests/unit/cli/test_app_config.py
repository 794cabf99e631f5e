"""`--app-config`: a table from single values."""

import pytest

from hubbub.cli.app_config import app_config
from hubbub.cli.mistake import Mistake


def test_values_are_what_toml_says_and_texts_otherwise() -> None:
    assert app_config(
        ["irc.enabled=true", 'irc.bind=["127.0.0.1:6668"]', "lobby=The Lobby", "text_limit=20"]
    ) == {
        "irc": {"enabled": True, "bind": ["127.0.0.1:6668"]},
        "lobby": "The Lobby",
        "text_limit": 20,
    }
    assert app_config([]) == {}


@pytest.mark.parametrize("wrong", [["irc"], ["=1"]])
def test_what_is_none_is_a_mistake(wrong: list[str]) -> None:
    with pytest.raises(Mistake, match="--app-config"):
        app_config(wrong)
