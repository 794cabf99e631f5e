"""How quickly somebody may speak: a token bucket that says how long to wait (pure)."""

from collections.abc import Callable


class Pace:
    """A bucket.

    Args:
        burst: How much is free at once.
        per_s: How much comes in a second.
        clock: The time, in seconds.
    """

    def __init__(self, burst: int, per_s: float, clock: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._per_s = per_s
        self._clock = clock
        self._level = float(burst)
        self._since = clock()

    def wait_s(self) -> float:
        """Takes one, and says how long to wait before it counts."""
        now = self._clock()
        self._level = min(self._burst, self._level + (now - self._since) * self._per_s) - 1
        self._since = now
        return max(0.0, -self._level / self._per_s)
