"""How services spell languages (pure).

Each has its own idea of Chinese, Norwegian and Hebrew; everything else is BCP 47.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hubbub.translation.tags import BadTag, canonical


@dataclass(frozen=True)
class Codes:
    """The spellings of one service."""

    exceptions: Mapping[str, str]
    """Canonical tags, and how the service calls these languages."""

    upper: bool = False
    """Whether it writes in capitals."""

    def code(self, tag: str) -> str:
        """How the service calls a language."""
        code = self.exceptions.get(tag, tag)
        return code.upper() if self.upper else code

    def tag(self, code: str) -> str | None:
        """Which language the service means; None: none that is registered."""
        for tag, spelled in self.exceptions.items():
            if spelled.lower() == code.lower():
                return tag
        try:
            return canonical(code)
        except BadTag:
            return None


LIBRETRANSLATE = Codes({"zh-Hant": "zt", "pt-BR": "pb"})
"""Of old servers; new ones spell these like everybody, and are understood, too."""

GOOGLE = Codes({"zh-Hans": "zh-CN", "zh-Hant": "zh-TW", "he": "iw", "jv": "jw", "fil": "tl"})

MICROSOFT = Codes({"sr-Cyrl": "sr-Cyrl", "zh-Hans": "zh-Hans", "no": "nb"})

DEEPL_SOURCE = Codes({"zh-Hans": "ZH", "no": "NB"}, upper=True)

# "EN" and "PT" as targets are spelled with a region.
DEEPL_TARGET = Codes({"en": "EN-US", "pt": "PT-PT", "no": "NB"}, upper=True)
