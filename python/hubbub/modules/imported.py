"""What Python has imported already, and which of it is whose.

Files and folders are compared as texts, without symbolic links in them; folders end in a separator.
"""

import os
import sys
import sysconfig
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import NamedTuple


class Imported(NamedTuple):
    """What Python knows by a name."""

    key: str
    """The name."""

    module: ModuleType
    """What it is."""

    file: str | None
    """Its source, if it has one: found out once, since that asks the file system."""


def folder_of(path: str | Path) -> str:
    """A folder, as they are compared here."""
    return os.path.join(os.path.realpath(path), "")  # noqa: PTH118 - a text that ends in a separator


_OURS = folder_of(Path(__file__).parents[1])
_LIBRARIES = tuple(
    folder_of(path)
    for name, path in sysconfig.get_paths().items()
    if name in ("stdlib", "platstdlib", "purelib", "platlib")
)


def imported() -> list[Imported]:
    """All of it."""
    find = _Finder()
    # A copy is made in one go; while a list of the items is made, another thread may import.
    known = sys.modules.copy()
    return [Imported(key, module, find.file(module)) for key, module in known.items()]


def file_of(module: ModuleType) -> str | None:
    """A module's source, if it has one."""
    return _Finder().file(module)


class _Finder:
    """Finds files; where a folder really is, it asks once: many modules are in few of them."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def file(self, module: ModuleType) -> str | None:
        file = getattr(module, "__file__", None)
        # What is no Python source cannot be imported a second time.
        if not isinstance(file, str) or not file.endswith(".py"):
            return None
        if os.path.islink(file):  # noqa: PTH114 - a thousand files in a moment
            return os.path.realpath(file)
        folder, name = os.path.split(file)
        if folder not in self._folders:
            self._folders[folder] = folder_of(folder)
        return self._folders[folder] + name


def own(known: Sequence[Imported], home: str, name: str, homes: Collection[str]) -> list[str]:
    """The names of what has been imported from a folder, and of the module itself.

    Args:
        known: What has been imported.
        home: The folder.
        name: The module.
        homes: The folders of all modules.
    """
    # A virtual environment may lie in a project's folder.
    libraries = [one for one in _LIBRARIES if one.startswith(home)]
    return [
        one.key
        for one in known
        if one.key == name or _lies_in(one, (home,), libraries) or _is_spread(one, (home,), homes)
    ]


def foreign(known: Sequence[Imported], home: str, search: str, homes: Collection[str]) -> list[str]:
    """The names of what an import must not find although it is there already.

    That is what other modules call their own, and what has the name of something else where this
    one's imports are looked for first.

    Args:
        known: What has been imported.
        home: The folder of the module that imports.
        search: Where it looks first.
        homes: The folders of all modules.
    """
    others = tuple(one for one in homes if one != home)
    shared = (_OURS, *_LIBRARIES)

    def is_foreign(one: Imported) -> bool:
        if one.file is None:
            return _is_spread(one, others, homes)
        if one.key == "__main__" or one.file.startswith(shared):
            return False
        return _lies_in(one, others) or _is_meant_otherwise(one.key, one.file, Path(search))

    return [one.key for one in known if is_foreign(one)]


def _lies_in(one: Imported, homes: tuple[str, ...], libraries: Iterable[str] = ()) -> bool:
    file = one.file
    if file is None or not file.startswith(homes):
        return False
    name = one.module.__name__
    if name == "__main__" or (file.startswith(_OURS) and not name.startswith("hubbub.apps.")):
        return False
    return not file.startswith(tuple(libraries))


def _is_spread(one: Imported, here: tuple[str, ...], homes: Collection[str]) -> bool:
    """Whether it is a folder without code of its own (PEP 420) in these places, and in no library.

    It holds what was imported from it, and would give it to the next version.
    """
    if one.file is not None:
        return False
    places: list[str] = []
    # What lies in a package that was taken out is out of reach itself.
    with suppress(KeyError):
        places = [folder_of(place) for place in getattr(one.module, "__path__", ())]
    known = (*here, *homes)
    return any(place.startswith(here) for place in places) and all(
        place.startswith(known) and not place.startswith(_LIBRARIES) for place in places
    )


def _is_meant_otherwise(key: str, file: str, search: Path) -> bool:
    """Whether another file than this one is meant by the name where it is looked for first."""
    top = key.partition(".")[0]
    package, single = search / top, search / f"{top}.py"
    if (package / "__init__.py").is_file():
        return not file.startswith(os.path.join(package, ""))  # noqa: PTH118 - as `folder_of`
    return single.is_file() and file != str(single)
