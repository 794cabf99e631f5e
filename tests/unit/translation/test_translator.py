"""The chain: whom it asks, for how long, how often; and that nobody waits beyond the deadline."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from hubbub.errors import Misuse
from hubbub.testing import PseudoBackend
from hubbub.translation import (
    BackendFailure,
    BadTag,
    Cache,
    Exhausted,
    Line,
    NoBackend,
    Pairs,
    Throttled,
    TooLong,
    Translated,
    Translator,
    TranslatorOptions,
)
from hubbub.translation.breaker import BreakerOptions

pytestmark = pytest.mark.anyio


async def test_words_are_translated_and_the_rest_comes_through() -> None:
    translator = Translator([PseudoBackend()])
    found = await translator.translate("> see @ada\n\n`x`\nand **there**", "en-GB", "FR")
    assert found.text == "> ⟪en-GB→fr: see @ada⟫\n\n`x`\n⟪en-GB→fr: and **there**⟫"
    assert (found.engine, found.source, found.confidence) == ("pseudo", "en-GB", 1.0)


@pytest.mark.parametrize(
    ("text", "source", "target"),
    [
        ("same language", "en-US", "en-GB"),
        ("👍 https://x.y", "en", "fr"),
        ("/join #there", "en", "fr"),
        ("no language", "zxx", "fr"),
        ("12345", "auto", "fr"),
        ("bonjour tout le monde", "auto", "fr"),
    ],
)
async def test_what_needs_no_translation_is_not_asked(text: str, source: str, target: str) -> None:
    backend = PseudoBackend()
    found = await Translator([backend]).translate(text, source, target)
    assert (found.text, found.engine, backend.asked) == (text, "", [])


async def test_the_language_is_found_out() -> None:
    backend = PseudoBackend()
    translator = Translator([backend])
    found = await translator.translate("thanks a lot for your help", "auto", "fr")
    assert (found.source, found.text) == ("en", "⟪en→fr: thanks a lot for your help⟫")
    assert found.confidence > 0.5
    found = await translator.translate("ok ok", "und", "fr", prior=["de", "pl"])
    assert found.source in ("de", "pl")


async def test_who_detects_is_asked_for_what_is_unknown() -> None:
    class Deaf(PseudoBackend):
        detects = False

    deaf, detects = Deaf(name="deaf"), PseudoBackend(name="detects")
    found = await Translator([deaf, detects]).translate("ok ok", "und", "fr")
    assert (found.engine, found.source, deaf.asked) == ("detects", "und", [])
    with pytest.raises(NoBackend):
        await Translator([deaf]).translate("ok ok", "und", "fr")


async def test_the_first_that_has_the_pair_is_asked() -> None:
    one = PseudoBackend([("en", "es")], name="one")
    two = PseudoBackend([("en", "es"), ("en", "fr"), ("pt-BR", "zh-Hant")], name="two")
    translator = Translator([one, two])
    assert (await translator.translate("hello", "en-GB", "es-MX")).engine == "one"
    assert (await translator.translate("hello", "en", "fr")).engine == "two"
    assert (await translator.translate("olá olá", "pt", "zh-TW")).engine == "two"
    for source, target in (("fr", "en"), ("pt", "zh-Hans"), ("en", "ja")):
        with pytest.raises(NoBackend):
            await translator.translate("hello there", source, target)
    assert (await translator.pairs()).targets == {
        "en": frozenset({"es", "fr"}),
        "pt-BR": frozenset({"zh-Hant"}),
    }


async def test_a_pair_may_have_an_order_of_its_own() -> None:
    one, two = PseudoBackend(name="one"), PseudoBackend(name="two")
    translator = Translator([one, two], prefer={("fr", "es"): ["two"], ("*", "de"): ["two", "one"]})
    assert (await translator.translate("bonjour", "fr", "es")).engine == "two"
    assert (await translator.translate("bonjour", "fr", "de")).engine == "two"
    assert (await translator.translate("bonjour", "fr", "it")).engine == "one"
    with pytest.raises(Misuse, match="three"):
        Translator([one], prefer={("fr", "es"): ["three"]})
    with pytest.raises(Misuse, match="one name"):
        Translator([one, one])


async def test_when_one_fails_the_next_is_asked_and_the_first_rests() -> None:
    one, two = PseudoBackend(name="one"), PseudoBackend(name="two")
    one.failures = [BackendFailure("one", "quota", "456 used up")]
    translator = Translator([one, two])
    assert (await translator.translate("hello", "en", "fr")).engine == "two"
    assert (await translator.translate("goodbye", "en", "fr")).engine == "two"
    assert len(one.asked) == 1
    stats = translator.stats().backends
    assert (stats["one"].failed, stats["one"].state, stats["two"].translated) == (1, "open", 2)


async def test_when_all_fail_the_causes_are_told() -> None:
    one = PseudoBackend(name="one")
    one.failures = [BackendFailure("one", "down", "no route")] * 3
    translator = Translator([one], options=TranslatorOptions(breaker=BreakerOptions(failures=1)))
    with pytest.raises(Exhausted, match="one: no route"):
        await translator.translate("hello", "en", "fr")
    with pytest.raises(Exhausted, match="rests"):
        await translator.translate("hello", "en", "fr")
    with pytest.raises(NoBackend):
        await Translator([]).translate("hello", "en", "fr")


async def test_many_readers_ask_once() -> None:
    backend = PseudoBackend()
    backend.gate.clear()
    translator = Translator([backend])
    readers = [
        asyncio.create_task(translator.translate("hello", "en", "fr", caller=str(number)))
        for number in range(50)
    ]
    while not backend.asked:
        await asyncio.sleep(0)
    readers[0].cancel()
    await asyncio.sleep(0)
    backend.gate.set()
    found = await asyncio.gather(*readers, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert {one.text for one in found if not isinstance(one, BaseException)} == {"⟪en→fr: hello⟫"}
    await translator.translate("hello", "en", "fr")
    assert len(backend.asked) == 1
    assert translator.stats().joined == 49
    assert translator.stats().cached == 1
    assert translator.stats().flights == 0


async def test_terms_are_part_of_what_is_remembered() -> None:
    backend = PseudoBackend()
    translator = Translator([backend])
    for terms in ([], ["Rose"], ["Rose"], ["Else"]):
        await translator.translate("ask Rose about it", "en", "fr", terms=terms)
    assert len(backend.asked) == 2


class Mangler(PseudoBackend):
    """Loses what is protected."""

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        answers = await super().translate(lines, source, target)
        return [
            Translated(tuple(part for part in one.line if isinstance(part, str))) for one in answers
        ]


async def test_a_back_end_that_mangles_gets_pieces() -> None:
    translator = Translator([Mangler(words=lambda words, *_: words.upper())])
    found = await translator.translate("ask @ada about it\nplain", "en", "fr")
    assert found.text == "ASK @ada ABOUT IT\nPLAIN"
    assert translator.stats().backends["pseudo"].mangled == 1


class Short(PseudoBackend):
    """Answers less than it was asked."""

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        return (await super().translate(lines, source, target))[1:]


class Broken(PseudoBackend):
    """Has a fault of its own."""

    async def pairs(self) -> Pairs:
        raise ZeroDivisionError


async def test_a_faulty_back_end_is_one_that_failed() -> None:
    good = PseudoBackend(name="good")
    translator = Translator([Short(name="short"), Broken(name="broken"), good])
    assert (await translator.translate("hello", "en", "fr")).engine == "good"
    assert translator.stats().backends["broken"].failed == 1
    assert (await translator.pairs()).targets == {}


class Stubborn(PseudoBackend):
    """Hangs, and does not let go when it is told to."""

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        self.asked.append(([], source, target))
        while not self.gate.is_set():
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                continue
        raise BackendFailure(self.name, "down", "at last")


@pytest.mark.parametrize("kind", [PseudoBackend, Stubborn])
async def test_a_hung_back_end_holds_nobody_up(kind: type[PseudoBackend]) -> None:
    hung = kind(name="hung")
    hung.gate.clear()
    options = TranslatorOptions(
        timeout_s=0.2, backend_timeout_s=0.1, breaker=BreakerOptions(failures=1)
    )
    translator = Translator([hung], options=options)
    began_s = time.monotonic()
    with pytest.raises(Exhausted):
        await translator.translate("hello", "en", "fr")
    assert time.monotonic() - began_s < 2
    if kind is PseudoBackend:
        with pytest.raises(Exhausted, match="rests"):
            await translator.translate("hello", "en", "fr")
        assert len(hung.asked) == 1
        translator = Translator([hung, PseudoBackend(name="alive")], options=options)
        assert (await translator.translate("hello", "en", "fr")).engine == "alive"
    hung.gate.set()
    await translator.close()


async def test_limits() -> None:
    backend = PseudoBackend()
    options = TranslatorOptions(text_limit=20, rate_per_minute=30, flights_limit=2)
    translator = Translator([backend], options=options)
    with pytest.raises(TooLong) as too_long:
        await translator.translate("x" * 21, "en", "fr")
    assert (too_long.value.size, too_long.value.limit) == (21, 20)
    with pytest.raises(BadTag):
        await translator.translate("hello", "english", "fr")
    await translator.translate("x" * 20, "en", "fr", caller="ada")
    with pytest.raises(Throttled) as throttled:
        await translator.translate("y" * 20, "en", "fr", caller="ada")
    assert 15 < throttled.value.retry_after_s <= 20
    # What is known costs nothing.
    await translator.translate("x" * 20, "en", "fr", caller="ada")
    backend.gate.clear()
    waiting = [
        asyncio.create_task(translator.translate(text, "en", "fr", caller=text))
        for text in ("one", "two")
    ]
    while len(backend.asked) < 3:
        await asyncio.sleep(0)
    with pytest.raises(Throttled):
        await translator.translate("three", "en", "fr")
    await translator.close()
    assert backend.is_closed
    assert all(
        isinstance(one, asyncio.CancelledError)
        for one in await asyncio.gather(*waiting, return_exceptions=True)
    )


async def test_a_file_remembers_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new/cache.sqlite3"
    for expected in (1, 0):
        backend = PseudoBackend()
        translator = Translator([backend], cache=Cache(path=path))
        found = await translator.translate("one\ntwo", "en", "fr")
        assert (found.text, found.engine) == ("⟪en→fr: one⟫\n⟪en→fr: two⟫", "pseudo")
        assert len(backend.asked) == expected
        await translator.close()


async def test_a_file_that_is_none_is_an_empty_cache(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite3"
    path.write_bytes(b"no database" * 1000)
    translator = Translator([PseudoBackend()], cache=Cache(path=path))
    assert (await translator.translate("hello", "en", "fr")).engine == "pseudo"
    await translator.close()


async def test_caches_are_bounded(tmp_path: Path) -> None:
    cache = Cache(entries=10, path=tmp_path / "cache.sqlite3", file_entries=300)
    translator = Translator([PseudoBackend()], cache=cache)
    for number in range(520):
        await translator.translate(f"text number {number}", "en", "fr")
    assert len(cache) == 10
    await translator.close()
    connection = sqlite3.connect(tmp_path / "cache.sqlite3")
    (count,) = connection.execute("select count(*) from translations").fetchone()
    connection.close()
    assert 300 <= count <= 300 + 256


async def test_a_text_is_forgotten_in_all_languages(tmp_path: Path) -> None:
    path, backend = tmp_path / "cache.sqlite3", PseudoBackend()
    translator = Translator([backend], cache=Cache(path=path))
    for text in ("SECRET one", "KEPT two"):
        for target in ("fr", "de"):
            await translator.translate(text, "en", target)
    translator.forget(["SECRET one", "never said", ""])
    for text, expected in (("KEPT two", 4), ("SECRET one", 5)):
        await translator.translate(text, "en", "fr")
        assert len(backend.asked) == expected
    translator.forget(["SECRET one"])
    # What is on its way meanwhile is told, and not kept.
    backend.gate.clear()
    waiting = asyncio.create_task(translator.translate("SECRET one", "en", "fr"))
    while len(backend.asked) < 6:
        await asyncio.sleep(0.001)
    translator.forget(["SECRET one"])
    backend.gate.set()
    assert "SECRET" in (await waiting).text
    await translator.close()
    translator.forget(["KEPT two"])
    files = [path, path.with_name("cache.sqlite3-wal")]
    everything = b"".join(file.read_bytes() for file in files if file.exists())
    assert b"KEPT" in everything
    assert b"SECRET" not in everything


async def test_a_file_of_older_keys_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite3"
    older = sqlite3.connect(path)
    older.executescript(
        "create table translations (key blob primary key, lines text not null,"
        " engine text not null, source text not null, used_s integer not null) without rowid;"
        "insert into translations values (x'00', '[\"OLDER\"]', 'x', 'en', 0);"
    )
    older.close()
    translator = Translator([PseudoBackend()], cache=Cache(path=path))
    await translator.translate("hello", "en", "fr")
    await translator.close()
    assert b"OLDER" not in path.read_bytes()
