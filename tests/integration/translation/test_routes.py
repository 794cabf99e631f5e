"""The routes, asked by LibreTranslate's own Python client, by JSON and by form."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest
from libretranslatepy import LibreTranslateAPI

from hubbub import App, Request
from hubbub.testing import Answer, PseudoBackend, TestServer, serve
from hubbub.translation import (
    BackendFailure,
    Translation,
    Translator,
    TranslatorOptions,
    install,
)
from tests.loops import on_each_loop

pytestmark = [pytest.mark.anyio, on_each_loop]

KEY = "key-of-the-test"
FORM = {"content-type": "application/x-www-form-urlencoded"}


def allow(request: Request, api_key: str) -> str | None:
    if request.cookies.get("session") == "ada":
        return "ada"
    return "robot" if api_key == KEY else None


@pytest.fixture
async def backend() -> PseudoBackend:
    return PseudoBackend([("en", "fr"), ("fr", "en"), ("en", "zh-Hant"), ("he", "en")])


@pytest.fixture
async def attached() -> list[tuple[str, str, Translation]]:
    return []


@pytest.fixture
async def server(
    backend: PseudoBackend, attached: list[tuple[str, str, Translation]]
) -> AsyncGenerator[TestServer]:
    app = App()
    options = TranslatorOptions(text_limit=100, rate_per_minute=200)
    translator = Translator([backend], options=options)

    async def attach(_: Request, message: str, target: str, translation: Translation) -> None:
        attached.append((message, target, translation))

    install(app, lambda: translator, allow=allow, attach=attach, path="/x")
    async with serve(app) as server:
        yield server
    await translator.close()


async def ask(server: TestServer, **fields: Any) -> Answer:
    return await server.post("/x/translate", json=fields, headers={"cookie": "session=ada"})


async def test_the_client_of_libretranslate_works_unchanged(server: TestServer) -> None:
    client = LibreTranslateAPI(server.url + "/x/", KEY)
    assert await asyncio.to_thread(client.translate, "good morning", "en", "fr") == (
        "⟪en→fr: good morning⟫"
    )
    (found,) = await asyncio.to_thread(client.detect, "merci beaucoup pour ton aide")
    assert found["language"] == "fr"
    assert 50 < found["confidence"] <= 100
    languages = await asyncio.to_thread(client.languages)
    assert [(one["code"], one["name"], one["targets"]) for one in languages] == [
        ("en", "English", ["fr", "zh-Hant"]),
        ("fr", "French", ["en"]),
        ("he", "Hebrew", ["en"]),
    ]
    stranger = LibreTranslateAPI(server.url + "/x/", "wrong")
    with pytest.raises(HTTPError) as refused:
        await asyncio.to_thread(stranger.translate, "good morning", "en", "fr")
    assert refused.value.code == 403
    refused.value.close()


async def test_json_and_forms_are_alike(server: TestServer) -> None:
    fields = {"q": "see @ada", "source": "en", "target": "fr", "api_key": KEY}
    by_json = await server.post("/x/translate", json=fields)
    by_form = await server.post("/x/translate", body=urlencode(fields).encode(), headers=FORM)
    assert by_json.json() == by_form.json() == {"translatedText": "⟪en→fr: see @ada⟫"}


async def test_lists_and_languages_that_are_found(server: TestServer) -> None:
    answer = await ask(
        server,
        q=["thanks a lot for your help", "good morning everyone"],
        source="auto",
        target="fr",
    )
    assert answer.json()["translatedText"] == [
        "⟪en→fr: thanks a lot for your help⟫",
        "⟪en→fr: good morning everyone⟫",
    ]
    assert [one["language"] for one in answer.json()["detectedLanguage"]] == ["en", "en"]
    answer = await ask(server, q="good morning everyone", source="auto", target="fr")
    assert answer.json()["detectedLanguage"]["language"] == "en"


async def test_html(server: TestServer) -> None:
    answer = await ask(server, q="<p>Fish &amp; chips</p>", source="en", target="fr", format="html")
    assert answer.json() == {"translatedText": "⟪en→fr: <p>Fish &amp; chips</p>⟫"}


async def test_what_was_translated_of_a_message_is_told(
    server: TestServer, attached: list[tuple[str, str, Translation]]
) -> None:
    await ask(server, q="good morning", source="en", target="FR", message="01M")
    await ask(server, q="good morning", source="en", target="fr")
    assert [(message, target, one.text) for message, target, one in attached] == [
        ("01M", "fr", "⟪en→fr: good morning⟫")
    ]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"source": "en", "target": "fr"}, "missing q"),
        ({"q": "", "source": "en", "target": "fr"}, "missing q"),
        ({"q": [], "source": "en", "target": "fr"}, "missing q"),
        ({"q": "a b", "target": "fr"}, "missing source"),
        ({"q": "a b", "source": "en"}, "missing target"),
        ({"q": [1], "source": "en", "target": "fr"}, "$.q"),
        ({"q": {"a": 1}, "source": "en", "target": "fr"}, "$.q"),
        ({"q": ["a"] * 65, "source": "en", "target": "fr"}, "more than 64"),
        ({"q": "a b", "source": 5, "target": "fr"}, "$.source"),
        ({"q": "a b", "source": "english", "target": "fr"}, "english is not supported"),
        ({"q": "a b", "source": "en", "target": "auto"}, "auto is not supported"),
        ({"q": "a b", "source": "en", "target": "ja"}, "en to ja is not supported"),
        ({"q": "a b", "source": "en", "target": "fr", "format": "rtf"}, "$.format"),
        ({"q": "a" * 101, "source": "en", "target": "fr"}, "exceeds text limit (100)"),
    ],
)
async def test_bad_questions_are_400(
    server: TestServer, fields: dict[str, Any], words: str
) -> None:
    answer = await ask(server, **fields)
    assert answer.status == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"q=%ff", FORM["content-type"]),
        (b"q", "text/plain"),
        (b"", ""),
    ],
)
async def test_bad_bodies_are_400(server: TestServer, body: bytes, kind: str) -> None:
    for path in ("/x/translate", "/x/detect"):
        answer = await server.post(path, body=body, headers={"content-type": kind})
        assert answer.status == 400
        assert answer.json()["error"]


async def test_strangers_are_403(server: TestServer, backend: PseudoBackend) -> None:
    fields = {"q": "good morning", "source": "en", "target": "fr"}
    for path in ("/x/translate", "/x/detect"):
        answer = await server.post(path, json=fields)
        assert (answer.status, answer.json()) == (403, {"error": "Sign in, or send an api_key"})
    assert backend.asked == []


async def test_too_much_is_429(server: TestServer) -> None:
    statuses = [
        (await ask(server, q=f"{number} " + "words " * 15, source="en", target="fr"))
        for number in range(3)
    ]
    assert [one.status for one in statuses] == [200, 200, 429]
    assert int(statuses[-1].headers["retry-after"]) > 1
    assert statuses[-1].json()["error"].startswith("Slowdown")


async def test_failures_are_500_and_tell_nothing(
    server: TestServer, backend: PseudoBackend
) -> None:
    backend.failures = [BackendFailure("pseudo", "down", "secret of the house")]
    answer = await ask(server, q="good morning", source="en", target="fr")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert answer.json()["error"].startswith("Cannot translate text")
