"""The back ends on the network, each against a server that speaks as the service documents."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

import pytest

from hubbub.testing import TestServer, serve
from hubbub.translation import (
    Backend,
    BackendFailure,
    Exhausted,
    Translator,
    TranslatorOptions,
)
from hubbub.translation.backends import DeepL, Google, LibreTranslate, Microsoft
from hubbub.translation.breaker import BreakerOptions
from hubbub.translation.failures import Kind
from tests.integration.translation.services import KEY, Services
from tests.loops import on_each_loop
from tests.strangers import stranger

pytestmark = [pytest.mark.anyio, on_each_loop]

Make = Callable[[str, str], Backend]
MAKERS: dict[str, Make] = {
    "libretranslate": lambda url, key: LibreTranslate(f"{url}/libretranslate/", api_key=key),
    "libretranslate-html": lambda url, key: LibreTranslate(
        f"{url}/libretranslate", api_key=key, html=True
    ),
    "google": lambda url, key: Google(key, url=f"{url}/google"),
    "microsoft": lambda url, key: Microsoft(key, region="westeurope", url=f"{url}/microsoft"),
    "deepl": lambda url, key: DeepL(key, url=f"{url}/deepl"),
}


@pytest.fixture
async def services() -> Services:
    return Services()


@pytest.fixture
async def server(services: Services) -> AsyncGenerator[TestServer]:
    async with serve(services.app) as server:
        yield server
        services.released.set()


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Make:
    return MAKERS[request.param]


def translator(backend: Backend, timeout_s: float = 4.0) -> Translator:
    options = TranslatorOptions(
        timeout_s=2 * timeout_s,
        backend_timeout_s=timeout_s,
        breaker=BreakerOptions(failures=100),
    )
    return Translator([backend], options=options)


async def test_words_are_translated_and_the_rest_comes_through(
    services: Services, server: TestServer, make: Make
) -> None:
    chain = translator(make(server.url, KEY))
    text = "see @ada & a < b\n> it's **here** https://x.y/?a=b&c 👍"
    found = await chain.translate(text, "en", "fr")
    assert found.text == "SEE @ada & A < B\n> IT'S **HERE** https://x.y/?a=b&c 👍"
    assert len(services.asked) == 1
    await chain.close()


async def test_a_language_that_nobody_knows_is_found_by_the_service(
    server: TestServer, make: Make
) -> None:
    chain = translator(make(server.url, KEY))
    found = await chain.translate("ok ok", "und", "en")
    assert found.text == "OK OK"
    assert (
        found.source
        == {"libretranslate": "fr", "google": "he", "microsoft": "no", "deepl": "zh-Hans"}[
            found.engine
        ]
    )
    await chain.close()


async def test_each_service_is_asked_in_its_own_spelling(
    services: Services, server: TestServer
) -> None:
    expected = {
        "libretranslate": {"source": "en", "target": "zt"},
        "google": {"source": "en", "target": "zh-TW"},
        "microsoft": {"from": "en", "to": "zh-Hant"},
        "deepl": {"source_lang": "EN", "target_lang": "ZH-HANT"},
    }
    for name, languages in expected.items():
        chain = translator(MAKERS[name](server.url, KEY))
        await chain.translate("good morning", "en-AU", "zh-TW")
        assert {key: services.asked[-1][key] for key in languages} == languages
        await chain.close()


TROUBLE: list[tuple[str, Kind]] = [
    ("unauthorized", "unauthorized"),
    ("throttled", "throttled"),
    ("quota", "quota"),
    ("used-up", "quota"),
    ("microsoft-used-up", "quota"),
    ("refused", "refused"),
    ("error", "down"),
    ("unavailable", "down"),
    ("garbage", "garbage"),
    ("nothing", "garbage"),
    ("null", "garbage"),
    ("too-few", "garbage"),
    ("endless", "garbage"),
    ("moved", "garbage"),
]


async def test_every_trouble_is_told_as_what_it_is(
    services: Services, server: TestServer, make: Make
) -> None:
    for trouble, kind in TROUBLE:
        services.trouble = trouble
        chain = translator(make(server.url, KEY))
        with pytest.raises(Exhausted) as caught:
            await chain.translate("hello there", "en", "fr")
        (cause,) = caught.value.causes
        assert cause.kind == kind, (trouble, cause)
        assert KEY not in str(cause)
        assert cause.retry_after_s == (7 if kind == "throttled" else None)
        await chain.close()


async def test_a_wrong_key_is_unauthorized(server: TestServer, make: Make) -> None:
    chain = translator(make(server.url, "wrong"))
    with pytest.raises(Exhausted) as caught:
        await chain.translate("hello there", "en", "fr")
    assert caught.value.causes[0].kind == "unauthorized"
    await chain.close()


async def test_a_service_that_hangs_is_given_up(
    services: Services, server: TestServer, make: Make
) -> None:
    services.trouble = "hang"
    chain = translator(make(server.url, KEY), timeout_s=0.3)
    began_s = time.monotonic()
    with pytest.raises(Exhausted) as caught:
        await chain.translate("hello there", "en", "fr")
    assert time.monotonic() - began_s < 2
    assert caught.value.causes[0].kind == "late"
    await chain.close()


async def test_a_service_that_is_not_there_is_down(make: Make) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Says nothing."""

    async def is_down(port: int) -> None:
        backend = make(f"http://127.0.0.1:{port}", KEY)
        with pytest.raises(BackendFailure) as caught:
            await backend.pairs()
        assert caught.value.kind == "down"
        await backend.close()

    async with stranger(hang_up) as port:
        await is_down(port)
    await is_down(port)
