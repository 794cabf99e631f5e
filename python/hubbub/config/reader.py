"""Declarations and what was given, walked side by side (pure).

Single values are `values`' to judge; what must hold between them is `checks`'.
"""

import posixpath
import re
from collections.abc import Mapping
from dataclasses import is_dataclass, replace
from typing import Any, get_args, get_origin

from hubbub.config import sources, values
from hubbub.config.declare import REQUIRED
from hubbub.config.document import Path, dotted
from hubbub.config.hints import unknown_key
from hubbub.config.reference import Setting, describe, subsections
from hubbub.config.sources import Given, Mistake, Origin, Text


class Reader:
    """Makes dataclasses of tables, and collects what does not fit."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        """What does not fit, in the order it was found."""

        self.origins: dict[Path, Origin] = {}
        """Who gave each value."""

        self.bad: set[Path] = set()
        """Where a value is wrong or missing: a default, or nothing, stands there instead."""

    def origin(self, path: Path, default: Origin) -> Origin:
        """Who gave the value at a path, or the nearest table around it."""
        while path and path not in self.origins:
            path = path[:-1]
        return self.origins.get(path, default)

    def table(self, declaration: type[Any], given: Given, path: Path) -> Any:
        """A dataclass from a table; what is wrong in it is left out."""
        fields: dict[str, Any] = {}
        self._section(declaration, (), given, path, fields)
        required = [one for one in describe(declaration) if one.default is REQUIRED]
        for one in required:
            if one.name not in fields:
                self._demand(one, given.origin, path)
                fields[one.name] = ""
        try:
            return declaration(**fields)
        except ValueError as error:
            self._blame(declaration, str(error), given.origin, path)
            return declaration(**{one.name: "" for one in required})

    def _demand(self, setting: Setting, origin: Origin, path: Path) -> None:
        place = (*path, setting.key)
        if path not in self.bad and place not in self.bad:
            self._add(
                origin, place, f"missing: expected a text such as {values.shown(setting.hint)}"
            )

    def _blame(self, declaration: type[Any], told: str, origin: Origin, path: Path) -> None:
        """Finds the line for what does not hold between fields: "outbox_low_bytes: expected …"."""
        name, _, text = told.partition(": ")
        settings = describe(declaration)
        places = {one.name: (*path, *one.inside, one.key) for one in settings}
        words = set(re.findall(r"\w+", text))
        # The field itself may have its default: then the other one that is named was set.
        named = [places[name], *(places[one.name] for one in settings if one.key in words)]
        given = next((place for place in named if place in self.origins), places[name])
        self._add(self.origin(given, origin), places[name], text)

    def _section(
        self,
        declaration: type[Any],
        inside: tuple[str, ...],
        given: Given,
        path: Path,
        fields: dict[str, Any],
    ) -> None:
        """One table of a dataclass; `ServerSettings` is spread over several."""
        table = self._opened(given, path)
        if table is None:
            return
        self.origins[path] = given.origin
        known = {one.key: one for one in describe(declaration) if one.inside == inside}
        below = subsections(declaration, inside)
        for key, one in table.items():
            place = (*path, key)
            if key in known:
                self._field(known[key], one, place, fields)
            elif key in below:
                self._section(declaration, (*inside, key), one, place, fields)
            else:
                is_table = isinstance(one.value, (dict, list))
                told = unknown_key(place, (*known, *below), is_table=is_table)
                self._add(one.origin, place, told)

    def _field(self, setting: Setting, given: Given, path: Path, fields: dict[str, Any]) -> None:
        kind = values.optional(setting.kind)
        self.origins[path] = given.origin
        if isinstance(kind, type) and is_dataclass(kind):
            fields[setting.name] = self.table(kind, given, path)
        elif get_origin(kind) is tuple and is_dataclass(get_args(kind)[0]):
            fields[setting.name] = self._tables(get_args(kind)[0], given, path)
        elif get_origin(kind) is Mapping:
            self._free(setting, get_args(kind)[1], given, path, fields)
        else:
            self._value(setting, given, path, fields)

    def _tables(self, declaration: Any, given: Given, path: Path) -> tuple[Any, ...]:
        given = sources.expanded(given)
        if isinstance(given.value, list):
            return tuple(
                self.table(declaration, one, (*path, index))
                for index, one in enumerate(given.value)
            )
        name = dotted(path)
        spelled = f"a list of tables, [[{name}]]" if len(path) == 1 else "a list of tables"
        found = f"[{name}]" if isinstance(given.value, dict) else values.shown(sources.plain(given))
        self._add(given.origin, path, f"expected {spelled}: found {found}")
        return ()

    def _free(
        self, setting: Setting, kind: Any, given: Given, path: Path, fields: dict[str, Any]
    ) -> None:
        """A table whose keys are not ours to know."""
        table = self._opened(given, path)
        if table is None:
            return
        free: dict[str, Any] = {}
        for key, one in table.items():
            self._remember(one, (*path, key))
            free[key] = self._parsed(replace(setting, kind=kind), one, (*path, key))
        fields[setting.name] = free

    def _opened(self, given: Given, path: Path) -> dict[str, Given] | None:
        value = sources.expanded(given).value
        if isinstance(value, dict):
            return value
        found = values.shown(sources.plain(given))
        self._add(given.origin, path, f"expected a table: found {found}")
        return None

    def _remember(self, given: Given, path: Path) -> None:
        self.origins[path] = given.origin
        if isinstance(given.value, dict):
            for key, one in given.value.items():
                self._remember(one, (*path, key))

    def _value(self, setting: Setting, given: Given, path: Path, fields: dict[str, Any]) -> None:
        parsed = self._parsed(setting, given, path)
        if path not in self.bad:
            fields[setting.name] = resolved(setting, parsed, given.origin.folder)

    def _parsed(self, setting: Setting, given: Given, path: Path) -> Any:
        value = sources.plain(given)
        if setting.kind is Any:
            # What a text stands for is said by whoever declares it: see `modules.loading`.
            return value
        if isinstance(value, Text):
            value = values.literal_of(setting.kind, str(value))
        try:
            return values.parse(setting, value)
        except ValueError as error:
            text = str(error)
            if setting.is_secret:
                text = text.partition(": found")[0]
            self._add(given.origin, path, text)
            return None

    def _add(self, origin: Origin, path: Path, text: str) -> None:
        self.bad.add(path)
        self.mistakes.append(Mistake(origin, f"{dotted(path)}: {text}"))


def resolved(setting: Setting, value: Any, folder: str) -> Any:
    """A relative path, seen from the folder of the file it is written in."""
    if not folder or not isinstance(value, str) or not value:
        return value
    match setting.path:
        case "file":
            return posixpath.join(folder, value)
        case "bind" if value.startswith("unix:"):
            path = value.removeprefix("unix:").removeprefix("//")
            return "unix:" + posixpath.join(folder, path) if path else value
        case "import":
            place, colon, name = value.partition(":")
            return posixpath.join(folder, place) + colon + name if place.endswith(".py") else value
        case _:
            return value
