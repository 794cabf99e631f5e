"""A record as one line of JSON, for programs that collect logs (pure).

`time` (RFC 3339, UTC), `level`, `logger`, `message`; then whatever was given as `extra=`, such as
`connection`, `path`, `module`; then `exception` with `type`, `message` and `stack`.
"""

import json
import logging
import re
import time
import traceback
from typing import Any

from hubbub.log.escape import UNPRINTABLE
from hubbub.log.redaction import HIDDEN, is_secret, redacted

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
                line[f"{name}_" if name in _OURS else name] = _field(name, value)
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = _exception(record.exc_info[1])
        if record.stack_info:
            line["stack"] = redacted(record.stack_info)
        text = json.dumps(line, ensure_ascii=False, default=_otherwise)
        # json.dumps leaves C1 controls, line separators and the like. They can stand in strings
        # only, so their escaped form means the same.
        return UNPRINTABLE.sub(_escape, text)


def rfc3339(seconds: float) -> str:
    """A moment of `time.time()`: "2026-01-31T12:00:00.250Z"."""
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"


def _field(name: str, value: object) -> object:
    if isinstance(value, str):
        return HIDDEN if is_secret(name) else redacted(value)
    return value


def _exception(error: BaseException) -> dict[str, str]:
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return {
        "type": f"{module}{kind.__qualname__}",
        "message": redacted(_text(error)),
        "stack": redacted("".join(traceback.format_exception(error)).rstrip()),
    }


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception that cannot be shown must not hide itself
        return "(cannot be shown)"


def _otherwise(value: object) -> str:
    return redacted(str(value))


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
