"""The statistics of a soak, against rows whose truth is known."""

from itertools import pairwise
from random import Random

import pytest

from .trend import chance, floors, slope


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


def test_rows_of_one_kind_and_of_two() -> None:
    dice = Random(2)
    rows = [[dice.gauss(10, 2) for _ in range(60)] for _ in range(201)]
    alarms = sum(chance(a, b) < 0.05 for a, b in pairwise(rows))
    # One in twenty is what the word promises.
    assert 1 <= alarms <= 30
    assert chance(rows[0], [dice.gauss(12, 2) for _ in range(60)]) < 0.001
