"""Languages and translation: tags, detection, and a chain of back ends. Knows nothing of chat."""

from hubbub.translation.accept import first_guess
from hubbub.translation.backend import Backend, Line, Pairs, Run, Translated
from hubbub.translation.cache import Cache
from hubbub.translation.detection import Detection, detect, prepare
from hubbub.translation.failures import (
    BackendFailure,
    Exhausted,
    NoBackend,
    Throttled,
    TooLong,
    TranslationFailure,
)
from hubbub.translation.names import english_name
from hubbub.translation.routes import install
from hubbub.translation.settings import TranslationSettings
from hubbub.translation.tags import (
    BadTag,
    canonical,
    canonical_list,
    fallbacks,
    lookup,
    matches_basic,
    matches_extended,
    understands,
)
from hubbub.translation.translator import (
    Translation,
    Translator,
    TranslatorOptions,
    TranslatorStats,
)

__all__ = [
    "Backend",
    "BackendFailure",
    "BadTag",
    "Cache",
    "Detection",
    "Exhausted",
    "Line",
    "NoBackend",
    "Pairs",
    "Run",
    "Throttled",
    "TooLong",
    "Translated",
    "Translation",
    "TranslationFailure",
    "TranslationSettings",
    "Translator",
    "TranslatorOptions",
    "TranslatorStats",
    "canonical",
    "canonical_list",
    "detect",
    "english_name",
    "fallbacks",
    "first_guess",
    "install",
    "lookup",
    "matches_basic",
    "matches_extended",
    "prepare",
    "understands",
]
