"""Every value that holds, and who said so: what `hubbub check --show-origin` prints (pure)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, cast, get_args, get_origin

from hubbub.config.document import Path, dotted
from hubbub.config.file import Configuration
from hubbub.config.load import Loaded
from hubbub.config.reference import Setting, describe
from hubbub.config.units import duration_text, size_text
from hubbub.config.values import optional, shown

HIDDEN = '"(hidden)"'
"""Stands where a secret is."""

# Modules call their secrets as they like; better one too many is hidden.
_SECRET = re.compile(r"token|secret|passw|credential|(?:^|_)key$", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One value."""

    key: str
    """Where it is: "server.limits.message_limit"."""

    value: str
    """What it is, as TOML writes it."""

    origin: str
    """Who said so: "hubbub.toml:7", "--set", "default"."""


def rows(loaded: Loaded) -> Iterator[Row]:
    """The values of a configuration, in the order of their declaration."""
    for path, value in _walk(Configuration, loaded.configuration, ()):
        yield Row(dotted(path), value, str(loaded.origins.get(path, "default")))


def written(setting: Setting, value: Any) -> str:
    """A value as TOML writes it: "1MiB" rather than 1048576."""
    if setting.is_secret and value:
        return HIDDEN
    if value and setting.unit == "size":
        return f'"{size_text(value)}"'
    if value and setting.unit == "duration":
        return f'"{duration_text(value)}"'
    return shown(int(value) if isinstance(value, float) and value.is_integer() else value)


def _walk(declaration: type[Any], owner: object, path: Path) -> Iterator[tuple[Path, str]]:
    for setting in describe(declaration):
        place = (*path, *setting.inside, setting.key)
        value: Any = getattr(owner, setting.name)
        kind = optional(setting.kind)
        if isinstance(kind, type) and is_dataclass(kind):
            if value is None:
                yield place, "{}"
            else:
                yield from _walk(kind, value, place)
        elif get_origin(kind) is tuple and is_dataclass(get_args(kind)[0]):
            if not value:
                yield place, "[]"
            for index, one in enumerate(value):
                yield from _walk(get_args(kind)[0], one, (*place, index))
        elif get_origin(kind) is Mapping:
            yield from _free(value, place)
        else:
            yield place, written(setting, value)


def _free(table: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, str]]:
    if not table:
        yield path, "{}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _free(cast("dict[str, Any]", value), (*path, key))
        else:
            yield (*path, key), HIDDEN if _SECRET.search(key) else shown(value)
