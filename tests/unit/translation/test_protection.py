"""What is shown to a back end, and what comes through it as it was."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.translation.backend import Line
from hubbub.translation.protection import Mangled, Plan, has_words, pieces, plan
from hubbub.translation.rendering import (
    with_elements,
    with_marks,
    without_elements,
    without_marks,
)


def shown(text: str, *terms: str, is_html: bool = False) -> list[str]:
    """The lines as a back end sees them."""
    return [with_marks(line) for line in plan(text, terms=terms, is_html=is_html).lines]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("see https://example.org/a_(b)?c=d, please", ["see {0}, please"]),
        ("www.example.org is down", ["{0} is down"]),
        ("write to ada.l@example.org.", ["write to {0}."]),
        ("@ada and @bob[m]: hello", ["{0} and {1}: hello"]),
        ("run `rm -r x` or ``a`b`` now", ["run {0} or {1} now"]),
        ("before\n```py\nprint(1)\n```\nafter", ["before", "after"]),
        ("~~~\nnever closed", []),
        ("> quoted words\n> > twice", ["quoted words", "twice"]),
        ("- a list\n  2) of things", ["a list", "of things"]),
        ("so **very nice** and ~~not~~", ["so {0}very nice{1} and {2}not{3}"]),
        ("[the label](https://x.org) here", ["{0}the label{1} here"]),
        ("fine 👍🏽 and 👩‍👩‍👧 🇫🇷 1️⃣ ❤️", ["fine {0} and {1} {2} {3} {4}"]),
        ("hello :wave: you", ["hello {0} you"]),
        ("/me waves at you", ["waves at you"]),
        ("/join #room and words", []),
        ("q+ to ask that", ["to ask that"]),
        ("present+", []),
        ("replace %s and {0} by words", ["replace {0} and {1} by words"]),
        ("in #lobby there is C#", ["in {0} there is C#"]),
        ("👍", []),
        ("1 + 1 = 2", []),
        ("a", []),
        ("猫", ["猫"]),
        ("", []),
        ("\n\n", []),
        ("   words with space   ", ["words with space"]),
    ],
)
def test_only_words_are_shown(text: str, lines: list[str]) -> None:
    assert shown(text) == lines


def test_terms_are_whole_words_and_the_longer_first() -> None:
    assert shown("Ada Lovelace met Ada and Adam", "Ada", "Ada Lovelace") == ["{0} met {1} and Adam"]
    assert shown("ada met c++ there", "Ada", "c++") == ["ada met {0} there"]


def test_html_keeps_its_tags_and_says_its_entities() -> None:
    text = (
        '<p>Fish &amp; chips <a href="x">here</a><code>let it</code>'
        ' <b translate="no">Hubbub now</b></p>\n'
    )
    taken = plan(text, is_html=True)
    assert [with_marks(line) for line in taken.lines] == ["{0}Fish & chips {1}here{2}{3} {4}{5}"]
    assert taken.rebuild(
        [taken.restored(0, without_marks("{0}Pez & <x> {1}aquí{2}{3} {4}{5}"))]
    ) == (
        '<p>Pez &amp; &lt;x&gt; <a href="x">aquí</a><code>let it</code>'
        ' <b translate="no">Hubbub now</b></p>\n'
    )


def test_parts_come_back_wherever_they_went() -> None:
    taken = plan("ask @ada about **this thing**")
    assert taken.restored(0, without_marks("sobre {1}esta cosa{2} pregunta a {0}")) == (
        "sobre **esta cosa** pregunta a @ada"
    )


def test_blanks_that_a_service_adds_inside_marks_go() -> None:
    taken = plan("a **big house** with [a label](http://x.y) there")
    answer = "una {0} casa grande {1} con {2} un sello {3} ahí"
    assert taken.restored(0, without_marks(answer)) == (
        "una **casa grande** con [un sello](http://x.y) ahí"
    )


@pytest.mark.parametrize("answer", ["a", "{0} a", "{0} {0} {1}", "{0} {1} {2}"])
def test_what_is_lost_or_doubled_is_noticed(answer: str) -> None:
    with pytest.raises(Mangled):
        plan("@ada says @bob").restored(0, without_marks(answer))


@pytest.mark.parametrize(
    ("text", "answer", "is_whole"),
    [
        ("a **big** house", (0, "so", 1, " house"), True),
        ("a **big** house", (0, " ", 1, "big house"), False),
        ("a **big** house", (0, 1, "big house"), False),
        ("a **big** house", (1, "big", 0, " house"), False),
        ("a *big* and ~~old~~ house", (0, "big", 1, "house", 2, 3, "old"), False),
        ("see [the notes](https://a.example/)", ("see the notes ", 0, 1), False),
        ("see [the notes](https://a.example/)", ("see ", 0, "the notes", 1), True),
        ("a **`code`** house", (0, 1, 2, "house"), True),
        ("two * stars * here", ("two ", "here"), True),
    ],
)
def test_marks_keep_what_they_mark(
    text: str, answer: tuple[str | int, ...], is_whole: bool
) -> None:
    plan_ = plan(text)
    if is_whole:
        assert plan_.restored(0, answer)
    else:
        with pytest.raises(Mangled):
            plan_.restored(0, answer)


def test_pieces_cannot_be_mangled() -> None:
    taken = plan("  hello @ada, read https://x.y now 👍")
    assert [with_marks(line) for line in pieces(taken.lines[0])] == ["hello", ", read", "now"]
    assert taken.rebuild([taken.pieced(0, ["hola", ", lee", "ya"])]) == (
        "  hola @ada, lee https://x.y ya 👍"
    )


def test_letters_make_words() -> None:
    assert [has_words(text) for text in ("ab", "a1", "字", "한", "42!", "")] == [
        True,
        False,
        True,
        True,
        False,
        False,
    ]


def same(taken: Plan, line: Line, number: int, *, elements: bool) -> str:
    answer = without_elements(with_elements(line)) if elements else without_marks(with_marks(line))
    return taken.restored(number, answer)


TEXTS = st.text(
    alphabet="ab é字*~`[](){}<>&;@#:/.\\\n\t-|^$%0👍\u200d\ufe0f", max_size=60
) | st.text(max_size=60)


@given(TEXTS, st.booleans(), st.booleans())
def test_an_echo_gives_the_text_again(text: str, elements: bool, is_html: bool) -> None:
    taken = plan(text, is_html=is_html)
    lines = [
        same(taken, line, number, elements=elements) for number, line in enumerate(taken.lines)
    ]
    if not is_html:  # HTML has several spellings of one text
        assert taken.rebuild(lines) == text


@given(TEXTS)
def test_without_words_nothing_changes(text: str) -> None:
    taken = plan(text)
    echoed = [
        taken.pieced(number, [one[0].text for one in pieces(line)])
        for number, line in enumerate(taken.lines)
    ]
    assert taken.rebuild(echoed) == text


@pytest.mark.parametrize(
    "text",
    [
        "a" * 5000,
        "[" * 5000,
        "`" * 5000,
        "*" * 5000,
        "](" * 2500,
        "@" * 5000,
        "<!--" * 1250,
        "<a " * 1600,
        "a@" * 2500,
        "http://" * 700,
        "👍" * 5000,
        "- " * 2500,
    ],
)
@pytest.mark.parametrize("is_html", [False, True])
def test_hostile_texts_take_no_time(text: str, is_html: bool) -> None:
    began_s = time.process_time()
    plan(text, is_html=is_html)
    assert time.process_time() - began_s < 0.25
