"""From imported code and a table of settings to an `App` that knows its configuration (pure).

How code is imported is `source`'s; what becomes of the app is `module`'s.
"""

import datetime
import inspect
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from types import ModuleType
from typing import Any, TypeGuard, cast

import msgspec

from hubbub.app import App
from hubbub.config.sources import Text
from hubbub.config.values import literal_of
from hubbub.errors import ModuleFailed
from hubbub.modules.source import told

Table = Mapping[str, Any]
Key = tuple[str | int, ...]


def app_of(main: ModuleType, path: str, table: Table) -> App:
    """The app that a name in a module leads to, configured.

    Args:
        main: The module.
        path: The name of an `App`, or of a function that returns one: it is called with the
            configuration if it takes an argument.
        table: What `[app.config]` says.

    Raises:
        ModuleFailed: There is none, or the configuration does not fit.
    """
    found: object = main
    for name in path.split("."):
        found = getattr(found, name, None)
    own: object = getattr(main, "Config", None)
    default = cast("type[Any] | None", own if inspect.isclass(own) else None)
    if _is_app(found):
        found.configure(configuration(found.config_class or default, table))
        return found
    if callable(found) and not inspect.isclass(found):
        return _made(found, path, default, table)
    raise ModuleFailed("", _instead(main, path, found))


def _made(create: Callable[..., object], path: str, default: type[Any] | None, table: Table) -> App:
    config = configuration(default, table)
    takes_one = bool(inspect.signature(create).parameters)
    try:
        app = create(config) if takes_one else create()
    except (Exception, SystemExit) as error:
        raise ModuleFailed("", f"{path}: {told(error)}") from error
    if not _is_app(app):
        raise ModuleFailed("", f"{path}: expected an App: it returned {app!r}")
    app.configure(config)
    return app


def _is_app(found: object) -> TypeGuard[App[Any]]:
    return isinstance(found, App)


def configuration(wanted: type[Any] | None, table: Table) -> Any:
    """What a table says, as the module's own class; without one, the empty table itself.

    Raises:
        ModuleFailed: It does not fit; with the key, what was found and what is expected.
    """
    if wanted is None:
        if table:
            key = next(iter(table))
            raise ModuleFailed("", f"config.{key}: the module takes no configuration", (key,))
        return table
    known = _keys(wanted)
    for key in table:
        if known and key not in known:
            near = get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"expected {', '.join(sorted(known))}"
            raise ModuleFailed("", f"config.{key}: there is no such key: {hint}", (key,))
    as_texts: set[Key] = set()
    first: dict[Key, ModuleFailed] = {}
    while True:
        try:
            return msgspec.convert(
                _settled(table, as_texts),
                wanted,
                builtin_types=(datetime.datetime, datetime.date, datetime.time),
            )
        except msgspec.ValidationError as error:
            place, problem = _problem(str(error))
            where = ".".join(map(str, ("config", *place)))
            failed = first.setdefault(place, ModuleFailed("", f"{where}: {problem}", place))
            # Of a variable of the environment only the type says whether 123 is a number.
            texts = set(_texts(table, place)) - as_texts
            if not texts:
                raise failed from None
            as_texts |= texts
        except TypeError as error:
            told = f"{wanted.__name__} cannot be a configuration: {error}"
            raise ModuleFailed("", told) from None


def _settled(value: object, as_texts: Collection[Key], place: Key = ()) -> object:
    """The same, with what bare texts stand for in TOML, but for those that are meant as texts."""
    if isinstance(value, Mapping):
        table = cast("Table", value)
        return {key: _settled(one, as_texts, (*place, key)) for key, one in table.items()}
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [_settled(one, as_texts, (*place, index)) for index, one in enumerate(items)]
    if isinstance(value, Text):
        return str(value) if place in as_texts else literal_of(Any, str(value))
    return value


def _texts(value: object, at: Key, place: Key = ()) -> Iterator[Key]:
    """Where bare texts are at a place or below it; "*" there is any key."""
    if isinstance(value, Text) and not at:
        yield place
    found: Iterable[tuple[str | int, object]] = ()
    if isinstance(value, Mapping):
        found = cast("Table", value).items()
    elif isinstance(value, list):
        found = enumerate(cast("list[object]", value))
    for key, one in found:
        if not at or at[0] in (key, "*"):
            yield from _texts(one, at[1:], (*place, key))


def _keys(wanted: type[Any]) -> set[str]:
    if issubclass(wanted, msgspec.Struct):
        return set(wanted.__struct_encode_fields__)
    return {field.name for field in fields(wanted)} if is_dataclass(wanted) else set()


def _problem(told: str) -> tuple[Key, str]:
    """Of "Expected `int`, got `str` - at `$.ports[0]`" the key and the sentence."""
    sentence, _, place = told.partition(" - at `$")
    key: list[str | int] = []
    for part in place.rstrip("`").replace("[...]", ".*").replace("[", ".[").split("."):
        if part.startswith("["):
            index = part[1:-1]
            key.append(int(index) if index.isdigit() else index)
        elif part:
            key.append(part)
    missing = sentence.removeprefix("Object missing required field ")
    if missing != sentence:
        key.append(missing.strip("`"))
        return tuple(key), "expected a value: it has no default"
    return tuple(key), (sentence[:1].lower() + sentence[1:]).replace("`", "")


def _instead(module: ModuleType, path: str, found: object) -> str:
    apps = sorted(name for name, value in vars(module).items() if isinstance(value, App))
    problem = f"{path} is not an App" if found is not None else f"there is no {path}"
    if apps:
        return f"{problem}; apps here: {', '.join(apps)}"
    return f"{problem}, and no App at all"
