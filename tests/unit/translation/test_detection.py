"""Languages of 300 chat lines in 25 languages: what is found, and what the author's change."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.translation.detection import detect, prepare
from hubbub.translation.tags import canonical

LINES: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[2] / "vectors/chat_lines.json").read_text(encoding="utf-8")
)


def counted(prior: Callable[[str], list[str]]) -> Counter[str]:
    """How many lines are right, unknown, wrong."""
    prepare()
    found: Counter[str] = Counter()
    for language, lines in LINES.items():
        for line in lines:
            lang = detect(line, prior(language)).lang.partition("-")[0]
            found[{language: "right", "und": "unknown"}.get(lang, "wrong")] += 1
    return found


def test_the_vectors_are_enough() -> None:
    assert len(LINES) >= 15
    assert sum(map(len, LINES.values())) >= 200


def test_lines_alone() -> None:
    found = counted(lambda _: [])
    assert found["right"] >= 278
    assert found["wrong"] <= 8


def test_with_the_languages_of_the_author() -> None:
    assert counted(lambda language: [language])["right"] >= 299
    for prior in (lambda language: [language, "en"], lambda language: ["en", language]):
        found = counted(prior)
        assert found["right"] >= 296
        assert found["wrong"] == 0


def test_with_languages_that_are_not_the_lines() -> None:
    assert counted(lambda _: ["fr"])["right"] >= 265


@pytest.mark.parametrize(
    ("line", "prior", "lang"),
    [
        ("ok", [], "und"),
        ("ok", ["de"], "de"),
        ("ok", ["not a tag", "pt-BR"], "pt"),
        ("ok", ["ar"], "und"),
        ("gift", ["sv", "de"], "sv"),
        ("👍👍", ["de"], "zxx"),
        ("https://example.org/hello/world `code` @ada", ["de"], "zxx"),
        ("123", [], "zxx"),
        ("", [], "zxx"),
        ("謝謝你們", [], "zh-Hant"),
        ("谢谢你们", [], "zh-Hans"),
        ("大家早上好", ["zh-TW"], "zh-Hant"),
        ("大家早上好", ["fr"], "zh"),
    ],
)
def test_few_letters(line: str, prior: list[str], lang: str) -> None:
    assert detect(line, prior).lang == lang


@given(st.text(max_size=80), st.lists(st.sampled_from(["en", "ar", "zh-TW", "x", "sr-Latn"])))
def test_any_line_has_an_answer(line: str, prior: list[str]) -> None:
    found = detect(line, prior)
    assert canonical(found.lang) == found.lang
    assert 0 <= found.confidence <= 1
