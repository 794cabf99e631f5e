"""The nicks that people of a network have in the chat."""

import pytest

from hubbub.apps.chat.nick import checked_nick
from hubbub.bridges.link.spelling import shown


@pytest.mark.parametrize(
    ("name", "nick"),
    [
        ("ada", "ada·w3c"),
        ("[m]ada|away", "m_ada_away·w3c"),
        ("José", "José·w3c"),
        ("^^", "someone·w3c"),
        ("x" * 40, "x" * 28 + "·w3c"),
        ("@ada <b>", "ada__b·w3c"),
    ],
)
def test_everybody_has_a_nick_that_the_chat_allows(name: str, nick: str) -> None:
    assert shown(name, "w3c") == nick
    assert checked_nick(nick) == nick


def test_namesakes_have_numbers() -> None:
    assert shown("ada", "w3c", 2) == "ada-2·w3c"
    assert len(shown("x" * 40, "w3c", 12)) == 32
