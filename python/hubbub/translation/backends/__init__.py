"""The back ends, a file each: services on the network, and Apertium on this machine."""

from hubbub.translation.backends.apertium import Apertium
from hubbub.translation.backends.deepl import DeepL
from hubbub.translation.backends.google import Google
from hubbub.translation.backends.libretranslate import LibreTranslate
from hubbub.translation.backends.microsoft import Microsoft

__all__ = [
    "Apertium",
    "DeepL",
    "Google",
    "LibreTranslate",
    "Microsoft",
]
