"""Language tags: one spelling for each, and whether a range accepts one (pure).

RFC 5646 says what a tag is, RFC 4647 how ranges are compared with tags. Detection is in
`detection`, the codes of translation services in `codes`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

from hubbub.errors import HubbubError

UNKNOWN = "und"
"""The tag of a text whose language is not known."""

NO_LANGUAGE = "zxx"
"""The tag of what is in no language: numbers, a drawing."""

TAG_LIMIT = 64
"""Characters in a tag; longer ones name nothing."""

_SUBTAG = re.compile(r"[A-Za-z0-9]{1,8}")
_SCRIPT = re.compile(r"[A-Z][a-z]{3}")

# What is written alike goes by one name when it is asked who understands whom: the members of a
# macrolanguage that nearly everybody means by it (Bokmål and Nynorsk read each other).
_WRITTEN_ALIKE = {"nb": "no", "nn": "no", "cmn": "zh", "arb": "ar", "zsm": "ms", "swh": "sw"}


class BadTag(HubbubError, ValueError):
    """This is no language tag.

    Attributes:
        tag: What was given.
        reason: What is wrong with it.
    """

    def __init__(self, tag: str, reason: str) -> None:
        super().__init__(f"no language tag: {tag[:TAG_LIMIT]!r}: {reason}")
        self.tag = tag
        self.reason = reason


@lru_cache(maxsize=4096)
def canonical(tag: str) -> str:
    """The one spelling of a tag: "EN_gb" is "en-GB", "iw" is "he".

    Raises:
        BadTag: It is not formed like one, or names something that is not registered.
    """
    text = tag.strip().replace("_", "-")
    if not text:
        raise BadTag(tag, "it is empty")
    if len(text) > TAG_LIMIT:
        raise BadTag(tag, f"longer than {TAG_LIMIT} characters")
    for subtag in text.split("-"):
        if not _SUBTAG.fullmatch(subtag):
            raise BadTag(tag, f"expected 1 to 8 letters or digits between hyphens: {subtag!r}")
    try:
        standard = langcodes.standardize_tag(text)
        language = langcodes.Language.get(standard, normalize=False)
    except LanguageTagError as error:
        raise BadTag(tag, _in_words(text, error)) from None
    if not langcodes.tag_is_valid(standard):
        raise BadTag(tag, _unregistered(language))
    return standard


def _in_words(text: str, error: LanguageTagError) -> str:
    first = text.partition("-")[0]
    if not 2 <= len(first) <= 3 or not first.isalpha():
        return f"a language has two or three letters: {first!r}"
    return str(error).strip().rstrip(".").lower()


def _unregistered(language: langcodes.Language) -> str:
    found = (
        ("language", language.language, ""),
        ("script", language.script, "und-"),
        ("region", language.territory, "und-"),
    )
    for kind, code, before in found:
        if code and not langcodes.tag_is_valid(before + code):
            return f"there is no such {kind}: {code!r}"
    return "a subtag is not registered"


def canonical_list(tags: Iterable[str]) -> list[str]:
    """The tags in their one spelling, in order, each once.

    Raises:
        BadTag: One is none.
    """
    return list(dict.fromkeys(canonical(tag) for tag in tags))


def matches_basic(language_range: str, tag: str) -> bool:
    """Basic filtering (RFC 4647 §3.3.1): the range is the tag, or the tag's beginning."""
    wanted, found = language_range.lower(), tag.lower()
    return wanted in ("*", found) or found.startswith(wanted + "-")


def matches_extended(language_range: str, tag: str) -> bool:
    """Extended filtering (RFC 4647 §3.3.2): "de-*-DE" accepts "de-Latn-DE-1996"."""
    wanted = language_range.lower().split("-")
    found = tag.lower().split("-")
    if wanted[0] not in ("*", found[0]):
        return False
    at = 1
    for subtag in wanted[1:]:
        if subtag == "*":
            continue
        while at < len(found) and found[at] != subtag:
            if len(found[at]) == 1:  # a singleton: what follows belongs to it
                return False
            at += 1
        if at == len(found):
            return False
        at += 1
    return True


def fallbacks(tag: str) -> list[str]:
    """The tag, and what lookup tries after it: "zh-Hant-TW", "zh-Hant", "zh" (RFC 4647 §3.4)."""
    subtags = tag.split("-")
    tried: list[str] = []
    while subtags:
        tried.append("-".join(subtags))
        subtags.pop()
        # "Single letter or digit subtags are removed as well."
        if subtags and len(subtags[-1]) == 1:
            subtags.pop()
    return tried


def lookup(ranges: Sequence[str], tags: Iterable[str], default: str | None = None) -> str | None:
    """The one tag that serves best (RFC 4647 §3.4): ranges in the order they are preferred."""
    known = {tag.lower(): tag for tag in tags}
    for language_range in ranges:
        if language_range == "*":
            continue
        for tried in fallbacks(language_range.lower()):
            if tried in known:
                return known[tried]
    return default


def understands(langs: Iterable[str], tag: str) -> bool:
    """Whether who reads these languages can read a text in that one.

    Script matters, region does not: "en-GB" accepts "en" and "en-US"; "zh-TW" means traditional
    characters, and does not accept "zh-Hans". What has no language, or nobody knows which, is
    understood: there is nothing to translate it from.
    """
    if tag in (UNKNOWN, NO_LANGUAGE):
        return True
    language, script = _language(tag), written_in(tag)
    for one in langs:
        if one == "*":
            return True
        wanted = _language(one)
        if wanted != language:
            continue
        # A bare language accepts every script, as extended filtering has it.
        if "-" not in one or written_in(one) == script:
            return True
    return False


def _language(tag: str) -> str:
    language = tag.partition("-")[0].lower()
    return _WRITTEN_ALIKE.get(language, language)


@lru_cache(maxsize=4096)
def written_in(tag: str) -> str:
    """The script of a text in that language: the tag's own, or the likely one ("zh-TW": "Hant").

    Empty if nobody can say.
    """
    for subtag in tag.split("-")[1:]:
        if len(subtag) == 1:
            break
        if _SCRIPT.fullmatch(subtag.title()) and len(subtag) == 4 and subtag.isalpha():
            return subtag.title()
    try:
        return langcodes.Language.get(tag).maximize().script or ""
    except (LanguageTagError, AttributeError):
        return ""
