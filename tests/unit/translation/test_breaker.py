"""Who is left alone, and for how long; how much each caller may ask for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.translation.breaker import Breaker, BreakerOptions
from hubbub.translation.failures import BackendFailure, Kind
from hubbub.translation.rates import CALLERS_LIMIT, Rates


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def failure(kind: Kind, retry_after_s: float | None = None) -> BackendFailure:
    return BackendFailure("one", kind, "so", retry_after_s)


def test_it_opens_after_failures_in_a_row_and_lets_one_probe() -> None:
    clock = Clock()
    breaker = Breaker(BreakerOptions(failures=3, rest_s=20), clock)
    for kind in ("down", "late"):
        assert breaker.enter()
        breaker.failed(failure(kind))
    breaker.succeeded()
    for kind in ("down", "late", "garbage"):
        assert breaker.enter()
        breaker.failed(failure(kind))
    assert (breaker.state, breaker.enter()) == ("open", False)
    clock.now_s += 20
    assert [breaker.enter() for _ in range(3)] == [True, False, False]
    assert breaker.state == "probing"
    breaker.failed(failure("late"))
    clock.now_s += 39
    assert not breaker.enter()
    clock.now_s += 1
    assert breaker.enter()
    breaker.succeeded()
    assert [breaker.enter() for _ in range(3)] == [True, True, True]


def test_a_probe_that_nobody_waited_for_may_be_repeated() -> None:
    clock = Clock()
    breaker = Breaker(BreakerOptions(failures=1), clock)
    breaker.failed(failure("down"))
    clock.now_s += 20
    assert breaker.enter()
    breaker.cancelled()
    assert breaker.enter()


@pytest.mark.parametrize(
    ("kind", "retry_after_s", "rest_s"),
    [
        ("throttled", 7.0, 7),
        ("throttled", None, 20),
        ("throttled", 1e9, 600),
        ("quota", None, 300),
        ("unauthorized", None, 300),
    ],
)
def test_who_says_so_is_left_alone_at_once(
    kind: Kind, retry_after_s: float | None, rest_s: float
) -> None:
    clock = Clock()
    breaker = Breaker(BreakerOptions(), clock)
    breaker.failed(failure(kind, retry_after_s))
    clock.now_s += rest_s - 0.5
    assert not breaker.enter()
    clock.now_s += 0.5
    assert breaker.enter()


def test_a_text_that_is_refused_says_nothing_of_the_back_end() -> None:
    breaker = Breaker(BreakerOptions(failures=1), Clock())
    for _ in range(10):
        breaker.failed(failure("refused"))
    assert breaker.enter()


def test_a_caller_has_a_bucket_of_its_own() -> None:
    clock = Clock()
    rates = Rates(600, clock)
    assert rates.take("ada", 400) == 0
    assert rates.take("ada", 400) == pytest.approx(20)
    assert rates.take("bob", 600) == 0
    clock.now_s += 20
    assert rates.take("ada", 400) == 0


def test_more_than_a_bucket_holds_is_granted_when_it_is_full() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    assert rates.take("ada", 1000) == 0
    assert rates.take("ada", 1) > 0
    clock.now_s += 60
    assert rates.take("ada", 1000) == 0


def test_any_rate_and_a_bounded_table() -> None:
    assert Rates(0, Clock()).take("ada", 10**9) == 0
    rates = Rates(10, Clock())
    for number in range(CALLERS_LIMIT + 1):
        rates.take(str(number), 10)
    assert rates.take("0", 10) == 0  # forgotten
    assert rates.take(str(CALLERS_LIMIT), 10) > 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 100)), max_size=50))
def test_nobody_gets_more_than_the_rate(asked: list[tuple[int, int]]) -> None:
    clock = Clock()
    rates = Rates(600, clock)
    granted = 0
    for after_s, amount in asked:
        clock.now_s += after_s
        if rates.take("ada", amount) == 0:
            granted += amount
    assert granted <= 600 + (clock.now_s - 1000) * 10 + 1e-6
