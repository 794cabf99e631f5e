"""A file with the number of the process that serves, for those who send it signals."""

import os
from contextlib import suppress
from pathlib import Path


class PidFile:
    """The file, removed at the end of its `with` if it still names this process."""

    def __init__(self, path: str) -> None:
        """Prepares it.

        Args:
            path: Where it is; if empty, nowhere.
        """
        self._path = Path(path).absolute() if path else None
        self._stays = False

    def __enter__(self) -> "PidFile":
        """Nothing yet: a process that does not serve must not take another one's place."""
        return self

    def __exit__(self, *_: object) -> None:
        """Removes it, unless it is somebody else's by now."""
        with suppress(OSError):
            if self._path is not None and not self._stays and self._path.read_text() == _content():
                self._path.unlink()

    def leave(self) -> None:
        """From now on it is a successor's, who may not have come to write it yet."""
        self._stays = True

    def write(self) -> None:
        """Names this process, at once: a reader finds the old number or the new one, whole.

        Raises:
            OSError: It cannot be written.
        """
        if self._path is None:
            return
        new = self._path.with_name(self._path.name + ".new")
        new.write_text(_content())
        new.replace(self._path)


def _content() -> str:
    return f"{os.getpid()}\n"
