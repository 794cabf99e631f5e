"""What is looked for: from a line that somebody types to an expression of SQLite's FTS5 (pure).

The index is made of words. Scripts that are written without blanks have none that can be seen, so
each of their letters is a word, and what was typed is a phrase of them: this finds one letter as
well as twenty, where trigrams need three, and Chinese words mostly have two.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hubbub.apps.chat import refusals

QUERY_LIMIT = 200
WORDS_LIMIT = 16

# Han, kana, Hangul's neighbours, Bopomofo, Yi; Thai, Lao, Khmer, Burmese, Tibetan and their kin.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0eff\u0f40-\u0fbc\u1000-\u109f\u1780-\u17d3\u1950-\u19df"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua000-\ua48c\uaa60-\uaadf\uf900-\ufaff\U00016fe0-\U00018cff\U0001b000-\U0001b2ff"
    "\U00020000-\U000323af"
)
_LETTER = re.compile(f"[{_UNSPACED}]")
# Arabic is written with and without these: vowel signs, the stretching line.
_ORNAMENT = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed\u0591-\u05c7]")
_ALIKE = str.maketrans("آأإٱىة", "اااايه")
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_TOKEN = re.compile(r"\w+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Query:
    """What somebody looks for. Words are texts; the rest is as it was written."""

    phrases: tuple[str, ...] = ()
    from_nick: str = ""
    in_room: str = ""
    lang: str = ""
    before_ms: int = 0
    after_ms: int = 0


def parse(line: str) -> Query:
    """What a line asks for: words, "whole phrases", from: in: lang: before: after:.

    Raises:
        Refused: It asks for nothing, for too much, or a day is none.
    """
    if len(line) > QUERY_LIMIT:
        raise refusals.too_long("the search", len(line), QUERY_LIMIT)
    phrases: list[str] = []
    said: dict[str, str] = {}
    for phrase, word in _WORD.findall(line):
        name, colon, value = word.partition(":")
        if colon and value and name.lower() in ("from", "in", "lang", "before", "after"):
            said[name.lower()] = value
        elif _TOKEN.search(indexed(phrase or word)):
            phrases.append(phrase or word)
    if not phrases and not said:
        raise refusals.bad("nothing to look for")
    if len(phrases) > WORDS_LIMIT:
        raise refusals.bad(f"at most {WORDS_LIMIT} words")
    return Query(
        tuple(phrases),
        said.get("from", "").removeprefix("@"),
        said.get("in", "").removeprefix("#"),
        said.get("lang", ""),
        _day_ms(said["before"]) if "before" in said else 0,
        _day_ms(said["after"], 1) if "after" in said else 0,
    )


def indexed(text: str) -> str:
    """A text as the index wants it, and what is looked for in it likewise.

    The index forgets a text only if it is told exactly what it was told before: whoever changes
    this adds a version to the schema that builds the index anew.
    """
    text = unicodedata.normalize("NFKC", text)
    text = _ORNAMENT.sub("", text).translate(_ALIKE)
    return _LETTER.sub(r" \g<0> ", text)


def expression(query: Query, rooms: Sequence[str] = (), user: str = "") -> str:
    """The expression for FTS5.

    Args:
        query: What is looked for.
        rooms: In which rooms; none: in all there are.
        user: By whom; empty: by anybody.
    """
    parts = [_phrase(one) for one in query.phrases]
    if rooms:
        parts.append("room : (" + " OR ".join(quoted(token(one)) for one in rooms) + ")")
    if user:
        parts.append("user : " + quoted(token(user)))
    if query.lang:
        # "pt" finds "pt-BR": the index holds the tag's parts as words, in their order.
        parts.append("lang : ^ " + quoted(query.lang))
    return " AND ".join(parts)


def token(name: str) -> str:
    """A room or user as one word of the index, whatever it is made of."""
    return "x" + name.encode().hex()


def quoted(word: str) -> str:
    """A string of FTS5."""
    return '"' + word.replace('"', '""') + '"'


def _phrase(typed: str) -> str:
    tokens = _TOKEN.findall(indexed(typed))
    # The last word may not be typed to its end; a letter of its own is whole.
    star = "" if _LETTER.fullmatch(tokens[-1]) else " *"
    return "text : " + quoted(" ".join(tokens)) + star


def _day_ms(day: str, add_days: int = 0) -> int:
    try:
        if not _DAY.fullmatch(day):
            raise ValueError(day)
        begin = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=add_days)
        return int(begin.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise refusals.bad(f"expected a day such as 2026-01-31: {day}") from None
