"""How a setting is declared: a dataclass field, with what its type and name cannot say.

Every other file of this room declares with it; `reference` reads it back.
"""

from collections.abc import Callable
from dataclasses import field
from typing import Any, Literal

PathKind = Literal["", "file", "bind", "import"]
"""A path alone, behind "unix:", or before ":app"; "": there is none in it."""

REQUIRED: Any = object()
"""The default of a setting that has none."""


def setting(
    default: Any = REQUIRED,
    *,
    factory: Callable[[], Any] | None = None,
    section: str = "",
    key: str = "",
    flag: str = "",
    between: tuple[int, int] | None = None,
    auto: Callable[[], int] | None = None,
    path: PathKind = "",
    hint: str = "",
    is_secret: bool = False,
) -> Any:
    """One declared setting.

    Args:
        default: What holds when nothing is said.
        factory: Makes the default, where it is a table.
        section: Its TOML section, where a class is spread over several.
        key: Its TOML key, where that is not the field's name without its unit.
        flag: How the command line spells it, where that is not the same with dashes.
        between: The least and the greatest value.
        auto: What the word "auto" stands for.
        path: Whether it names a file, seen from the folder of the configuration file.
        hint: An example of a text that it takes, for messages and the example file.
        is_secret: Whether it is never printed.
    """
    metadata = {
        "section": section,
        "key": key,
        "flag": flag,
        "between": between,
        "auto": auto,
        "path": path,
        "hint": hint,
        "is_secret": is_secret,
    }
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    if default is REQUIRED:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)
