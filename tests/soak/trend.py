"""Does it rise, or is it noise? What one may honestly say about a row of samples (pure)."""

from dataclasses import dataclass
from itertools import combinations
from math import erf, sqrt
from statistics import median

BLOCKS = 16
"""Into so many blocks a run is cut: what is close in time is alike, and no independent evidence."""

_Z = 1.96  # 95 %


@dataclass(frozen=True)
class Slope:
    """By how much something rises for each unit of time, and between what bounds (95 %)."""

    per_unit: float
    low: float
    high: float


def floors(samples: list[tuple[float, float]], blocks: int = BLOCKS) -> list[tuple[float, float]]:
    """The least value of each block, at the block's middle.

    How much is in use swings with who happens to be there; a leak raises the floor, too.
    """
    size = max(1, len(samples) // blocks)
    parts = [samples[at : at + size] for at in range(0, size * blocks, size)]
    return [
        (median(at for at, _ in part), min(value for _, value in part)) for part in parts if part
    ]


def slope(points: list[tuple[float, float]]) -> Slope:
    """The median of the slopes between all pairs (Theil, Sen): one outlier does not move it.

    Its bounds are Sen's: ranks among the slopes, by the variance of Kendall's S.
    """
    count = len(points)
    slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2))
    spread = _Z * sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, int((len(slopes) - spread) / 2))
    high = min(len(slopes) - 1, int((len(slopes) + spread) / 2))
    return Slope(median(slopes), slopes[low], slopes[high])


def chance(before: list[float], after: list[float]) -> float:
    """How likely two rows of one kind differ so much (Mann and Whitney, two-sided)."""
    n, m = len(before), len(after)
    above = sum((b > a) + (b == a) / 2 for a in before for b in after)
    deviation = sqrt(n * m * (n + m + 1) / 12)
    z = abs(above - n * m / 2) / deviation
    return 1 - erf(z / sqrt(2))
