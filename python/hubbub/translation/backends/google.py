"""Google Cloud Translation, v2 ("basic"): a key is all it needs."""

from collections.abc import Sequence

from msgspec import Struct

from hubbub.translation.backend import Line, Pairs, Translated
from hubbub.translation.backends.wire import Wire
from hubbub.translation.codes import GOOGLE
from hubbub.translation.rendering import with_elements, without_elements
from hubbub.translation.tags import UNKNOWN

URL = "https://translation.googleapis.com/language/translate/v2"
"""Where it is."""

_TEXTS_LIMIT = 128


class _Language(Struct):
    language: str


class _Languages(Struct):
    languages: list[_Language]


class _LanguagesAnswer(Struct):
    data: _Languages


class _Translation(Struct, rename="camel"):
    translated_text: str
    detected_source_language: str | None = None


class _Translations(Struct):
    translations: list[_Translation]


class _Answer(Struct):
    data: _Translations


class Google:
    """Translates at Google.

    Args:
        api_key: The key.
        url: Where it is.
        name: What readers are told.
    """

    detects = True

    def __init__(self, api_key: str, *, url: str = URL, name: str = "google") -> None:
        self.name = name
        self._wire = Wire(name, url, {"x-goog-api-key": api_key})

    async def pairs(self) -> Pairs:
        """Every language it has, into every other."""
        answer = await self._wire.call("GET", "/languages", _LanguagesAnswer)
        tags = [tag for one in answer.data.languages if (tag := GOOGLE.tag(one.language))]
        return Pairs.of((a, b) for a in tags for b in tags if a != b)

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        """Translates lines, as HTML."""
        found: list[_Translation] = []
        for at in range(0, len(lines), _TEXTS_LIMIT):
            some = lines[at : at + _TEXTS_LIMIT]
            asked: dict[str, object] = {
                "q": [with_elements(line) for line in some],
                "target": GOOGLE.code(target),
                "format": "html",
            }
            if source != UNKNOWN:
                asked["source"] = GOOGLE.code(source)
            answer = await self._wire.call("POST", "", _Answer, json=asked)
            if len(answer.data.translations) != len(some):
                raise self._wire.garbage("another number of texts than was asked")
            found += answer.data.translations
        return [
            Translated(
                without_elements(one.translated_text),
                GOOGLE.tag(one.detected_source_language) if one.detected_source_language else None,
            )
            for one in found
        ]

    async def close(self) -> None:
        """Closes its connections."""
        await self._wire.close()
