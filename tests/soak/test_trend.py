"""The statistics of a soak, against rows whose truth is known."""

from random import Random

import pytest

from .trend import floors, medians, share, slope


def row(rise: float, noise: float, count: int = 320, seed: int = 1) -> list[tuple[float, float]]:
    dice = Random(seed)
    return [(float(at), 50 + rise * at + dice.random() * noise) for at in range(count)]


@pytest.mark.parametrize("seed", range(5))
def test_a_leak_is_seen_through_noise(seed: int) -> None:
    found = slope(floors(row(rise=0.05, noise=10, seed=seed)))
    assert found.low > 0.02
    assert found.low <= 0.05 <= found.high or abs(found.per_unit - 0.05) < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_leak(seed: int) -> None:
    found = slope(floors(row(rise=0, noise=10, seed=seed)))
    assert found.low <= 0.001
    assert abs(found.per_unit) < 0.02


def test_one_step_up_is_no_slope() -> None:
    points = [(float(at), 60.0 if at > 150 else 50.0) for at in range(320)]
    spiked = [(float(at), 500.0 if at == 7 else 50.0) for at in range(320)]
    assert slope(floors(spiked)).per_unit == 0
    assert slope(floors(points)).high > 0


def test_what_settles_is_judged_when_it_has_settled() -> None:
    warming = [(float(at), 50 - 20 * 0.97**at) for at in range(320)]
    assert slope(floors(warming)).per_unit > 0.01
    assert slope(floors(share(warming, 0.5))).high < 0.005


@pytest.mark.parametrize("seed", range(5))
def test_medians_show_what_rises_below_the_noise(seed: int) -> None:
    assert slope(medians(row(rise=0.05, noise=10, seed=seed))).low > 0
    level = slope(medians(row(rise=0, noise=10, seed=seed)))
    assert abs(level.per_unit) < 0.02


def test_a_share_is_one_of_time() -> None:
    early = [(at / 100, 1.0) for at in range(100)]
    late = [(1.0 + at, 2.0) for at in range(5)]
    assert share([*early, *late], 0.5) == late[2:]
