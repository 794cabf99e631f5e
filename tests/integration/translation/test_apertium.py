"""The real Apertium, kept open: what it translates, how it dies, and how it comes back."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from hubbub.translation import BackendFailure, Exhausted, Run, Translator, TranslatorOptions
from hubbub.translation.backends import Apertium
from tests.loops import on_each_loop
from tests.programs import data

pytestmark = [pytest.mark.anyio, on_each_loop]

MODES = "/usr/share/apertium/modes"


@pytest.fixture
async def apertium() -> AsyncGenerator[Apertium]:
    data(f"{MODES}/eng-spa.mode", "apertium-eng-spa")
    data(f"{MODES}/fr-es.mode", "apertium-fr-es")
    backend = Apertium(pivots=["es"])
    yield backend
    await backend.close()


async def test_it_translates(apertium: Apertium) -> None:
    translator = Translator([apertium])
    found = await translator.translate("I do not have time today.", "en", "es")
    assert (found.text, found.engine) == ("No tengo tiempo hoy.", "apertium")
    found = await translator.translate("see **the house** @ada: https://x.y/?a=b *^$\\", "en", "es")
    assert "**la casa** @ada: https://x.y/?a=b *^$\\" in found.text
    # Unknown words come as they are, without a mark.
    found = await translator.translate("the flurbnax house", "en", "es")
    assert "flurbnax" in found.text
    assert "*" not in found.text


async def test_what_has_no_full_stop_is_a_sentence_all_the_same(apertium: Apertium) -> None:
    # In the midst of a sentence, this mouse would be taken for a smile.
    found = await Translator([apertium]).translate("Le chat mange la souris", "fr", "es")
    assert found.text == "El gato come el ratón"


async def test_it_goes_over_a_pivot(apertium: Apertium) -> None:
    assert (await apertium.pairs()).find("fr-CH", "en-GB") == ("fr", "en")
    found = await Translator([apertium]).translate("la maison est grande", "fr", "en")
    assert "house" in found.text.lower()


async def test_many_lines_at_once_keep_their_order(apertium: Apertium) -> None:
    # Two hundred lines take the one pipeline seconds on a busy machine.
    patient = TranslatorOptions(timeout_s=60, backend_timeout_s=60)
    translator = Translator([apertium], options=patient)
    texts = [f"the house number {number} is big" for number in range(200)]
    found = await asyncio.gather(*(translator.translate(one, "en", "es") for one in texts))
    assert [str(number) in one.text for number, one in enumerate(found)] == [True] * 200
    assert len(apertium.processes()) == 1


async def test_a_dead_pipeline_is_started_again(apertium: Apertium) -> None:
    translator = Translator([apertium])
    await translator.translate("the house", "en", "es")
    (first,) = apertium.processes()
    os.killpg(first, signal.SIGKILL)
    assert (await translator.translate("the dog", "en", "es")).text.lower().endswith("perro")
    (second,) = apertium.processes()
    assert second != first
    assert translator.stats().backends["apertium"].failed == 0


async def test_a_hung_pipeline_is_given_up_and_started_again(apertium: Apertium) -> None:
    options = TranslatorOptions(timeout_s=1.0, backend_timeout_s=0.5)
    translator = Translator([apertium], options=options)
    await Translator([apertium]).translate("the house", "en", "es")
    (first,) = apertium.processes()
    os.killpg(first, signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(Exhausted, match="in time"):
        await translator.translate("the dog", "en", "es")
    assert time.monotonic() - began_s < 1.5
    assert apertium.processes() == []
    patient = Translator([apertium])
    assert (await patient.translate("the cat", "en", "es")).text.lower().endswith("gato")


async def test_who_gives_up_leaves_no_answer_for_the_next(apertium: Apertium) -> None:
    await apertium.pairs()
    await apertium.translate([(Run("the house"),)], "en", "es")
    waiting = asyncio.create_task(apertium.translate([(Run("the dog"),)], "en", "es"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    (answer,) = await apertium.translate([(Run("the cat"),)], "en", "es")
    assert "gato" in str(answer.line).lower()


async def test_what_is_not_used_is_ended() -> None:
    data(f"{MODES}/eng-spa.mode", "apertium-eng-spa")
    backend = Apertium(idle_s=0.05)
    await backend.pairs()
    await backend.translate([(Run("the house"),)], "en", "es")
    async with asyncio.timeout(5):
        while backend.processes():
            await asyncio.sleep(0.01)
    await backend.close()


@pytest.mark.parametrize("mode", ["true", "no-such-program-anywhere", "yes", "head -c 5"])
async def test_broken_modes_fail_and_hold_nobody_up(tmp_path: Path, mode: str) -> None:
    (tmp_path / "eng-spa.mode").write_text(mode)
    backend = Apertium(tmp_path)
    assert (await backend.pairs()).find("en", "es") == ("en", "es")
    with pytest.raises(BackendFailure):
        async with asyncio.timeout(5):
            await backend.translate([(Run("the house"),)], "en", "es")
    assert backend.processes() == []
    await backend.close()


async def test_a_pair_that_was_removed_fails(tmp_path: Path) -> None:
    (tmp_path / "eng-spa.mode").write_text("cat")
    backend = Apertium(tmp_path)
    await backend.pairs()
    (tmp_path / "eng-spa.mode").unlink()
    with pytest.raises(BackendFailure, match="cannot be started"):
        await backend.translate([(Run("the house"),)], "en", "es")
    with pytest.raises(BackendFailure, match="no pair"):
        await backend.translate([(Run("the house"),)], "en", "ja")
