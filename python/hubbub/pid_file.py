"""A file with the number of the process that serves, for those who send it signals."""

import os
from contextlib import suppress
from pathlib import Path

from hubbub.errors import Failure
from hubbub.log import logger


class PidFile:
    """The file, removed at the end of its `with` if it still names this process."""

    def __init__(self, path: str) -> None:
        """Prepares it.

        Args:
            path: Where it is; if empty, nowhere.
        """
        self._path = Path(path).absolute() if path else None
        self._new = self._path and self._path.with_name(self._path.name + ".new")
        self._stays = False

    def __enter__(self) -> "PidFile":
        """Prepares it beside its place, which a process that does not serve must not take.

        Raises:
            Failure: It cannot be written.
        """
        if self._new is not None:
            try:
                self._new.write_text(_content())
            except OSError as error:
                raise Failure(f"cannot write {self._path}: {error.strerror}") from None
        return self

    def __exit__(self, *_: object) -> None:
        """Removes it, unless it is somebody else's by now."""
        for path in (self._new, None if self._stays else self._path):
            with suppress(OSError):
                if path is not None and path.read_text() == _content():
                    path.unlink()

    def leave(self) -> None:
        """From now on it is a successor's, who may not have come to write it yet."""
        self._stays = True

    def write(self) -> None:
        """Names this process, at once: a reader finds the old number or the new one, whole.

        Who serves already goes on without it, should its folder be gone by now.
        """
        if self._path is None or self._new is None:
            return
        try:
            self._new.replace(self._path)
        except OSError as error:
            logger.error("cannot write %s: %s", self._path, error.strerror)


def _content() -> str:
    return f"{os.getpid()}\n"
