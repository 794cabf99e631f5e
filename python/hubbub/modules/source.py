"""Where a module's code is, and how it is imported: afresh each time, so that a new version is new.

A module's own code is what lies in its package or, without one, in its folder; of that every
module has a copy of its own. What it imports from elsewhere is everybody's, and stays as it is.
Knows nothing of what an `App` is (see `loading`).
"""

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

from hubbub.errors import ModuleFailed
from hubbub.log import logger
from hubbub.modules.imported import file_of, folder_of, foreign, imported, own

_OURS = str(Path(__file__).parents[1])
_homes: set[str] = set()
"""Where the code of modules lies that have been imported."""

_searched: set[str] = set()
"""What was put into `sys.path` for them."""


@dataclass(frozen=True)
class Code:
    """What one import has brought."""

    main: ModuleType
    """The module that was named."""

    own: Mapping[str, ModuleType]
    """The module's own code, by name; the main module included."""

    @property
    def files(self) -> dict[Path, float]:
        """The files it came from, and when they were last changed."""
        files = map(Path, filter(None, map(file_of, self.own.values())))
        return {file: changed_at(file) for file in files}

    def restore(self) -> None:
        """Makes this version the one that further imports find: a newer one was given up."""
        sys.modules.update(self.own)

    def has(self, namespace: Mapping[str, object]) -> bool:
        """Whether a function with these globals is of this code."""
        return any(vars(module) is namespace for module in self.own.values())


@dataclass(frozen=True)
class Source:
    """A target such as "chat.py:app" or "package.chat:app"."""

    target: str
    """As it was written; without ":app" the name is `app`."""

    folder: Path = Path()
    """Where modules are looked for first; files are named as everywhere."""

    @property
    def place(self) -> str:
        """The file or the module."""
        return self.target.partition(":")[0]

    @property
    def path(self) -> str:
        """The name in it."""
        return self.target.partition(":")[2] or "app"

    @property
    def is_file(self) -> bool:
        """Whether a file is named, not a module."""
        return self.place.endswith(".py")

    @property
    def file(self) -> Path:
        """The file, if one is named."""
        return Path(self.place).resolve()

    @property
    def home(self) -> Path:
        """The folder that its own code is in."""
        if self.is_file:
            return self.file.parent
        top = self.place.partition(".")[0]
        # Whatever of this name is imported already may be another module's.
        spec = PathFinder.find_spec(top, [str(self.folder.resolve())])
        if spec is None or spec.origin is None:
            spec = importlib.util.find_spec(top)
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations))).resolve()
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).resolve().parent
        return self.folder.resolve()

    def load(self) -> Code:
        """Imports it. Where that fails, everything is as it was.

        Raises:
            ModuleFailed: It cannot be imported; in one line, with the place in its own code.
        """
        importlib.invalidate_caches()
        home, search = folder_of(self.home), self._search
        name = self.file.stem if self.is_file else self.place
        known = imported()
        of_others = foreign(known, home, search, _homes)
        hidden = dict.fromkeys((*own(known, home, name, _homes), *of_others))
        before = {key: sys.modules.pop(key) for key in hidden}
        path = sys.path[:]
        sys.path[:] = _sorted(path, search)
        try:
            with _no_bytecode():
                main = self._import_file(name) if self.is_file else self._import_module(name)
        except BaseException:
            for key in own(imported(), home, name, _homes):
                del sys.modules[key]
            sys.modules.update(before)
            sys.path[:] = path
            raise
        brought = {key: sys.modules[key] for key in own(imported(), home, name, _homes)}
        for key, module in before.items():
            # Of other modules, which may import more of it later.
            sys.modules.setdefault(key, module)
        _homes.add(home)
        if search not in path:
            _searched.add(search)
        return Code(main, brought)

    @property
    def _search(self) -> str:
        """Where its imports are looked for first."""
        return str(self.file.parent if self.is_file else self.folder.resolve())

    def _import_file(self, name: str) -> ModuleType:
        file = self.file
        if not file.is_file():
            raise ModuleFailed("", f"no such file: {self.place}")
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ModuleFailed("", f"not a Python file: {file}")
        module = importlib.util.module_from_spec(spec)
        # As an import would do it: dataclasses and msgspec look their module up by its name.
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - told in one line
            raise _broken(self.place, error) from None
        return module

    def _import_module(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
                raise ModuleFailed("", f"no such module: {name}") from None
            raise _broken(name, error) from None
        except (Exception, SystemExit) as error:
            raise _broken(name, error) from error


def told(error: BaseException) -> str:
    """What was in the way. Who exits ends itself: a module is not the program."""
    if isinstance(error, SystemExit):
        return f"calls sys.exit: {error}" if str(error) else "calls sys.exit"
    return f"{type(error).__name__}: {error}"


def changed_at(file: Path) -> float:
    """When a file was last changed; 0 if it is gone."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _sorted(path: Iterable[str], search: str) -> list[str]:
    """Where to look: here first, and last where other modules have looked first."""
    rest = [one for one in path if one != search]
    return [search, *sorted(rest, key=lambda one: one in _searched)]


@contextmanager
def _no_bytecode() -> Generator[None]:
    """Compiled code is found by the second of its source's change: two versions of one second."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _broken(what: str, error: BaseException) -> ModuleFailed:
    """One line: where in the user's code, and what. The traceback is for --log-level debug."""
    logger.debug("cannot import %s", what, exc_info=error)
    if isinstance(error, SyntaxError):
        where = f"{error.filename}:{error.lineno}"
        return ModuleFailed(
            "", f"cannot import {what}: {where}: {type(error).__name__}: {error.msg}"
        )
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [one for one in frames if not one.filename.startswith(("<frozen", _OURS))]
    where = f"{theirs[-1].filename}:{theirs[-1].lineno}: " if theirs else ""
    return ModuleFailed("", f"cannot import {what}: {where}{told(error)}")
