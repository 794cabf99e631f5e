"""Names: what may be one, and which two are one."""

import pytest

from hubbub.apps.chat.nick import checked_nick, checked_room_name, keys
from hubbub.apps.chat.refusals import Refused


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("ada", "ADA"),
        ("ada", "аda"),
        ("Ivy", "lvy"),
        ("Ivy", "ivy"),
        ("modern", "rnodern"),
        ("paypal", "раураl"),
        ("ａda", "ada"),
        ("l1I", "Ill"),
        ("O0", "00"),
        ("Ωmega", "Ωmega"),
    ],
)
def test_these_look_alike(one: str, two: str) -> None:
    assert set(keys(one)) & set(keys(two))


@pytest.mark.parametrize(
    ("one", "two"),
    [("ada", "bob"), ("ada", "adá"), ("yuki", "ゆき"), ("محمد", "محمود"), ("王", "玉")],
)
def test_these_do_not(one: str, two: str) -> None:
    assert not set(keys(one)) & set(keys(two))


@pytest.mark.parametrize("nick", ["Ada", "ゆき", "محمد", "नेहा", "Ada.L-1_x", "x" * 32, "é"])
def test_a_nick(nick: str) -> None:
    assert checked_nick(nick) == nick


@pytest.mark.parametrize(
    "nick",
    [
        "", " ", "a b", "a\tb", "a\nb", "\u202eada", "a\u200bda", "a\u2066b", "\u3164", "\u115f",
        "a\ufe0f", "e" + "\u0301" * 6, "\u0301", "...", "<b>", "a@b", "#x", "a\x00", "\ue000",
        "x" * 33, "😀", "a\u00adb", "\ud800",
    ],
)  # fmt: skip
def test_no_nick(nick: str) -> None:
    with pytest.raises(Refused):
        checked_nick(nick)


def test_a_room_may_have_several_words() -> None:
    assert checked_room_name("  Garden   & friends ") == "Garden & friends"
    with pytest.raises(Refused):
        checked_room_name("\u202eGarden")
