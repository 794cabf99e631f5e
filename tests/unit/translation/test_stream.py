"""Apertium's stream and its mode files, without Apertium."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from hubbub.translation.backend import Run
from hubbub.translation.backends.apertium import command, routes
from hubbub.translation.backends.stream import END, decode, encode


def test_words_are_escaped_and_protected_parts_are_blanks() -> None:
    line = (Run("a/b [c] *d "), Run("@ada", 0), Run("\x00^e\n"))
    assert encode(line) == b"a\\/b \\[c\\] [*]d [0] \\^e .[][\n]\x00"
    assert decode(encode(line)) == ("a/b [c] *d ", 0, " ^e ")


@given(st.text(max_size=50))
def test_what_is_encoded_is_decoded(text: str) -> None:
    sent = encode((Run(text), Run("x", 12)))
    assert sent.count(b"\0") == 1
    *words, number = decode(sent)
    assert number == 12
    assert words in ([], ["".join(c if c.isprintable() else " " for c in text)])


@given(st.binary(max_size=60))
def test_any_answer_is_read(answer: bytes) -> None:
    assert all(part for part in decode(answer + END) if isinstance(part, str))


def test_each_program_waits_for_more() -> None:
    mode = "lt-proc -w 'a b.bin' | apertium-tagger -g $2 'x|y.prob'| lt-proc $1 'c.bin'\n"
    assert command(mode) == (
        "lt-proc -z -w 'a b.bin' | apertium-tagger -z -g 'x|y.prob' | lt-proc -z -n c.bin"
    )


def test_routes_are_pairs_and_what_a_pivot_joins() -> None:
    files = [
        Path(f"/m/{name}.mode")
        for name in (
            "eco-es-fr",
            "eng-spa",
            "es-fr",
            "fr-es",
            "spa-eng",
            "spa-eng_US",
            "eng-spa-anmor",
            "spa-fra",
            "zzz-eng",
        )
    ]
    assert {pair: [one.stem for one in route] for pair, route in routes(files, ["es"]).items()} == {
        ("en", "es"): ["eng-spa"],
        ("es", "fr"): ["es-fr"],
        ("fr", "es"): ["fr-es"],
        ("es", "en"): ["spa-eng"],
        ("es", "en-US"): ["spa-eng_US"],
        ("en", "fr"): ["eng-spa", "es-fr"],
        ("fr", "en"): ["fr-es", "spa-eng"],
        ("fr", "en-US"): ["fr-es", "spa-eng_US"],
    }
    assert ("en", "fr") not in routes(files)
