"""Where the admin listener is: as declared, or a Unix socket beside the server's own files.

Used by both ends: the server that binds it, and the commands that look for it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hubbub.config import AdminSettings
from hubbub.config.bind import Tcp, Unix, parse_bind
from hubbub.config.checks import is_public
from hubbub.errors import Misuse

AUTO, OFF = "auto", "off"
_NAME = "admin.sock"


@dataclass(frozen=True)
class Place:
    """Where to listen, and what is asked there."""

    bind: str
    """As `ListenSettings` takes it."""

    token: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a Unix socket."""
        return self.bind.startswith("unix:")


def default_path(storage: str = "hubbub-data", environment: Mapping[str, str] = os.environ) -> Path:
    """The Unix socket of a server that is told nothing.

    Args:
        storage: The server's folder for data.
        environment: Where systemd and the desktop name their folders for such files.
    """
    if given := environment.get("RUNTIME_DIRECTORY"):
        # Several are separated by colons; the first is the unit's own.
        return Path(given.partition(":")[0], _NAME)
    if given := environment.get("XDG_RUNTIME_DIR"):
        return Path(given, "hubbub", _NAME)
    return Path(storage, _NAME)


def place_of(settings: AdminSettings, storage: str = "hubbub-data") -> Place | None:
    """Where to listen; None: nowhere.

    Raises:
        Misuse: It is no place for this: strangers could come there, and no token is asked for; or
            the token cannot be read.
    """
    if settings.bind in ("", OFF):
        return None
    token = _token(settings)
    if settings.bind == AUTO:
        return Place(f"unix:{default_path(storage)}", token)
    try:
        place = parse_bind(settings.bind)
    except ValueError as error:
        raise Misuse(f"admin.bind: {error}") from None
    match place:
        case Unix():
            pass
        case Tcp():
            if not token and is_public(settings.bind):
                raise Misuse(
                    "admin.bind: expected a loopback address, a Unix socket, or a token beside it:"
                    f" {settings.bind}"
                )
        case _:
            raise Misuse(f'admin.bind: expected "HOST:PORT" or "unix:/PATH": {settings.bind}')
    return Place(settings.bind, token)


def _token(settings: AdminSettings) -> str:
    if not settings.token_file:
        return settings.token
    try:
        token = Path(settings.token_file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"admin.token_file: cannot be read: {error}") from None
    if not token:
        raise Misuse(f"admin.token_file: expected a token: {settings.token_file} is empty")
    return token
