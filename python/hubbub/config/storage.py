"""Where applications keep what outlives a restart, as it is declared."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StorageSettings:
    """Where applications keep what outlives a restart."""

    path: str = "hubbub-data"
    """Folder for files and databases; made when it is first needed."""
