"""`Live`: the rooms in use. Loads them, lets them decide, stores what they decided, then tells.

Nobody hears of an event before it is on disk, and everybody hears them in their order: that of
`seq`, which is the order in which the writer takes them.
"""

import asyncio
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from hubbub.apps.chat import commands, refusals
from hubbub.apps.chat.commands import Person
from hubbub.apps.chat.events import RoomEvent
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.room import RECENT_LIMIT, Room
from hubbub.apps.chat.store import Lease, Store, StoreFailure, Write
from hubbub.apps.chat.store.changes import Gone, keep

ROOMS_LIMIT = 2_000
"""How many rooms are kept in memory although nothing is underway in them."""

Told = Callable[[Room, RoomEvent, object], None]
"""Tells everybody whom it concerns; the last is who asked for it, if somebody did."""


@dataclass
class _Carried:
    room: Room
    lease: Lease = field(default_factory=Lease)
    underway: int = 0
    """Events that are not on disk yet."""


class Live:
    """All rooms that somebody uses.

    Args:
        store: Where they are kept.
        told: Called for each event once it is on disk.
        gone: Called with what is on disk no more.
        now_ms: The clock.
    """

    def __init__(
        self,
        store: Store,
        told: Told,
        gone: Callable[[Sequence[Gone]], None],
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._told = told
        self._gone = gone
        self._now_ms = now_ms
        self._rooms: OrderedDict[str, _Carried] = OrderedDict()

    def room(self, id: str) -> Room | None:  # noqa: A002
        """A room, if there is one; read at once, so that what is said in it keeps its order."""
        carried = self._carried(id)
        return carried.room if carried is not None else None

    def rooms(self, ids: Iterable[str]) -> list[Room]:
        """Those of these rooms that there are."""
        return [room for room in map(self.room, ids) if room is not None]

    def message(self, room: Room, id: str) -> Message:  # noqa: A002
        """A message of a room, with what is decided but not stored yet.

        Raises:
            Refused: There is none.
        """
        message = room.recent.get(id) or self._store.here.message(id)
        if message is None or message.room != room.id:
            raise refusals.no_such("message")
        return message

    def carry_out(
        self,
        room: Room,
        command: commands.Command,
        who: Person,
        *,
        origin: object = None,
    ) -> "asyncio.Future[list[RoomEvent]]":
        """Lets a room decide; what is returned is done when that is on disk.

        Raises:
            Refused: The room refuses.
        """
        return self.carry_out_all([(room, command)], who, origin=origin)

    def carry_out_all(
        self,
        wanted: Sequence[tuple[Room, commands.Command]],
        who: Person,
        *,
        first: Write | None = None,
        origin: object = None,
    ) -> "asyncio.Future[list[RoomEvent]]":
        """Lets several rooms decide; all of it is stored, or nothing.

        Args:
            wanted: Which rooms, and what in each.
            who: By whom.
            first: What is stored before, with it.
            origin: Who asked for it: whoever is told of what comes of it learns that, too.

        Raises:
            Refused: A room refuses, or has too much underway.
        """
        waiting: asyncio.Future[list[RoomEvent]] = asyncio.get_running_loop().create_future()
        decided: list[tuple[_Carried, list[RoomEvent]]] = []
        for room, command in wanted:
            carried = self._carried(room.id)
            if carried is None or carried.underway >= RECENT_LIMIT // 2:
                raise refusals.slow_down(1.0)
            decided.append((carried, carried.room.apply(command, who, self._now_ms())))
        events = [event for _, of in decided for event in of]
        if not events and first is None:
            waiting.set_result([])
            return waiting
        self._submit(decided, waiting, first, origin)
        return waiting

    def forget(self, id: str) -> None:  # noqa: A002
        """Loads a room anew when it is next asked for: it has been changed behind its back."""
        carried = self._rooms.pop(id, None)
        if carried is not None:
            carried.lease.is_broken = True

    def expire(self, id: str, messages: Iterable[str]) -> None:  # noqa: A002
        """Messages of a room are on the disk no more: nothing is done to them any longer."""
        carried = self._rooms.get(id)
        if carried is not None:
            for message in messages:
                carried.room.recent.pop(message, None)

    def _submit(
        self,
        decided: list[tuple[_Carried, list[RoomEvent]]],
        waiting: "asyncio.Future[list[RoomEvent]]",
        first: Write | None,
        origin: object,
    ) -> None:
        for carried, events in decided:
            carried.underway += len(events)

        gone: list[Gone] = []

        def write(db: sqlite3.Connection) -> None:
            if first is not None:
                first(db)
            for carried, events in decided:
                gone.extend(keep(db, carried.room.id, events))

        def done(failure: StoreFailure | None) -> None:
            if failure is None and gone:
                self._gone(gone)
            for carried, events in decided:
                carried.underway -= len(events)
                if failure is not None:
                    self._drop(carried)
                    continue
                for event in events:
                    self._told(carried.room, event, origin)
            if waiting.done():
                return
            if failure is not None:
                waiting.set_exception(refusals.not_stored(failure.reason))
            else:
                waiting.set_result([event for _, of in decided for event in of])

        self._store.submit(write, done, tuple(carried.lease for carried, _ in decided))

    def _carried(self, id: str) -> _Carried | None:  # noqa: A002
        carried = self._rooms.get(id)
        if carried is not None:
            self._rooms.move_to_end(id)
            return carried
        room = self._store.here.room(id)
        if room is None:
            return None
        carried = self._rooms[id] = _Carried(room)
        if len(self._rooms) > ROOMS_LIMIT:
            self._make_room()
        return carried

    def _make_room(self) -> None:
        for id, carried in self._rooms.items():  # noqa: A001
            if carried.underway == 0:
                del self._rooms[id]
                return

    def _drop(self, carried: _Carried) -> None:
        """What this room believes has not happened: the next one is read from the disk."""
        if self._rooms.get(carried.room.id) is carried:
            del self._rooms[carried.room.id]
