"""A whole configuration: the sections of one TOML file.

How a file becomes one, and what can be wrong with it, is `load`'s.
"""

from dataclasses import dataclass

from hubbub.config.admin import AdminSettings
from hubbub.config.app import AppSettings
from hubbub.config.declare import setting
from hubbub.config.listen import ListenSettings
from hubbub.config.log import LogSettings
from hubbub.config.settings import ServerSettings
from hubbub.config.storage import StorageSettings


@dataclass(frozen=True)
class Configuration:
    """Everything a server is told."""

    server: ServerSettings = ServerSettings()
    """Limits, deadlines and compression."""

    listen: tuple[ListenSettings, ...] = (ListenSettings(),)
    """Where the public is served."""

    apps: tuple[AppSettings, ...] = setting((), key="app")
    """What is served."""

    log: LogSettings = LogSettings()
    """What is logged."""

    storage: StorageSettings = StorageSettings()
    """Where data lie."""

    admin: AdminSettings = AdminSettings()
    """Where those who run the server look in."""
