"""Lines as the vectors have them, and any others: read, written, cut out of streams."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.bridges.irc.casemapping import CaseMapping, folded, known
from hubbub.bridges.irc.ctcp import Ctcp, action
from hubbub.bridges.irc.ctcp import encode as encode_ctcp
from hubbub.bridges.irc.ctcp import parse as parse_ctcp
from hubbub.bridges.irc.cutting import Cutter, TooLong
from hubbub.bridges.irc.line import (
    BadLine,
    Line,
    encode,
    escape,
    fitted,
    is_utf8,
    parse,
    room_for_text,
    unescape,
)
from hubbub.errors import Misuse

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "vectors/irc_lines.json").read_text(encoding="utf-8")
)
GOOD = [one for one in VECTORS["lines"] if "bad" not in one]
BAD = [one for one in VECTORS["lines"] if "bad" in one]


@pytest.mark.parametrize("vector", GOOD, ids=lambda one: one["line"])
def test_lines_mean_what_the_vectors_say(vector: dict[str, Any]) -> None:
    expected = Line(
        vector["command"],
        tuple(vector["params"]),
        vector.get("source", ""),
        vector.get("tags", {}),
    )
    assert parse(vector["line"]) == expected
    assert parse(vector["line"].encode()) == expected
    written = encode(expected)
    assert parse(written) == expected
    if vector.get("same"):
        assert written == vector["line"].encode()


@pytest.mark.parametrize("vector", BAD, ids=lambda one: one["line"])
def test_what_is_no_line_is_told_in_words(vector: dict[str, Any]) -> None:
    with pytest.raises(BadLine) as caught:
        parse(vector["line"])
    assert caught.value.reason == vector["bad"]


@pytest.mark.parametrize(
    "line",
    [
        Line("PRIVMSG", ("#a", "hi\r\nQUIT")),
        Line("PRIVMSG", ("#a", "hi\nQUIT")),
        Line("PRIVMSG", ("#a", "hi\0")),
        Line("PRIVMSG", ("#a b", "hi")),
        Line("PRIVMSG", ("", "hi")),
        Line("PRIVMSG", (":a", "hi")),
        Line("PRIVMSG", ("#a\r\nQUIT", "hi")),
        Line("PRIV MSG", ("#a",)),
        Line("PRIVMSG\r\nQUIT"),
        Line("", ("a",)),
        Line("PRIVMSG", ("#a", "hi"), "ada lovelace"),
        Line("PRIVMSG", ("#a", "hi"), "ada\r\n"),
        Line("PRIVMSG", ("#a", "hi"), "", {"a b": "c"}),
        Line("PRIVMSG", ("#a", "hi"), "", {"a;b": "c"}),
        Line("PRIVMSG", ("#a", "hi"), "", {"": "c"}),
        Line("PRIVMSG", ("#a", "hi"), "", {"a": "\0"}),
        Line("PRIVMSG", ("#a", "h" * 512)),
        Line("PRIVMSG", ("#a", "hi"), "", {"a": "b" * 8190}),
    ],
)
def test_what_would_be_more_than_a_line_is_not_written(line: Line) -> None:
    with pytest.raises(Misuse):
        encode(line)


ANY = st.text(max_size=20) | st.text(alphabet="a :@;=\\\r\n\0,+#!é", max_size=12)


@given(ANY, st.lists(ANY, max_size=4), ANY, st.dictionaries(ANY, ANY, max_size=3))
def test_nothing_is_injected(
    command: str, params: list[str], source: str, tags: dict[str, str]
) -> None:
    line = Line(command, tuple(params), source, tags)
    try:
        written = encode(line)
    except Misuse:
        return
    assert not set(written) & {0, 10, 13}
    found = parse(written)
    assert found.command == command.upper()
    if "".join((*params, source, *tags.values())).isprintable():
        assert found == Line(command.upper(), tuple(params), source, tags)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_line_or_refused(raw: bytes) -> None:
    try:
        line = parse(raw)
    except BadLine:
        return
    assert line.command.isascii()
    assert not any(set(param) & set("\r\n\0") for param in line.params)


@given(st.text())
def test_tag_values_come_back(value: str) -> None:
    assert unescape(escape(value)) == value
    assert not set(escape(value)) & set("; \r\n")


def test_lines_are_fitted_between_characters() -> None:
    line = Line("TOPIC", ("#a", "é" * 300), "s")
    fit = fitted(line)
    assert len(encode(fit)) in (509, 510)
    assert set(fit.params[-1]) == {"é"}
    assert fitted(Line("TOPIC", ("#a", "short"))) == Line("TOPIC", ("#a", "short"))
    room = room_for_text("n!u@h", "PRIVMSG", "#a")
    assert len(encode(Line("PRIVMSG", ("#a", "x" * room), "n!u@h"))) in (509, 510)


def test_utf8() -> None:
    assert is_utf8("é".encode())
    assert not is_utf8(b"\xe9")
    assert parse(b"X \xe9").params == ("\ufffd",)


@pytest.mark.parametrize(("mapping", "name", "expected"), VECTORS["casemapping"])
def test_case_mappings(mapping: CaseMapping, name: str, expected: str) -> None:
    assert folded(name, mapping) == expected
    assert known(mapping) == mapping
    assert known("rfc7613") == "rfc1459"


def test_ctcp() -> None:
    assert parse_ctcp("\x01ACTION waves\x01") == Ctcp("ACTION", "waves")
    assert parse_ctcp("\x01action waves") == Ctcp("ACTION", "waves")
    assert parse_ctcp("\x01VERSION\x01") == Ctcp("VERSION")
    assert parse_ctcp("\x01\x01") is parse_ctcp("hello") is parse_ctcp("") is None
    assert action("waves\x01 a") == "\x01ACTION waves a\x01"
    assert encode_ctcp(Ctcp("VERSION")) == "\x01VERSION\x01"


def cut(stream: bytes, size: int) -> list[bytes | TooLong]:
    cutter = Cutter()
    return [
        line for at in range(0, len(stream), size) for line in cutter.feed(stream[at : at + size])
    ]


@given(st.lists(st.binary(max_size=20)), st.sampled_from([b"\n", b"\r\n"]), st.integers(1, 30))
def test_any_cutting_gives_the_same_lines(lines: list[bytes], end: bytes, size: int) -> None:
    stream = b"".join(line + end for line in lines)
    whole = cut(stream, len(stream) or 1)
    assert cut(stream, size) == whole
    assert b"" not in whole


@pytest.mark.parametrize("size", [1, 7, 512, 100_000])
def test_lines_that_are_too_long_are_gone(size: int) -> None:
    stream = (
        b"PRIVMSG #a :%b\r\n" % (b"x" * 498)
        + b"PRIVMSG #a :%b\r\n" % (b"x" * 499)
        + b"@%b X\r\n" % (b"t" * 4094)
        + b"@%b X\r\n" % (b"t" * 4095)
        + b"y" * 50_000
        + b"\nPING\n"
    )
    found = cut(stream, size)
    assert [one if isinstance(one, TooLong) else len(one) for one in found] == [
        510,
        TooLong(),
        4097,
        TooLong(),
        TooLong(),
        4,
    ]


def test_what_is_held_of_a_stream_is_bounded() -> None:
    cutter = Cutter()
    for _ in range(100):
        cutter.feed(b"x" * 1000)
        assert len(cutter._held) < 6000
