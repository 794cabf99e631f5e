"""DeepL, with a key of either kind."""

from collections.abc import Sequence

from msgspec import Struct

from hubbub.translation.backend import Line, Pairs, Translated
from hubbub.translation.backends.wire import Wire
from hubbub.translation.codes import DEEPL_SOURCE, DEEPL_TARGET
from hubbub.translation.rendering import with_elements, without_elements
from hubbub.translation.tags import UNKNOWN

URL = "https://api.deepl.com"
"""Where paid keys go."""
FREE_URL = "https://api-free.deepl.com"
"""Where free keys go; these end in ":fx"."""

_TEXTS_LIMIT = 50


class _Language(Struct):
    language: str


class _Translation(Struct):
    text: str
    detected_source_language: str | None = None


class _Answer(Struct):
    translations: list[_Translation]


class DeepL:
    """Translates at DeepL.

    Args:
        api_key: The key.
        url: Where it is; if empty, where keys of this kind go.
        name: What readers are told.
    """

    detects = True

    def __init__(self, api_key: str, *, url: str = "", name: str = "deepl") -> None:
        self.name = name
        self._wire = Wire(
            name,
            url or (FREE_URL if api_key.endswith(":fx") else URL),
            {"authorization": f"DeepL-Auth-Key {api_key}"},
        )

    async def pairs(self) -> Pairs:
        """Every source, into every target."""
        found: dict[str, list[str]] = {}
        for kind, codes in (("source", DEEPL_SOURCE), ("target", DEEPL_TARGET)):
            languages = await self._wire.call(
                "GET", "/v2/languages", list[_Language], query={"type": kind}
            )
            found[kind] = [tag for one in languages if (tag := codes.tag(one.language))]
        return Pairs.of((a, b) for a in found["source"] for b in found["target"] if a != b)

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        """Translates lines, as XML."""
        found: list[_Translation] = []
        for at in range(0, len(lines), _TEXTS_LIMIT):
            some = lines[at : at + _TEXTS_LIMIT]
            asked: dict[str, object] = {
                "text": [with_elements(line, "x") for line in some],
                "target_lang": DEEPL_TARGET.code(target),
                "tag_handling": "xml",
                "ignore_tags": ["x"],
            }
            if source != UNKNOWN:
                asked["source_lang"] = DEEPL_SOURCE.code(source)
            answer = await self._wire.call("POST", "/v2/translate", _Answer, json=asked)
            if len(answer.translations) != len(some):
                raise self._wire.garbage("another number of texts than was asked")
            found += answer.translations
        return [
            Translated(
                without_elements(one.text),
                DEEPL_SOURCE.tag(one.detected_source_language)
                if one.detected_source_language
                else None,
            )
            for one in found
        ]

    async def close(self) -> None:
        """Closes its connections."""
        await self._wire.close()
