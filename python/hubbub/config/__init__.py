"""Settings: declared once, parsed from what people write, described for those who show them.

Imports nothing of ours; mistakes are `ValueError`s with the setting's name.
"""

from hubbub.config.reference import Setting, describe
from hubbub.config.settings import Compression, ServerSettings
from hubbub.config.units import duration_s, duration_text, size_bytes, size_text

__all__ = [
    "Compression",
    "ServerSettings",
    "Setting",
    "describe",
    "duration_s",
    "duration_text",
    "size_bytes",
    "size_text",
]
