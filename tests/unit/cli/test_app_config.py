"""`--app-config`: a table from single values."""

import pytest
from msgspec import Struct

from hubbub.cli.app_config import app_config
from hubbub.cli.mistake import Mistake
from hubbub.errors import ModuleFailed
from hubbub.modules.loading import configuration


class Irc(Struct, frozen=True):
    enabled: bool = False
    bind: list[str] = []


class Config(Struct):
    irc: Irc = Irc()
    lobby: str = ""
    text_limit: int = 0
    password: str = ""
    names: dict[str, str] = {}


def test_values_are_what_toml_says_and_texts_otherwise() -> None:
    given = app_config(
        [
            *("irc.enabled=true", 'irc.bind=["127.0.0.1:6668"]', "lobby=The Lobby"),
            *("text_limit=20", "password=123", "names.one=1", "names.two=true"),
        ]
    )
    assert configuration(Config, given) == Config(
        Irc(enabled=True, bind=["127.0.0.1:6668"]),
        "The Lobby",
        20,
        password="123",
        names={"one": "1", "two": "true"},
    )
    assert app_config([]) == {}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("text_limit=many", "config.text_limit: expected int, got str"),
        ("text_limit=1.5", "config.text_limit: expected int, got float"),
        ("irc.bind=[1]", "config.irc.bind.0: expected str, got int"),
    ],
)
def test_what_does_not_fit_either_way_is_told_as_toml_means_it(given: str, message: str) -> None:
    with pytest.raises(ModuleFailed, match=message):
        configuration(Config, app_config([given]))


@pytest.mark.parametrize("wrong", [["irc"], ["=1"]])
def test_what_is_none_is_a_mistake(wrong: list[str]) -> None:
    with pytest.raises(Mistake, match="--app-config"):
        app_config(wrong)
