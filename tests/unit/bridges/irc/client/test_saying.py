"""What a bridge says on IRC for what was said, changed or liked in the chat."""

import pytest

from hubbub.bridges.irc.client.saying import LINES_LIMIT, Voice, lines_of
from hubbub.bridges.irc.line import encode
from hubbub.bridges.link.remote import (
    Author,
    Delivery,
    Edit,
    Quoted,
    React,
    Retract,
    Say,
    SetTopic,
    What,
)

RELAY = Voice("hubbub!h@host", frozenset(), "mark", munge=False)
TAGS = Voice("hubbub!h@host", frozenset({"message-tags"}), "mark", munge=False)
PUPPET = Voice("Ada!a@host", frozenset({"message-tags"}), "mark", is_own=True)
BOBS = Quoted("id1", "bob", "the **first** words", is_remote=True)


def lines(what: What, voice: Voice = RELAY, nick: str = "Ada") -> list[str]:
    delivery = Delivery(1, "#a", Author("u1", nick), what, "m1")
    return [encode(one).decode() for one in lines_of(delivery, voice)]


@pytest.mark.parametrize(
    ("what", "relay", "puppet"),
    [
        (Say("hi"), ["PRIVMSG #a :<Ada> hi"], ["@{m} PRIVMSG #a hi"]),
        (
            Say("waves", kind="action"),
            ["PRIVMSG #a :* Ada waves"],
            ["@{m} PRIVMSG #a :\x01ACTION waves\x01"],
        ),
        (Say("psst", kind="notice"), ["NOTICE #a :<Ada> psst"], ["@{m} NOTICE #a psst"]),
        (
            Say("a\nb", "en"),
            ["PRIVMSG #a :<Ada> a", "PRIVMSG #a :<Ada> b"],
            ["@{m};+hubbub.chat/lang=en PRIVMSG #a a", "@{m} PRIVMSG #a b"],
        ),
        (
            Say("yes", reply=BOBS),
            ["PRIVMSG #a :<Ada> bob: yes"],
            ["@{m};+reply=id1;+draft/reply=id1 PRIVMSG #a :bob: yes"],
        ),
        (Say("Bob, yes", reply=BOBS), ["PRIVMSG #a :<Ada> Bob, yes"], None),
        (
            Edit("new", Quoted("id2", "Ada")),
            ["PRIVMSG #a :<Ada> (edited) new"],
            ["@{m};+hubbub.chat/edit=id2;+reply=id2;+draft/reply=id2 PRIVMSG #a :(edited) new"],
        ),
        (
            Retract(Quoted("", "Ada", "old words")),
            ['NOTICE #a :<Ada> (has deleted a message: "old words")'],
            ['@{m} NOTICE #a :(has deleted a message: "old words")'],
        ),
        (
            Retract(Quoted("", "Ada", "old words"), Author("u2", "Mod")),
            ['NOTICE #a :<Mod> (has deleted a message: "old words")'],
            ['@{m} NOTICE #a :(has deleted a message: "old words")'],
        ),
        (
            React("👍", BOBS),
            ['NOTICE #a :<Ada> (👍 to "the \x02first\x02 words")'],
            ["@{m};+draft/react=👍;+draft/reply=id1 TAGMSG #a"],
        ),
        (
            React("👍", BOBS, on=False),
            [],
            ["@{m};+draft/unreact=👍;+draft/reply=id1 TAGMSG #a"],
        ),
        (SetTopic("a\r\nb"), ["TOPIC #a :a b"], None),
    ],
)
def test_the_rules(what: What, relay: list[str], puppet: list[str] | None) -> None:
    assert lines(what) == relay
    if puppet is not None:
        mark = "+hubbub.chat/bridge=mark"
        assert lines(what, PUPPET) == [one.replace("{m}", mark) for one in puppet]


def test_redact_where_it_is_understood() -> None:
    voice = Voice("h!h@h", frozenset({"draft/message-redaction"}), "mark")
    assert lines(Retract(Quoted("id1", "Ada", "x")), voice) == ["REDACT #a id1"]
    edited = Retract(Quoted("id1", "Ada", "x", edits=("id2", "id3")))
    assert lines(edited, voice) == ["REDACT #a id1", "REDACT #a id2", "REDACT #a id3"]


def test_a_nick_is_parted_so_that_nobody_is_highlighted() -> None:
    munging = Voice("hubbub!h@host", frozenset(), "mark")
    assert lines(Say("hi"), munging) == ["PRIVMSG #a :<A\u200bda> hi"]


def test_the_relay_marks_what_it_says() -> None:
    assert lines(Say("hi"), TAGS) == ["@+hubbub.chat/bridge=mark PRIVMSG #a :<Ada> hi"]


def test_long_texts_fit_with_the_source_that_others_see() -> None:
    made = lines(Say("é" * 3_000))
    assert all(len(f":hubbub!h@host {one}\r\n".encode()) <= 512 for one in made)
    assert "".join(one.partition("<Ada> ")[2] for one in made) == "é" * 3_000


def test_a_book_is_cut() -> None:
    made = lines(Say("\n".join(map(str, range(100)))))
    assert len(made) == LINES_LIMIT
    assert made[-1] == "PRIVMSG #a :<Ada> … (61 more lines)"


def test_nothing_gets_out_of_its_line() -> None:
    for text in ("a\rQUIT", "\x01VERSION\x01", "a\0b", "\u2028x", "\x7f"):
        for one in lines(Say(text), nick="A\r\nda"):
            assert not set("\r\n\0") & set(one)
