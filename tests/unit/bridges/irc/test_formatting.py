"""Text split at the edges of lines, and looks told in the other side's words."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.bridges.irc.formatting import from_irc, stripped, to_irc
from hubbub.bridges.irc.splitting import graphemes, split
from hubbub.errors import Misuse
from hubbub.markup import plain_text

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors/irc_lines.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("text", "limit", "pieces"), VECTORS["split"])
def test_text_is_split(text: str, limit: int, pieces: list[str]) -> None:
    assert split(text, limit) == pieces


def test_there_must_be_room() -> None:
    with pytest.raises(Misuse):
        split("hello", 15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e\u0301a", ["e\u0301", "a"]),
        ("\r\na\r", ["\r\n", "a", "\r"]),
        ("👩‍👩‍👧x", ["👩‍👩‍👧", "x"]),
        ("🇫🇷🇩🇪🇮", ["🇫🇷", "🇩🇪", "🇮"]),
        ("❤️👍🏽", ["❤️", "👍🏽"]),
        ("각각", ["각", "각"]),
        ("क्षि", ["क्षि"]),
        ("กำ", ["กำ"]),
        ("a\n\u0301", ["a", "\n", "\u0301"]),
        ("", []),
    ],
)
def test_characters_are_what_people_take_for_one(text: str, expected: list[str]) -> None:
    assert list(graphemes(text)) == expected


TEXTS = st.text(max_size=80) | st.text(
    alphabet="ab é \n*~`\\[]()>@#_h:/.\u0301\u200d👩👧🇫🇷🏽\x02\x03\x0f\x11\x1d\x1e01,", max_size=60
)


@given(TEXTS, st.integers(16, 40))
def test_pieces_fit_and_hold_everything(text: str, limit: int) -> None:
    pieces = split(text, limit)
    assert all(0 < len(piece.encode()) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


@pytest.mark.parametrize(("text", "lines"), VECTORS["to_irc"])
def test_the_chat_is_told_to_irc(text: str, lines: list[str]) -> None:
    assert to_irc(text, 400) == lines


@pytest.mark.parametrize(("text", "expected"), VECTORS["from_irc"])
def test_irc_is_told_to_the_chat(text: str, expected: str) -> None:
    assert from_irc(text) == expected


@given(TEXTS, st.integers(16, 60))
def test_no_line_is_too_long_or_two(text: str, limit: int) -> None:
    for line in to_irc(text, limit):
        assert len(line.encode()) <= limit
        assert not set(line) & set("\r\n\0\x01")


LINES = st.text(
    alphabet="ab é *~`\\[]()@#_\x02\x03\x04\x0f\x11\x1d\x1e\x1f01,F", max_size=40
) | st.text(alphabet=st.characters(exclude_characters=">\r\n"), max_size=40)


@given(LINES)
def test_what_people_read_stays_the_same(line: str) -> None:
    written = from_irc(line)
    visible = " ".join(stripped(line).split())
    # Where even escapes cannot say it, the text itself is passed on.
    assert plain_text(written) == visible or written == stripped(line)


@given(st.lists(st.sampled_from(["word", "two", "\x02", "\x1d", "\x1e", " ", "é"]), max_size=12))
def test_looks_survive_a_round(parts: list[str]) -> None:
    line = "".join(parts)
    written = from_irc(line)
    assert plain_text(written) == " ".join(stripped(line).split())
    again = to_irc(written, 400)
    assert [" ".join(stripped(one).split()) for one in again] == (
        [plain_text(written)] if plain_text(written) else []
    )


@pytest.mark.parametrize("text", ["*" * 4000, "`" * 4000, "[" * 4000, "a*" * 2000, "\x02a" * 2000])
def test_hostile_texts_are_no_work(text: str) -> None:
    assert to_irc(text, 400) is not None
    assert from_irc(text) is not None
