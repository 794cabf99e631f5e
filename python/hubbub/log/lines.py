"""A record as one line of JSON, for programs that collect logs (pure).

`time` (RFC 3339, UTC), `level`, `logger`, `message`; then whatever was given as `extra=`, such as
`connection`, `path`, `module`; then `exception` with `type`, `message` and `stack`.
"""

import json
import logging
import re
import time
import traceback
from collections.abc import Iterable, Mapping
from typing import Any, cast

from hubbub.log.escape import UNPRINTABLE
from hubbub.log.redaction import HIDDEN, is_secret_field, redacted

DEPTH_LIMIT = 6
"""How deep tables and lists in `extra=` are shown as such; below, as text."""

_STANDARD = frozenset(
    {*vars(logging.LogRecord("", 0, "", 0, "", (), None)), "message", "asctime", "taskName"}
)
_OURS = frozenset({"time", "level", "logger", "exception", "stack"})


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON without control characters and without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """One object."""
        line: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                line[f"{name}_" if name in _OURS else name] = _field(name, value, DEPTH_LIMIT)
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _exception(record.exc_info[1])
        if record.stack_info:
            line["stack"] = redacted(record.stack_info)
        text = json.dumps(line, ensure_ascii=False)
        # json.dumps leaves C1 controls, line separators and the like. They can stand in strings
        # only, so their escaped form means the same.
        return UNPRINTABLE.sub(_escape, text)


def rfc3339(seconds: float) -> str:
    """A moment of `time.time()`: "2026-01-31T12:00:00.250Z"."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def _field(name: str, value: object, depth: int) -> object:
    """What JSON takes, at any depth without the values of secrets."""
    if value is None or isinstance(value, bool):
        return value
    if is_secret_field(name):
        return HIDDEN
    if isinstance(value, int | float):
        return value
    if depth and isinstance(value, Mapping):
        table = cast("Mapping[object, object]", value)
        return {_key(key): _field(_name(key), one, depth - 1) for key, one in list(table.items())}
    if depth and isinstance(value, list | tuple | set | frozenset):
        return _items(list(cast("Iterable[object]", value)), depth - 1)
    return _otherwise(value)


def _items(values: list[object], depth: int) -> list[object]:
    # Fields of HTTP are often told as pairs.
    if len(values) == 2 and isinstance(values[0], str | bytes):
        return [_field("", values[0], depth), _field(_name(values[0]), values[1], depth)]
    return [_field("", one, depth) for one in values]


def _name(key: object) -> str:
    return key.decode("latin-1") if isinstance(key, bytes) else _text(key)


def _key(key: object) -> str | int | float | None:
    return key if key is None or isinstance(key, int | float) else _otherwise(key)


def _exception(error: BaseException) -> dict[str, str]:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return {
        "type": f"{module}{kind.__qualname__}",
        "message": redacted(_text(error)),
        "stack": redacted("".join(traceback.format_exception(error)).rstrip()),
    }


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - what cannot be shown must not hide the rest
        return "(cannot be shown)"


def _otherwise(value: object) -> str:
    return redacted(_text(value))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
