"""Where values come from: a file, the environment, `--set`, flags; one laid over the other (pure).

What the values must be is not decided here (see `load`).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from hubbub.config import document
from hubbub.config.document import Path, Scalar, Value

ENVIRONMENT_PREFIX = "HUBBUB__"
"""What the names of environment variables that are settings begin with."""


@dataclass(frozen=True)
class Origin:
    """Who said it."""

    name: str
    """A file's name, "HUBBUB__SERVER__THREADS", "--set", "--ws-max-size"."""

    line: int = 0
    """The line in a file; 0: it is no file."""

    folder: str = ""
    """What relative paths in it start from; "": the folder that the program runs in."""

    def __str__(self) -> str:
        """As it is shown: "hubbub.toml:7"."""
        return f"{self.name}:{self.line}" if self.line else self.name


@dataclass
class Given:
    """A value that somebody gave, and who.

    Tables and lists hold `Given`s again, so that each of their values has an origin of its own.
    """

    value: "Scalar | list[Given] | dict[str, Given]"
    """What was given; a `Text`, if only the setting can say what it means."""

    origin: Origin


class Text(str):
    """A value from a command line or the environment: its type is the setting's to say."""

    __slots__ = ()


Assignment: TypeAlias = tuple[tuple[str, ...], Given]
"""A dotted key, taken apart, and what it is set to."""


@dataclass(frozen=True)
class Mistake:
    """Something that is wrong with what somebody gave."""

    origin: Origin
    """Who gave it."""

    text: str
    """Key, what was expected and what was found."""

    def __str__(self) -> str:
        """As it is shown: "hubbub.toml:7: server.threads: expected …"."""
        return f"{self.origin}: {self.text}"


def from_document(read: document.Document, name: str, folder: str = "") -> Given:
    """What a file says.

    Args:
        read: The file, read.
        name: How messages call it.
        folder: What relative paths in it start from.
    """
    return _tree(read.values, (), lambda path: Origin(name, read.lines.get(path, 1), folder))


def expanded(given: Given) -> Given:
    """A text that spells a table or a list as TOML does, as one; anything else as it is."""
    if not isinstance(given.value, Text):
        return given
    try:
        literal = document.literal(given.value)
    except ValueError:
        return given
    if not isinstance(literal, (dict, list)):
        return given
    return _tree(literal, (), lambda _: given.origin)


def _tree(value: Value, path: Path, origin: Callable[[Path], Origin]) -> Given:
    if isinstance(value, dict):
        table = {key: _tree(one, (*path, key), origin) for key, one in value.items()}
        return Given(table, origin(path))
    if isinstance(value, list):
        items = [_tree(one, (*path, index), origin) for index, one in enumerate(value)]
        return Given(items, origin(path))
    return Given(value, origin(path))


def plain(given: Given) -> Value:
    """The value alone, with those inside it."""
    if isinstance(given.value, dict):
        return {key: plain(one) for key, one in given.value.items()}
    if isinstance(given.value, list):
        return [plain(one) for one in given.value]
    return given.value


def from_environment(environment: Mapping[str, str]) -> list[Assignment]:
    """What the environment says: HUBBUB__SERVER__LIMITS__MESSAGE_LIMIT=2MiB."""
    return [
        (
            tuple(name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")),
            Given(Text(text), Origin(name)),
        )
        for name, text in sorted(environment.items())
        if name.startswith(ENVIRONMENT_PREFIX)
    ]


def from_set(arguments: Iterable[str]) -> tuple[list[Assignment], list[Mistake]]:
    """What `--set KEY=VALUE` says, as often as it was given."""
    found: list[Assignment] = []
    mistakes: list[Mistake] = []
    origin = Origin("--set")
    for argument in arguments:
        key, equals, text = argument.partition("=")
        try:
            if not equals:
                raise ValueError(f'expected KEY=VALUE: found "{argument}"')
            found.append((document.key_path(key), Given(Text(text.strip()), origin)))
        except ValueError as error:
            mistakes.append(Mistake(origin, str(error)))
    return found, mistakes


def overlay(root: Given, assignments: Iterable[Assignment]) -> list[Mistake]:
    """Lays single values over a tree, in their order; returns those for which there is no place."""
    return [
        mistake
        for path, given in assignments
        if (mistake := _assign(root, path, given)) is not None
    ]


def _assign(root: Given, path: tuple[str, ...], given: Given) -> Mistake | None:
    place = root
    for index, part in enumerate(path):
        is_last = index == len(path) - 1
        following = "" if is_last else path[index + 1]
        place.value = expanded(place).value
        if isinstance(place.value, list):
            items = place.value
            if not part.isdecimal() or int(part) > len(items):
                return _no_such_item(path, index, len(items), given)
            if int(part) == len(items):
                items.append(_empty(following, given.origin))
            if is_last:
                items[int(part)] = given
            place = items[int(part)]
            continue
        if not isinstance(place.value, dict):
            # What stood here is no table; its new value says so more clearly than the old one.
            place.value = {}
            place.origin = given.origin
        table = place.value
        if is_last:
            table[part] = given
        elif part not in table:
            if following.isdecimal() and int(following) > 0:
                return _no_such_item(path, index + 1, 0, given)
            table[part] = _empty(following, given.origin)
        place = table[part]
    return None


def _no_such_item(path: tuple[str, ...], index: int, count: int, given: Given) -> Mistake:
    here = ".".join(path[:index])
    allowed = f"a number from 0 to {count}" if count else "the number 0"
    text = f"{'.'.join(path)}: expected {allowed} after {here}: found {path[index]}"
    return Mistake(given.origin, text)


def _empty(following: str, origin: Origin) -> Given:
    return Given([] if following.isdecimal() else {}, origin)
