"""Durations and sizes as people write them: "30s", "1MiB" (pure).

Knows nothing of settings (see `settings`).
"""

import json
import re
from fractions import Fraction
from typing import Literal

Unit = Literal["", "size", "duration"]
"""What a number counts: things, bytes, seconds."""

SIZE_MAX_BYTES = 1024**4
"""More is a slip of the pen: no machine holds it for a peer."""

DURATION_MAX_S = 365 * 86_400
"""More is a slip, too; "never" is written 0 where it can be meant."""

_NUMBER = r"\s*([0-9]+(?:\.[0-9]+)?)\s*"
_DURATION = re.compile(_NUMBER + r"(ms|s|min|m|h|d)?\s*")
_SIZE = re.compile(_NUMBER + r"([kmgt]i?b?|b)?\s*", re.IGNORECASE)

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}


_A_DURATION = 'expected a duration such as "30s"'
_A_SIZE = 'expected a size such as "1MiB"'


def duration_s(value: str | float) -> float:
    """Seconds in a duration; a bare number is seconds already.

    Args:
        value: "250ms", "30s", "5m" or "5min", "2h", "1d", or a number.

    Raises:
        ValueError: It is not a duration, or negative.
    """
    if not isinstance(value, str):
        # NaN fails this comparison, too.
        if not 0 <= value < float("inf"):
            raise ValueError(f"{_A_DURATION}: found {value}")
        return float(value)
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError(f"{_A_DURATION}: found {_quoted(value)}")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def size_bytes(value: str | int) -> int:
    """Bytes in a size; a bare number is bytes already.

    Args:
        value: "512B", "64KiB", "1MiB", "1.5GiB" (powers of 1024), "64kB", "1MB" (powers of 1000),
            or a number.

    Raises:
        ValueError: It is not a size, negative, or not a whole number of bytes.
    """
    if not isinstance(value, str):
        if value < 0:
            raise ValueError(f"{_A_SIZE}: found {value}")
        return value
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ValueError(f"{_A_SIZE}: found {_quoted(value)}")
    unit = (match[2] or "b").lower()
    step = 1024 if "i" in unit else 1000
    size = Fraction(match[1]) * step ** "bkmgt".index(unit[0])
    if size.denominator != 1:
        raise ValueError(f"expected a whole number of bytes: found {_quoted(value)}")
    return int(size)


def duration_text(seconds: float) -> str:
    """The shortest way to write a duration: 0.25 → "250ms", 90 → "90s", 7200 → "2h"."""
    if seconds == 0:
        return "0"
    for unit in ("d", "h", "min"):
        if seconds % _SECONDS[unit] == 0:
            return _plain(seconds / _SECONDS[unit]) + unit
    return _plain(seconds * 1000) + "ms" if seconds < 1 else _plain(seconds) + "s"


def size_text(size: int) -> str:
    """The shortest way to write a size: 1048576 → "1MiB", 1000 → "1000B"."""
    for exponent, unit in ((4, "TiB"), (3, "GiB"), (2, "MiB"), (1, "KiB")):
        if size and size % 1024**exponent == 0:
            return f"{size // 1024**exponent}{unit}"
    return f"{size}B" if size else "0"


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _plain(number: float) -> str:
    """Without an exponent, and no more digits than it needs."""
    return f"{number:.6f}".rstrip("0").rstrip(".")
