"""How much one person, one room and one address may do: token buckets (pure; time comes in)."""

from collections import OrderedDict
from dataclasses import dataclass

from hubbub.apps.chat import refusals

KEYS_LIMIT = 65_536
"""How many buckets are remembered; the one not used for longest is forgotten."""


@dataclass(frozen=True)
class Rate:
    """So many a second on average, and so many at once."""

    per_s: float
    burst: float


class Buckets:
    """One bucket for each key; a full one is not remembered."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now_s: float, count: float = 1.0) -> None:
        """Takes from a key's bucket.

        Raises:
            Refused: There is not enough in it (429), with how long to wait; nothing was taken.
        """
        wait_s = self.wait_s(key, now_s, count)
        if wait_s > 0:
            raise refusals.slow_down(wait_s)
        level, _ = self._level(key, now_s)
        self._levels[key] = (level - count, now_s)
        self._levels.move_to_end(key)
        if len(self._levels) > KEYS_LIMIT:
            self._levels.popitem(last=False)

    def wait_s(self, key: str, now_s: float, count: float = 1.0) -> float:
        """How long it takes until there is enough; 0: there is now."""
        level, _ = self._level(key, now_s)
        return max(0.0, (min(count, self._rate.burst) - level) / self._rate.per_s)

    def _level(self, key: str, now_s: float) -> tuple[float, float]:
        level, at_s = self._levels.get(key, (self._rate.burst, now_s))
        grown = level + max(0.0, now_s - at_s) * self._rate.per_s
        return min(self._rate.burst, grown), now_s
