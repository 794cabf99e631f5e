"""Settings: declared once, parsed from what people write, described for those who show them.

Imports nothing of ours, and reads no file: what a file says comes in as text (see `load`).
"""

from hubbub.config.admin import AdminSettings
from hubbub.config.app import AppSettings
from hubbub.config.declare import REQUIRED, setting
from hubbub.config.file import Configuration
from hubbub.config.listen import ListenSettings
from hubbub.config.load import Loaded, Mistaken, load
from hubbub.config.log import LogFormat, LogLevel, LogSettings
from hubbub.config.reference import Setting, describe
from hubbub.config.settings import Compression, ServerSettings
from hubbub.config.storage import StorageSettings
from hubbub.config.tls import CertificatePair, ClientAuth, TlsSettings, TlsVersion
from hubbub.config.units import duration_s, duration_text, size_bytes, size_text

__all__ = [
    "REQUIRED",
    "AdminSettings",
    "AppSettings",
    "CertificatePair",
    "ClientAuth",
    "Compression",
    "Configuration",
    "ListenSettings",
    "Loaded",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "Mistaken",
    "ServerSettings",
    "Setting",
    "StorageSettings",
    "TlsSettings",
    "TlsVersion",
    "describe",
    "duration_s",
    "duration_text",
    "load",
    "setting",
    "size_bytes",
    "size_text",
]
