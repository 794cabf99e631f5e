"""`Sending`: lines that wait: each channel's in order, the channels in turns (pure)."""

from collections import OrderedDict, deque
from dataclasses import dataclass

from hubbub.bridges.irc.line import Line


@dataclass(frozen=True)
class Out:
    """A line to be sent."""

    line: Line
    number: int = 0
    """The delivery that it belongs to."""

    is_first: bool = False


class Bucket:
    """How much a server lets one connection send.

    Args:
        burst: How many lines at once.
        per_s: How many a second beyond them.
    """

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = float(burst)
        self._per_s = per_s
        self._level = float(burst)
        self._at_s = 0.0

    def take(self, now_s: float) -> float:
        """Takes one line; otherwise tells how long to wait."""
        self._level = min(self._burst, self._level + max(0.0, now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._level >= 1.0:
            self._level -= 1.0
            return 0.0
        return (1.0 - self._level) / self._per_s


class Sending:
    """The lines of one connection.

    Args:
        bucket: How fast they may go.
    """

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._queues: OrderedDict[str, deque[Out]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def put(self, key: str, out: Out) -> None:
        """A line waits behind those of the same key."""
        self._queues.setdefault(key, deque()).append(out)

    def drop(self, key: str) -> bool:
        """Nothing of a key is sent any more; tells whether there was anything."""
        return bool(self._queues.pop(key, None))

    def next(self, now_s: float) -> Out | float | None:
        """The next line; how long to wait for it; None: there is none."""
        if not self._queues:
            return None
        wait_s = self._bucket.take(now_s)
        if wait_s > 0:
            return wait_s
        key, queue = self._queues.popitem(last=False)
        out = queue.popleft()
        if queue:
            self._queues[key] = queue
        return out
