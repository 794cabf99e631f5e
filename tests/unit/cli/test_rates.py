"""From two looks at a server to rates."""

from typing import Any

import pytest

from hubbub.cli.rates import Rates


def page(uptime_s: float, messages: int, cpu_s: float, *turns: int, started_s: float = 7) -> Any:
    bounds = (0.001, 0.1, None)
    return {
        "uptime_s": uptime_s,
        "counters": {"messages_in": messages},
        "modules": [{"name": "chat", "stats": {"messages": messages}}],
        "process": {"cpu_s": cpu_s, "started_s": started_s},
        "loop_lag": {"buckets": list(zip(bounds, turns or (0, 0, 0), strict=True))},
    }


def test_one_look_gives_averages_since_the_start() -> None:
    rates = Rates.between(None, page(10, 50, 5.0, 9, 9, 10))
    assert rates.counters == {"messages_in": 5}
    assert rates.modules == {"chat": {"messages": 5}}
    assert rates.cpu == 0.5
    assert rates.lag_p50_s == 0.001
    assert rates.lag_p99_s == float("inf")


def test_two_looks_give_what_happened_between() -> None:
    rates = Rates.between(page(10, 50, 5.0, 900, 900, 901), page(12, 150, 8.0, 900, 1000, 1001))
    assert rates.span_s == 2
    assert rates.counters == {"messages_in": 50}
    assert rates.modules == {"chat": {"messages": 50}}
    assert rates.cpu == 1.5
    assert (rates.lag_p50_s, rates.lag_p99_s) == (0.1, 0.1)


def test_nothing_happened() -> None:
    same = page(10, 50, 5.0, 1, 1, 1)
    rates = Rates.between(same, same)
    assert rates.counters == {"messages_in": 0}
    assert rates.lag_p50_s is None


def test_another_process_is_no_look_before() -> None:
    rates = Rates.between(page(100, 10**9, 99), page(2, 10, 1, started_s=8))
    assert rates.counters == {"messages_in": 5}
    assert rates.cpu == pytest.approx(0.5)
