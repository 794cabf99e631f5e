"""Where applications keep what outlives a restart, as it is declared."""

from dataclasses import dataclass

from hubbub.config.declare import setting


@dataclass(frozen=True)
class StorageSettings:
    """Where applications keep what outlives a restart."""

    path: str = setting("hubbub-data", path="file")
    """Folder for files and databases; made when it is first needed."""
