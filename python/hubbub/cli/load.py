"""From "FILE.py:app" or "module:app" to the `App`, or to a mistake that says what is wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hubbub.app import App
from hubbub.cli.mistake import IMPORT, Mistake
from hubbub.errors import ModuleFailed
from hubbub.modules.loading import app_of
from hubbub.modules.source import Source


def load(target: str, directory: Path, config: Mapping[str, Any] | None = None) -> App:
    """The app that a target names.

    Args:
        target: "FILE.py:app", "package.module:app"; without ":app" the name is `app`.
        directory: Where modules are looked for first.
        config: What `[app.config]` says.

    Raises:
        Mistake: There is none; with the exit code for that.
    """
    try:
        return imported(target, directory, config or {})
    except ModuleFailed as failed:
        raise Mistake(failed.reason, IMPORT) from failed.__cause__


def imported(target: str, directory: Path, config: Mapping[str, Any]) -> App:
    """The same.

    Raises:
        ModuleFailed: There is none; with the key, if it is the configuration that does not fit.
    """
    source = Source(target, directory)
    code = source.load()
    try:
        return app_of(code.main, source.path, config)
    except ModuleFailed as failed:
        raise ModuleFailed("", f"{target}: {failed.reason}", failed.key) from failed.__cause__


def home_of(target: str, directory: Path) -> Path:
    """The folder whose files the target is made of, as far as one can tell before importing it."""
    source = Source(target, directory)
    return source.file.parent if source.is_file else directory.resolve()
