"""How long a client waits before it comes back (pure: the caller brings the dice and the clock).

Thousands lose their connection in the same moment, when their server restarts. Full jitter, any
time between now and a bound that doubles, brings them back evenly instead of in waves.
"""

import email.utils
from collections.abc import Iterable
from datetime import UTC, datetime

from hubbub.errors import HandshakeRejected, HandshakeTimeout

INITIAL_S = 1.0
"""The first delay is shorter than this."""

LIMIT_S = 60.0
"""No delay is longer, unless the server asks for it."""

STEADY_S = 10.0
"""A connection that has lasted so long was a good one: the next delay is a first one again."""

RETRY_AFTER_LIMIT_S = 3600.0
"""A server that asks for more patience than this is asked again nevertheless."""

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that may be others next time; any other refusal will be the same."""


def delay_s(attempt: int, random: float) -> float:
    """How long to wait before an attempt.

    Args:
        attempt: How many have failed in a row; 0: none.
        random: From 0 to 1, exclusively.
    """
    # 1 << 16 is beyond every limit; a power without bound would fill the memory.
    return random * min(LIMIT_S, INITIAL_S * float(1 << min(attempt, 16)))


def is_steady(lasted_s: float, closed_by: str | None) -> bool:
    """Whether a connection that has ended lets the next delay begin anew.

    One that the server ends at once is as good as a refusal, most of all with 1012 ("service
    restart") and 1013 ("try again later"): whoever came back early would be the next to be sent
    away. One that we have ended ourselves says nothing about the server.
    """
    return lasted_s >= STEADY_S or closed_by == "app"


def may_pass(error: Exception) -> bool:
    """Whether another attempt may end differently."""
    if isinstance(error, HandshakeRejected):
        return error.status in PASSING
    return isinstance(error, HandshakeTimeout | OSError)


def retry_after_s(headers: Iterable[tuple[str, str]], now: datetime) -> float:
    """How long a refusal asks to wait (RFC 9110 §10.2.3): seconds, or a date; 0: it does not."""
    value = next((value for name, value in headers if name.lower() == "retry-after"), "").strip()
    if value.isascii() and value.isdigit():
        # Digits without end are a number, too.
        return min(RETRY_AFTER_LIMIT_S, float(value[:9]))
    try:
        date = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    return max(0.0, min(RETRY_AFTER_LIMIT_S, (date - now).total_seconds()))
