"""Does it rise, or is it noise? What one may honestly say about a row of samples (pure)."""

from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median

BLOCKS = 16
"""Into so many blocks a run is cut: what is close in time is alike, and no independent evidence."""

_Z = 1.96  # 95 %

Points = list[tuple[float, float]]
"""When, and how much."""


@dataclass(frozen=True)
class Slope:
    """By how much something rises for each unit of time, and between what bounds (95 %)."""

    per_unit: float
    low: float
    high: float


def share(samples: Points, part: float) -> Points:
    """The last part of a run, by its time."""
    first, last = samples[0][0], samples[-1][0]
    return [one for one in samples if one[0] >= last - (last - first) * part]


def floors(samples: Points) -> Points:
    """The least value of each block, at the block's middle.

    How much is in use swings with what has just happened; a leak raises the floor, too.
    """
    return [(median(at for at, _ in part), min(v for _, v in part)) for part in _parts(samples)]


def medians(samples: Points) -> Points:
    """The median of each block, at the block's middle."""
    return [(median(at for at, _ in part), median(v for _, v in part)) for part in _parts(samples)]


def _parts(samples: Points) -> list[Points]:
    size = max(1, len(samples) // BLOCKS)
    parts = [samples[at : at + size] for at in range(0, size * BLOCKS, size)]
    return [part for part in parts if part]


def slope(points: Points) -> Slope:
    """The median of the slopes between all pairs (Theil, Sen): one outlier does not move it.

    Its bounds are Sen's: ranks among the slopes, by the variance of Kendall's S.
    """
    count = len(points)
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2))
    spread = _Z * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, int((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, int((len(slopes) + spread) / 2))
    return Slope(median(slopes), slopes[low], slopes[high])
