"""`Underway`: the one thing that was said in a room and is not shown yet.

A room that shows nothing would hold up everything behind it. So after a while it is entered anew,
where its archive may tell more; and what it does not show the second time, it never will.
"""

import asyncio
from collections.abc import Callable

SHOWN_S = 30.0
"""How long a room may take to show what was said."""


class Underway:
    """What is underway in one room.

    Args:
        enter_anew: Leaves the room, to come back.
        give_up: Called with the number of what the room will never show.

    Attributes:
        topic: The number of what says what the room is about, if that is underway.
    """

    def __init__(self, enter_anew: Callable[[], None], give_up: Callable[[int], None]) -> None:
        self._enter_anew = enter_anew
        self._give_up = give_up
        self.topic: int | None = None
        self._number = 0
        self._overdue = 0
        self._timer: asyncio.TimerHandle | None = None

    def sent(self, number: int, *, is_topic: bool = False) -> None:
        """Something was said."""
        self.clear()
        self._number = number
        self.topic = number if is_topic else None
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(SHOWN_S, self._is_overdue)

    def settled(self, number: int) -> None:
        """It was shown, or refused."""
        if number == self._number:
            self.clear()

    def clear(self) -> None:
        """Nothing is underway."""
        self.topic = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_overdue(self) -> None:
        self._timer = None
        if self._overdue == self._number:
            self._give_up(self._number)
        else:
            self._overdue = self._number
            self._enter_anew()
