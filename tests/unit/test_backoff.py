"""How long a client waits before it comes back."""

from datetime import UTC, datetime

import pytest

from hubbub.backoff import LIMIT_S, RETRY_AFTER_LIMIT_S, delay_s, is_steady, may_pass, retry_after_s
from hubbub.errors import HandshakeRejected, HandshakeTimeout, Misuse

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_bound_doubles_and_ends() -> None:
    bounds = [delay_s(attempt, 1.0) for attempt in range(10)]
    assert bounds[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert delay_s(10**9, 1.0) == LIMIT_S


@pytest.mark.parametrize("attempt", [0, 3, 50])
def test_the_jitter_is_full(attempt: int) -> None:
    assert delay_s(attempt, 0.0) == 0
    assert delay_s(attempt, 0.5) == delay_s(attempt, 1.0) / 2


def test_nineteen_thousand_come_back_evenly() -> None:
    count = 19_000
    delays = [delay_s(3, number / count) for number in range(count)]
    for second in range(8):
        assert abs(sum(second <= one < second + 1 for one in delays) - count / 8) < 2


@pytest.mark.parametrize(
    ("lasted_s", "closed_by", "steady"),
    [
        (0.1, "peer", False),
        (9.9, "network", False),
        (10, "peer", True),
        (0.1, "app", True),
        (0.1, None, False),
    ],
)
def test_what_ends_at_once_was_no_success(
    lasted_s: float, closed_by: str | None, steady: bool
) -> None:
    assert is_steady(lasted_s, closed_by) is steady


@pytest.mark.parametrize(
    ("error", "again"),
    [
        *((HandshakeRejected(status), True) for status in (408, 425, 429, 500, 502, 503, 504)),
        *(
            (HandshakeRejected(status), False)
            for status in (200, 301, 400, 401, 403, 404, 426, 501)
        ),
        (HandshakeTimeout(), True),
        (ConnectionRefusedError(), True),
        (Misuse("no URL"), False),
    ],
)
def test_what_may_pass(error: Exception, again: bool) -> None:
    assert may_pass(error) is again


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("99999999999999999999999", RETRY_AFTER_LIMIT_S),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30),
        ("Wed, 31 Dec 2025 23:59:30 GMT", 0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", RETRY_AFTER_LIMIT_S),
        ("-5", 0),
        ("soon", 0),
        ("٣", 0),
        ("", 0),
    ],
)
def test_what_a_server_asks_for(value: str, seconds: float) -> None:
    assert retry_after_s([("Date", "x"), ("Retry-After", value)], NOW) == seconds


def test_a_server_that_asks_for_nothing() -> None:
    assert retry_after_s([], NOW) == 0
