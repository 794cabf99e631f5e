"""One value: from TOML or from text to what a setting takes, or to what was expected (pure).

Which settings there are, and where their values come from, is others' (`reference`, `load`).
"""

import json
import types
from contextlib import suppress
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin

from hubbub.config import document
from hubbub.config.document import Value
from hubbub.config.reference import Setting
from hubbub.config.units import Unit, duration_s, duration_text, size_bytes, size_text

Raw: TypeAlias = "Value | tuple[str, ...]"
"""What a setting is given: by TOML, or by a program, which has tuples instead of lists."""

_SHOWN_LIMIT = 60


def parse(setting: Setting, value: Raw) -> Any:
    """What a setting takes, from a value as TOML has it.

    Lists of tables and free tables are not for this function: see `load`.

    Raises:
        ValueError: It is of another type or unit, or too little or too much.
    """
    kind: Any = setting.kind
    if value == "auto" and setting.auto is not None:
        return setting.auto()
    if get_origin(kind) is Literal:
        return _word(get_args(kind), value)
    if kind is bool:
        return _flag(value)
    if kind in (int, float):
        return _number(setting, value)
    if get_origin(kind) is tuple:
        return _texts(value)
    return _text(value)


def literal_of(kind: Any, text: str) -> Value:
    """The TOML value that a bare text from a command line or an environment variable stands for.

    Texts need no quotes there, and lists may be written with commas: "a, b".
    """
    literal: Value = text
    with suppress(ValueError):
        literal = document.literal(text)
    if get_origin(kind) is tuple and get_args(kind)[0] is str and not isinstance(literal, list):
        return [part.strip() for part in text.split(",") if part.strip()]
    if (kind is str or get_origin(kind) is Literal) and not isinstance(literal, str):
        return text
    return literal


def check(setting: Setting, value: float) -> None:
    """Tests a number against its bounds.

    Raises:
        ValueError: With the bounds.
    """
    low, high = setting.between
    # NaN fails this comparison, too.
    if low <= value <= high:
        return
    bounds = f"{low} to {high}" if setting.has_own_bounds else "a number from 0"
    if value > high and not setting.has_own_bounds:
        bounds = f"at most {_with_unit(setting.unit, high)}"
    raise ValueError(f"expected {bounds}: found {_with_unit(setting.unit, value)}")


def shown(value: Raw) -> str:
    """A value as TOML writes it, in one short line."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, dict):
        parts = ", ".join(f"{key} = {shown(one)}" for key, one in value.items())
        text = f"{{ {parts} }}" if parts else "{}"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(shown(one) for one in value) + "]"
    else:
        text = str(value)
    return text if len(text) <= _SHOWN_LIMIT else text[: _SHOWN_LIMIT - 1] + "…"


def optional(kind: Any) -> Any:
    """`X` of `X | None`; any other type as it is."""
    if get_origin(kind) in (Union, types.UnionType):
        return next(one for one in get_args(kind) if one is not type(None))
    return kind


def _word(words: tuple[str, ...], value: Raw) -> str:
    if isinstance(value, str) and value in words:
        return value
    *most, last = (f'"{word}"' for word in words)
    raise ValueError(f"expected {', '.join(most)} or {last}: found {shown(value)}")


def _flag(value: Raw) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"expected true or false: found {shown(value)}")


def _text(value: Raw) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"expected a text in quotes: found {shown(value)}")


_A_LIST = 'expected a list of texts such as ["a", "b"]'


def _texts(value: Raw) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{_A_LIST}: found {shown(value)}")
    for one in value:
        if not isinstance(one, str):
            raise ValueError(f"{_A_LIST}: found {shown(one)} in it")
    return tuple(str(one) for one in value)


def _number(setting: Setting, value: Raw) -> float:
    number: float
    if isinstance(value, bool):
        raise ValueError(f"expected {_kind_of_number(setting)}: found {shown(value)}")
    if setting.unit == "size" and isinstance(value, (str, int)):
        number = size_bytes(value)
    elif setting.unit == "duration" and isinstance(value, (str, int, float)):
        number = duration_s(value)
    elif isinstance(value, int) or (isinstance(value, float) and setting.kind is float):
        number = value
    else:
        raise ValueError(f"expected {_kind_of_number(setting)}: found {shown(value)}")
    check(setting, number)
    return number


def _kind_of_number(setting: Setting) -> str:
    if setting.unit == "size":
        return 'a size such as "1MiB"'
    if setting.unit == "duration":
        return 'a duration such as "30s"'
    what = "a whole number" if setting.kind is int else "a number"
    if setting.has_own_bounds:
        low, high = setting.between
        what += f" from {low} to {high}"
    return what + (', or "auto"' if setting.auto is not None else "")


def _with_unit(unit: Unit, value: float) -> str:
    if unit == "size" and value >= 0:
        return size_text(int(value))
    if unit == "duration" and 0 <= value < float("inf"):
        return duration_text(value)
    return str(value)
