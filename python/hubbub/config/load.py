"""From what was given to a `Configuration`, or to everything that is wrong with it (pure).

Files, the environment and the command line are read elsewhere (`hubbub.cli.configuration`).
What single values may be is said in `values`, what must hold between them in `checks`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from hubbub.config import checks, document, sources
from hubbub.config.checks import Problem
from hubbub.config.document import Path, dotted
from hubbub.config.file import Configuration
from hubbub.config.reader import Reader
from hubbub.config.sources import Assignment, Given, Mistake, Origin

World: TypeAlias = Callable[[Configuration], Iterable[Problem]]
"""Looks at what is outside: files, folders."""


@dataclass(frozen=True)
class Loaded:
    """A configuration, and who said what of it."""

    configuration: Configuration
    """What holds."""

    origins: Mapping[Path, Origin]
    """Who gave each value; one that is missing here is a default."""


class Mistaken(Exception):
    """What was given cannot be followed.

    Attributes:
        mistakes: Everything that is wrong, in the order of the lines.
    """

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(listed([str(one) for one in self.mistakes]))


def listed(mistakes: Sequence[str]) -> str:
    """One mistake in a line; several in a list."""
    if len(mistakes) == 1:
        return mistakes[0]
    return "\n  ".join([f"the configuration has {len(mistakes)} mistakes", *mistakes])


def file(text: str, name: str, folder: str = "") -> Given:
    """What a TOML file says.

    Args:
        text: What is in it.
        name: How messages call it.
        folder: What relative paths in it start from.

    Raises:
        Mistaken: It is not TOML.
    """
    try:
        return sources.from_document(document.read(text), name, folder)
    except document.Malformed as error:
        place = f"{name}:{error.line}:{error.column}" if error.line else name
        raise Mistaken([Mistake(Origin(place), str(error))]) from None


def load(
    given: Given | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    assigned: Iterable[str] = (),
    flags: Iterable[Assignment] = (),
    world: World = lambda _: (),
) -> Loaded:
    """Joins what was given: a flag comes before `--set`, the environment, and the file.

    Args:
        given: What a file says, see `file`; it is changed.
        environment: The environment's variables.
        assigned: The values of `--set`.
        flags: What other flags have set.
        world: What is wrong with the files that a configuration names.

    Raises:
        Mistaken: Something is wrong; with all that is.
    """
    root = given or Given({}, Origin("default"))
    of_set, mistakes = sources.from_set(assigned)
    layers = (*sources.from_environment(environment or {}), *of_set, *flags)
    mistakes += sources.overlay(root, layers)
    reader = Reader()
    configuration = reader.table(Configuration, root, ())
    mistakes += reader.mistakes
    for path, text in (*checks.problems(configuration), *world(configuration)):
        if not any(path[: len(bad)] == bad for bad in reader.bad):
            mistakes.append(Mistake(reader.origin(path, root.origin), f"{dotted(path)}: {text}"))
    if mistakes:
        raise Mistaken(sorted(mistakes, key=lambda one: (one.origin.line, one.origin.name)))
    return Loaded(configuration, reader.origins)


def load_tables(
    names: Collection[str],
    given: Given | None = None,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """What some tables say; whatever else was given is not looked at, and the defaults hold.

    Args:
        names: Which, such as "admin".
        given: What a file says, see `file`.
        environment: The environment's variables.

    Raises:
        Mistaken: Something is wrong in these tables.
    """
    root = given or Given({}, Origin("default"))
    tables = root.value if isinstance(root.value, dict) else {}
    root = Given({name: one for name, one in tables.items() if name in names}, root.origin)
    layers = sources.from_environment(environment or {})
    mistakes = sources.overlay(root, (one for one in layers if one[0][0] in names))
    reader = Reader()
    configuration: Configuration = reader.table(Configuration, root, ())
    if mistakes := mistakes + reader.mistakes:
        raise Mistaken(mistakes)
    return configuration
