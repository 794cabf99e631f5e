"""A circuit breaker: who has failed several times is left alone for a while (pure)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from hubbub.translation.failures import BackendFailure

State = Literal["closed", "open", "probing"]
"""Closed: it is asked. Open: it rests. Probing: one question is under way, and decides."""

_REST_LIMIT_S = 600.0
# A key that is refused or used up will not be better in half a minute.
_LONG_REST_S = 300.0


@dataclass(frozen=True)
class BreakerOptions:
    """When a back end is left alone."""

    failures: int = 3
    """After how many failures in a row."""

    rest_s: float = 20.0
    """For how long at first; doubled each time that a probe fails, to ten minutes at most."""


class Breaker:
    """Whether one back end may be asked.

    Args:
        options: When it opens.
        clock: The time, in seconds.
    """

    def __init__(self, options: BreakerOptions, clock: Callable[[], float]) -> None:
        self._options = options
        self._clock = clock
        self._failures = 0
        self._rest_s = options.rest_s
        self._until = 0.0
        self._is_open = False
        self._is_probing = False

    @property
    def state(self) -> State:
        """What it does now."""
        if self._is_probing:
            return "probing"
        return "open" if self._is_open and self._clock() < self._until else "closed"

    def enter(self) -> bool:
        """Whether one may ask now; after a rest, one at a time may."""
        if not self._is_open:
            return True
        if self._is_probing or self._clock() < self._until:
            return False
        self._is_probing = True
        return True

    def succeeded(self) -> None:
        """It has answered."""
        self._failures = 0
        self._is_open = self._is_probing = False
        self._rest_s = self._options.rest_s

    def failed(self, failure: BackendFailure) -> None:
        """It has not. What it refuses is the text's fault, and no sign of illness."""
        if failure.kind == "refused":
            self.succeeded()
            return
        self._failures += 1
        if failure.kind == "throttled":
            self._open(failure.retry_after_s or self._options.rest_s)
        elif failure.kind in ("quota", "unauthorized"):
            self._open(failure.retry_after_s or _LONG_REST_S)
        elif self._is_probing:
            self._rest_s = min(2 * self._rest_s, _REST_LIMIT_S)
            self._open(self._rest_s)
        elif self._failures >= self._options.failures:
            self._open(self._rest_s)

    def cancelled(self) -> None:
        """Nobody waited for the answer."""
        self._is_probing = False

    def _open(self, for_s: float) -> None:
        self._is_open = True
        self._is_probing = False
        self._until = self._clock() + min(for_s, _REST_LIMIT_S)
