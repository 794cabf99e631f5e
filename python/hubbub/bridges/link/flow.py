"""`Flow`: deliveries to one channel, one after the other (pure, but for where they are kept).

One is underway at a time: order needs no more, and what is uncertain when a connection breaks is
one message. It is gone from the ledger when the remote has acknowledged it, and not before.
"""

from collections import deque
from collections.abc import Callable

from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.remote import Delivery

PORTION = 100
"""How many are read from the ledger at once."""


class Flow:
    """One channel.

    Args:
        ledger: Where deliveries wait.
        bridge: The bridge's name.
        channel: The channel.
        deliver: Gives one to the remote.
    """

    def __init__(
        self, ledger: Ledger, bridge: str, channel: str, deliver: Callable[[Delivery], None]
    ) -> None:
        self._ledger = ledger
        self._bridge = bridge
        self._channel = channel
        self._deliver = deliver
        self._next: deque[Delivery] = deque()
        self._read_to = 0
        self.is_open = False
        self._is_held = False
        self.underway: Delivery | None = None

    def hold(self) -> None:
        """Nothing more has its turn until the channel is opened again."""
        self._is_held = True

    def open(self) -> None:
        """The channel can be spoken in."""
        self.is_open, self._is_held = True, False
        self.pump()

    def shut(self) -> None:
        """It cannot: what was underway is the next one when it can again."""
        if self.underway is not None:
            self._ledger.unsent(self.underway.number)
        self.is_open = False
        self.underway = None
        self._next.clear()
        self._read_to = 0

    def pump(self) -> None:
        """Gives the next one to the remote, if it is its turn."""
        if not self.is_open or self._is_held or self.underway is not None:
            return
        if not self._next:
            found = self._ledger.waiting(self._bridge, self._channel, self._read_to, PORTION)
            self._next.extend(found)
        if self._next:
            self.underway = self._next.popleft()
            self._read_to = self.underway.number
            self._deliver(self.underway)

    def settled(self, number: int) -> Delivery | None:
        """One is done with, and the next has its turn.

        Returns:
            It, if it was underway here; the next one begins with `pump`.
        """
        underway = self.underway
        if underway is None or underway.number != number:
            return None
        self.underway = None
        return underway

    def forget(self) -> None:
        """What was read ahead may have been given up meanwhile."""
        self._next.clear()
        if self.underway is None:
            self._read_to = 0
