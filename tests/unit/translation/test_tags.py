"""Tags and ranges, as the vectors have them: the page reads the same file."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.translation.accept import GUESS_LIMIT, first_guess
from hubbub.translation.names import english_name
from hubbub.translation.tags import (
    BadTag,
    canonical,
    canonical_list,
    lookup,
    matches_basic,
    matches_extended,
    understands,
    written_in,
)

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "vectors/languages.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(("written", "tag"), VECTORS["canonical"].items())
def test_each_language_has_one_spelling(written: str, tag: str) -> None:
    assert canonical(written) == tag
    assert canonical(tag) == tag


@pytest.mark.parametrize(("written", "reason"), VECTORS["bad"].items())
def test_what_is_no_tag_is_told_in_words(written: str, reason: str) -> None:
    with pytest.raises(BadTag) as caught:
        canonical(written)
    assert caught.value.reason == reason
    assert caught.value.tag == written


@given(st.text(max_size=80))
def test_any_text_is_a_tag_or_refused(text: str) -> None:
    try:
        tag = canonical(text)
    except BadTag:
        return
    assert canonical(tag) == tag
    assert tag.isascii()


@pytest.mark.parametrize(("language_range", "tag", "expected"), VECTORS["basic"])
def test_basic_filtering(language_range: str, tag: str, expected: bool) -> None:
    assert matches_basic(language_range, tag) is expected


@pytest.mark.parametrize(("language_range", "tag", "expected"), VECTORS["extended"])
def test_extended_filtering(language_range: str, tag: str, expected: bool) -> None:
    assert matches_extended(language_range, tag) is expected


@pytest.mark.parametrize(("ranges", "tags", "expected"), VECTORS["lookup"])
def test_lookup(ranges: list[str], tags: list[str], expected: str | None) -> None:
    assert lookup(ranges, tags) == expected
    assert lookup(ranges, [], "en") == "en"


@pytest.mark.parametrize(("langs", "tag", "expected"), VECTORS["understands"])
def test_who_understands_what(langs: list[str], tag: str, expected: bool) -> None:
    assert understands(langs, tag) is expected


@pytest.mark.parametrize(("field", "expected"), VECTORS["accept_language"])
def test_a_browser_says_what_its_user_reads(field: str, expected: list[str]) -> None:
    assert first_guess(field) == expected


@given(st.text(alphabet="abcdefz-;=q.0123456789, *\n", max_size=200))
def test_any_field_gives_a_list_of_tags(field: str) -> None:
    found = first_guess(field)
    assert found == canonical_list(found)
    assert len(found) <= GUESS_LIMIT


def test_a_long_field_is_cut() -> None:
    assert (
        len(
            first_guess(
                ",".join(["de", "en", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "fi"])
            )
        )
        == 10
    )
    assert first_guess("x," * 100_000) == []


def test_scripts() -> None:
    assert [written_in(tag) for tag in ("zh-TW", "zh", "sr", "sr-Latn", "en-x-latn")] == [
        "Hant",
        "Hans",
        "Cyrl",
        "Latn",
        "Latn",
    ]


def test_names() -> None:
    assert english_name("fr") == "French"
    assert english_name("fr-CH") == "French (CH)"
    assert english_name("qaa") == "qaa"
