"""Styling and the inline format: what people read stays the same, whichever way it goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.bridges.xmpp.muc.styling import from_styling, to_styling
from hubbub.markup import plain_text

PAIRS = [
    ("plain", "plain"),
    ("**strong** and *soft* and ~~struck~~", "*strong* and _soft_ and ~struck~"),
    ("`code *x*`", "`code *x*`"),
    ("> quoted\n> more\nanswer", "> quoted\n> more\nanswer"),
    ("```\ndef f(*a):\n```", "```\ndef f(*a):\n```"),
    ("***both***", "*_both_*"),
    ("héllo 👋 日本", "héllo 👋 日本"),
]


@pytest.mark.parametrize(("markup", "styling"), PAIRS)
def test_both_ways(markup: str, styling: str) -> None:
    assert to_styling(markup) == styling
    assert plain_text(from_styling(styling)) == plain_text(markup)


@pytest.mark.parametrize(
    ("styling", "markup"),
    [
        ("*strong*", "**strong**"),
        ("_soft_", "*soft*"),
        ("~struck~", "~~struck~~"),
        ("2*3*4", r"2\*3\*4"),
        ("* no *", r"\* no \*"),
        ("snake_case_name", "snake_case_name"),
        ("[x](https://a.example)", r"\[x](https://a.example)"),
        ("**", r"\*\*"),
    ],
)
def test_what_signs_mean(styling: str, markup: str) -> None:
    assert from_styling(styling) == markup


def test_signs_that_mean_nothing() -> None:
    assert from_styling("*a*\n> b", is_styled=False) == r"\*a\*" + "\n" + r"\> b"


def test_links_and_mentions() -> None:
    assert to_styling("[here](https://a.example) @ada") == "here ( https://a.example ) @ada"
    assert to_styling("https://a.example/x_y_z") == "https://a.example/x_y_z"


@given(st.text(alphabet="ab *_~`>\\[]()\n😀é", max_size=60) | st.text(max_size=60))
def test_nothing_that_people_read_changes(text: str) -> None:
    """Neither way raises, leaves what XML forbids, or makes signs of what was none."""
    said = from_styling(text)
    to_styling(text)
    plain = from_styling(text, is_styled=False)
    assert not set(to_styling(text)) & set(map(chr, range(9)))
    letters = [one for one in text if one.isalnum()]
    assert [one for one in plain_text(plain) if one.isalnum()] == letters
    assert [one for one in plain_text(said) if one.isalnum()] == letters
