"""How much each caller may ask for: a token bucket each, in a table of bounded size (pure)."""

from collections import OrderedDict
from collections.abc import Callable

CALLERS_LIMIT = 10_000
"""Callers remembered; whoever has not asked for longest is forgotten, and has a full bucket."""


class Rates:
    """Buckets of characters.

    Args:
        per_minute: Characters that a caller may have translated in a minute, and at once; 0: any.
        clock: The time, in seconds.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._capacity = float(per_minute)
        self._per_s = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str, amount: int) -> float:
        """Takes so much out of a caller's bucket, if it is there.

        More than a bucket holds is granted when it is full.

        Returns:
            0, or in how many seconds there will be enough.
        """
        if not self._capacity:
            return 0.0
        now = self._clock()
        level, since = self._buckets.get(caller, (self._capacity, now))
        level = min(self._capacity, level + (now - since) * self._per_s)
        needed = min(float(amount), self._capacity)
        granted = level >= needed
        self._buckets[caller] = (level - needed if granted else level, now)
        self._buckets.move_to_end(caller)
        if len(self._buckets) > CALLERS_LIMIT:
            self._buckets.popitem(last=False)
        return 0.0 if granted else (needed - level) / self._per_s
