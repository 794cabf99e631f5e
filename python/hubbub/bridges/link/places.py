"""Which room of the chat each channel of a bridge is; one that there is not yet is made."""

import sqlite3
from collections.abc import Mapping

from hubbub.apps.chat import ChatService
from hubbub.apps.chat import events as ev
from hubbub.apps.chat.events import RoomEvent
from hubbub.apps.chat.nick import checked_room_name
from hubbub.apps.chat.service import LOBBY
from hubbub.apps.chat.store.changes import keep, make_room


async def found(service: ChatService, wanted: Mapping[str, str]) -> dict[str, str]:
    """The ids of rooms, by the channels that they are.

    Args:
        service: The chat.
        wanted: Channels, by the names of their rooms.
    """
    return {channel: await _found(service, named) for named, channel in wanted.items()}


async def _found(service: ChatService, named: str) -> str:
    room = service.live.room(named) if named == LOBBY else None
    if room is not None:
        return room.id
    return service.room_named(named) or await _made(service, named)


async def _made(service: ChatService, named: str) -> str:
    id_, now, name = service.new_room_id(), service.now_ms(), checked_room_name(named)
    made: list[RoomEvent] = [ev.RoomSet(1, now, name, "open")]

    def write(db: sqlite3.Connection) -> None:
        make_room(db, id_, "open", now)
        keep(db, id_, made)

    await service.store.write(write)
    return id_
