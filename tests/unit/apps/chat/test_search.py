"""What somebody types becomes an expression, and finds what it should."""

import sqlite3

import pytest

from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.search import expression, indexed, parse, token

LINES = [
    ("Hello, wonderful World", "en"),
    ("L'été à Orléans", "fr"),
    ("昨日東京に行きました", "ja"),
    ("京東的東西", "zh-Hans"),
    ("مُحَمَّد كتب رسالة", "ar"),
    ("ประเทศไทยสวยงาม", "th"),
    ("fish & chips: 3,50 €", "en-GB"),
    ("안녕하세요 여러분", "ko"),
]


def found(line: str) -> list[int]:
    db = sqlite3.connect(":memory:")
    db.execute(
        "create virtual table search using fts5 (text, room, user, lang, content = '',"
        ' tokenize = "unicode61 remove_diacritics 2")'
    )
    for number, (text, lang) in enumerate(LINES):
        row = (number, indexed(text), token("lobby"), token(f"u{number % 2}"), lang)
        db.execute("insert into search (rowid, text, room, user, lang) values (?, ?, ?, ?, ?)", row)
    query = parse(line)
    user = {"ada": "u0", "bob": "u1"}.get(query.from_nick, query.from_nick)
    match = expression(query, ["lobby", "else where"], user)
    rows = db.execute("select rowid from search where search match ? order by rowid", (match,))
    return [number for (number,) in rows]


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("hello", [0]),
        ("HELL wor", [0]),
        ('"wonderful world"', [0]),
        ('"world wonderful"', []),
        ("ete", [1]),
        ("orléans l'été", [1]),
        ("東京", [2]),
        ("京", [2, 3]),
        ("東西", [3]),
        ("محمد", [4]),
        ("رساله", [4]),
        ("ไทย", [5]),
        ("안녕", [7]),
        ("chips & fish", [6]),
        ('"; drop table search; --', []),
        ("NEAR(hello world)", []),
        ("hel* ^x", []),
        ("lang:en", [0, 6]),
        ("lang:zh", [3]),
        ("東 lang:ja", [2]),
        ("from:ada lang:en hello", [0]),
        ("from:bob hello", []),
    ],
)
def test_it_finds(line: str, numbers: list[int]) -> None:
    assert found(line) == numbers


def test_what_is_asked() -> None:
    query = parse(
        'roses "red ones" from:@Ada in:#garden lang:fr before:2026-01-31 after:2026-01-01'
    )
    assert query.phrases == ("roses", "red ones")
    assert (query.from_nick, query.in_room, query.lang) == ("Ada", "garden", "fr")
    assert (query.before_ms, query.after_ms) == (1_769_817_600_000, 1_767_312_000_000)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "  ",
        "...",
        "x" * 201,
        " ".join("abcdefghijklmnopq"),
        "before:yesterday",
        "after:2026-02-30",
    ],
)
def test_it_asks_for_nothing(line: str) -> None:
    with pytest.raises(Refused):
        parse(line)
