"""LibreTranslate, and every server that speaks like it."""

from collections.abc import Sequence

from msgspec import Struct

from hubbub.translation.backend import Line, Pairs, Translated
from hubbub.translation.backends.wire import Wire
from hubbub.translation.codes import LIBRETRANSLATE
from hubbub.translation.rendering import (
    with_elements,
    with_marks,
    without_elements,
    without_marks,
)
from hubbub.translation.tags import UNKNOWN


class _Language(Struct):
    code: str
    targets: list[str] | None = None


class _Detected(Struct):
    language: str


class _Answer(Struct, rename="camel"):
    translated_text: list[str]
    detected_language: list[_Detected] | None = None


class LibreTranslate:
    """Translates at a LibreTranslate server.

    Args:
        url: Where it is: "http://127.0.0.1:5000".
        api_key: The key, if it wants one.
        name: What readers are told.
        html: Whether protected parts travel as elements instead of "{0}"; for models that keep
            elements better.
    """

    detects = True

    def __init__(
        self, url: str, *, api_key: str = "", name: str = "libretranslate", html: bool = False
    ) -> None:
        self.name = name
        self._key = {"api_key": api_key} if api_key else {}
        self._html = html
        self._wire = Wire(name, url)
        self._codes: dict[str, str] = {}

    async def pairs(self) -> Pairs:
        """What the server says it has."""
        languages = await self._wire.call("GET", "/languages", list[_Language])
        codes = {tag: one.code for one in languages if (tag := LIBRETRANSLATE.tag(one.code))}
        # A model that sits beside its own kind in the list: "pt" and "pt-BR" both stay.
        self._codes = codes
        tags = {code: tag for tag, code in codes.items()}
        return Pairs.of(
            (tags[one.code], tags[target])
            for one in languages
            if one.code in tags
            for target in (one.targets if one.targets is not None else list(tags))
            if target in tags and target != one.code
        )

    async def translate(self, lines: Sequence[Line], source: str, target: str) -> list[Translated]:
        """Translates lines in one request."""
        render = with_elements if self._html else with_marks
        answer = await self._wire.call(
            "POST",
            "/translate",
            _Answer,
            json={
                "q": [render(line) for line in lines],
                "source": "auto" if source == UNKNOWN else self._code(source),
                "target": self._code(target),
                "format": "html" if self._html else "text",
                **self._key,
            },
        )
        if len(answer.translated_text) != len(lines):
            raise self._wire.garbage("another number of texts than was asked")
        read = without_elements if self._html else without_marks
        found = answer.detected_language or []
        sources = [LIBRETRANSLATE.tag(one.language) for one in found]
        return [
            Translated(read(text), sources[index] if index < len(sources) else None)
            for index, text in enumerate(answer.translated_text)
        ]

    async def close(self) -> None:
        """Closes its connections."""
        await self._wire.close()

    def _code(self, tag: str) -> str:
        return self._codes.get(tag) or LIBRETRANSLATE.code(tag)
