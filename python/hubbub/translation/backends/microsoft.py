"""Microsoft (Azure AI) Translator, version 3.0."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from hubbub.translation.backend import Line, Pairs, Translated
from hubbub.translation.backends.wire import Wire
from hubbub.translation.codes import MICROSOFT
from hubbub.translation.rendering import with_elements, without_elements
from hubbub.translation.tags import UNKNOWN

URL = "https://api.cognitive.microsofttranslator.com"
"""Where it is."""

_TEXTS_LIMIT = 1_000


class _Languages(Struct):
    translation: dict[str, Any]


class _Detected(Struct):
    language: str


class _Translation(Struct):
    text: str


class _Answer(Struct, rename="camel"):
    translations: list[_Translation]
    detected_language: _Detected | None = None


class Microsoft:
    """Translates at Microsoft.

    Args:
        api_key: The key.
        region: The region of the resource, if it is not global.
        url: Where it is.
        name: What readers are told.
    """

    detects = True

    def __init__(
        self, api_key: str, *, region: str = "", url: str = URL, name: str = "microsoft"
    ) -> None:
        self.name = name
        headers = {"ocp-apim-subscription-key": api_key}
        if region:
            headers["ocp-apim-subscription-region"] = region
        self._wire = Wire(name, url, headers)

    async def pairs(self) -> Pairs:
        """Every language it has, into every other."""
        answer = await self._wire.call(
            "GET",
            "/languages",
            _Languages,
            query={"api-version": "3.0", "scope": "translation"},
        )
        tags = [tag for code in answer.translation if (tag := MICROSOFT.tag(code))]
        return Pairs.of((a, b) for a in tags for b in tags if a != b)

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        """Translates lines, as HTML."""
        query = {"api-version": "3.0", "to": MICROSOFT.code(target), "textType": "html"}
        if source != UNKNOWN:
            query["from"] = MICROSOFT.code(source)
        found: list[Translated] = []
        for at in range(0, len(lines), _TEXTS_LIMIT):
            some = lines[at : at + _TEXTS_LIMIT]
            answers = await self._wire.call(
                "POST",
                "/translate",
                list[_Answer],
                query=query,
                json=[{"Text": with_elements(line)} for line in some],
            )
            if len(answers) != len(some) or any(not one.translations for one in answers):
                raise self._wire.garbage("another number of texts than was asked")
            found += [
                Translated(
                    without_elements(one.translations[0].text),
                    MICROSOFT.tag(one.detected_language.language)
                    if one.detected_language
                    else None,
                )
                for one in answers
            ]
        return found

    async def close(self) -> None:
        """Closes its connections."""
        await self._wire.close()
