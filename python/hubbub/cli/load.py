"""From "FILE.py:app" or "module:app" to the `App`, or to a message that says what is wrong."""

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from hubbub.app import App
from hubbub.cli.mistake import IMPORT, Mistake
from hubbub.log import logger


def load(target: str, directory: Path) -> App:
    """The app that a target names.

    Args:
        target: "FILE.py:app", "package.module:app"; without ":app" the name is `app`.
        directory: Where modules are looked for first.

    Raises:
        Mistake: There is none; with the exit code for that.
    """
    place, _, path = target.partition(":")
    path = path or "app"
    is_file = place.endswith(".py")
    home = Path(place).resolve().parent if is_file else directory.resolve()
    sys.path.insert(0, str(home))
    module = _file(Path(place)) if is_file else _module(place)
    found: object = module
    for name in path.split("."):
        found = getattr(found, name, None)
    if isinstance(found, App):
        return found
    raise Mistake(f"{target}: {_instead(module, path, found)}", IMPORT)


def home_of(target: str, directory: Path) -> Path:
    """The folder whose files the target is made of, as far as one can tell before importing it."""
    place = target.partition(":")[0]
    return Path(place).resolve().parent if place.endswith(".py") else directory.resolve()


def _file(file: Path) -> ModuleType:
    if not file.is_file():
        raise Mistake(f"no such file: {file}", IMPORT)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None:
        raise Mistake(f"not a Python file: {file}", IMPORT)
    module = importlib.util.module_from_spec(spec)
    # As an import would do it: dataclasses and msgspec look their module up by its name.
    sys.modules[file.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise _broken(str(file), error) from error
    return module


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise Mistake(f"no such module: {name}", IMPORT) from None
        raise _broken(name, error) from error
    except Exception as error:
        raise _broken(name, error) from error


def _broken(what: str, error: Exception) -> Mistake:
    """One line: where in the user's code, and what. The traceback is for --log-level debug."""
    logger.debug("cannot import %s", what, exc_info=error)
    if isinstance(error, SyntaxError):
        where = f"{error.filename}:{error.lineno}"
        return Mistake(
            f"cannot import {what}: {where}: {type(error).__name__}: {error.msg}", IMPORT
        )
    frames = traceback.extract_tb(error.__traceback__)
    ours = ("<frozen", str(Path(__file__).parents[1]))
    theirs = [frame for frame in frames if not frame.filename.startswith(ours)]
    where = f"{theirs[-1].filename}:{theirs[-1].lineno}: " if theirs else ""
    return Mistake(f"cannot import {what}: {where}{type(error).__name__}: {error}", IMPORT)


def _instead(module: ModuleType, path: str, found: object) -> str:
    apps = sorted(name for name, value in vars(module).items() if isinstance(value, App))
    problem = f"{path} is not an App" if found is not None else f"there is no {path}"
    if apps:
        return f"{problem}; apps here: {', '.join(apps)}"
    return f"{problem}, and no App at all"
