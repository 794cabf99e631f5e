"""Where a module's code is, and how it is imported: afresh each time, so that a new version is new.

A module's own code is what lies in its package or, without one, in its folder; of that every
module has a copy of its own. What it imports from elsewhere is everybody's, and stays as it is.
Knows nothing of what an `App` is (see `loading`).
"""

import importlib
import importlib.util
import sys
import sysconfig
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from hubbub.errors import ModuleFailed
from hubbub.log import logger

_OURS = Path(__file__).parents[1]
_LIBRARIES = tuple(
    Path(path).resolve()
    for name, path in sysconfig.get_paths().items()
    if name in ("stdlib", "platstdlib", "purelib", "platlib")
)


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
        return {file: changed_at(file) for file in filter(None, map(_file_of, self.own.values()))}

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
        with _importable(self.folder):
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
        sys.path[:0] = [path for path in [self._search_path()] if path not in sys.path]
        importlib.invalidate_caches()
        home, name = self.home, self.file.stem if self.is_file else self.place
        before = {key: sys.modules.pop(key) for key in _own(home, name)}
        try:
            with _no_bytecode():
                main = self._import_file(name) if self.is_file else self._import_module(name)
        except BaseException:
            for key in _own(home, name):
                del sys.modules[key]
            sys.modules.update(before)
            raise
        own = {key: sys.modules[key] for key in _own(home, name)}
        for key, module in before.items():
            # Of another module that lives in the same folder.
            sys.modules.setdefault(key, module)
        return Code(main, own)

    def _search_path(self) -> str:
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
        except Exception as error:  # noqa: BLE001 - told in one line
            raise _broken(self.place, error) from None
        return module

    def _import_module(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
                raise ModuleFailed("", f"no such module: {name}") from None
            raise _broken(name, error) from None
        except Exception as error:
            raise _broken(name, error) from error


def changed_at(file: Path) -> float:
    """When a file was last changed; 0 if it is gone."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _own(home: Path, name: str) -> list[str]:
    """The names of what has been imported from a folder, and of the module itself."""
    # A copy is made in one go; while a list of the items is made, another thread may import.
    known = sys.modules.copy()
    return [key for key, module in known.items() if key == name or _is_own(module, home)]


def _is_own(module: ModuleType, home: Path) -> bool:
    file = _file_of(module)
    if file is None or not file.is_relative_to(home):
        return False
    name = module.__name__
    if name == "__main__" or (file.is_relative_to(_OURS) and not name.startswith("hubbub.apps.")):
        return False
    # A virtual environment may lie in a project's folder.
    libraries = (one for one in _LIBRARIES if one.is_relative_to(home))
    return not any(file.is_relative_to(one) for one in libraries)


def _file_of(module: ModuleType) -> Path | None:
    file = getattr(module, "__file__", None)
    # What is no Python source cannot be imported a second time.
    return Path(file).resolve() if isinstance(file, str) and file.endswith(".py") else None


@contextmanager
def _importable(folder: Path) -> Generator[None]:
    path = str(folder.resolve())
    is_new = path not in sys.path
    if is_new:
        sys.path.insert(0, path)
    try:
        yield
    finally:
        if is_new:
            sys.path.remove(path)


@contextmanager
def _no_bytecode() -> Generator[None]:
    """Compiled code is found by the second of its source's change: two versions of one second."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def _broken(what: str, error: Exception) -> ModuleFailed:
    """One line: where in the user's code, and what. The traceback is for --log-level debug."""
    logger.debug("cannot import %s", what, exc_info=error)
    if isinstance(error, SyntaxError):
        where = f"{error.filename}:{error.lineno}"
        return ModuleFailed(
            "", f"cannot import {what}: {where}: {type(error).__name__}: {error.msg}"
        )
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [one for one in frames if not one.filename.startswith(("<frozen", str(_OURS)))]
    where = f"{theirs[-1].filename}:{theirs[-1].lineno}: " if theirs else ""
    return ModuleFailed("", f"cannot import {what}: {where}{type(error).__name__}: {error}")
