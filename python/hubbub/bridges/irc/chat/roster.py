"""`Roster`: who is in which channel, as far as IRC was told (pure).

The chat's members stay members when they go offline; a channel holds those who are there.
"""

from collections.abc import Iterable, Mapping

from hubbub.bridges.irc.front.events import Role


class Roster:
    """The channels that somebody on IRC is in, and everybody who is there."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, Role]] = {}

    def follows(self, room: str) -> bool:
        """Whether a room is one of these."""
        return room in self._rooms

    def follow(self, room: str, members: Iterable[tuple[str, Role]]) -> None:
        """Somebody on IRC has come into a room; these are there."""
        self._rooms[room] = dict(members)

    def drop(self, room: str) -> None:
        """Nobody on IRC is in it any more."""
        self._rooms.pop(room, None)

    def present(self, room: str) -> Mapping[str, Role]:
        """Who is in a room, with their roles."""
        return self._rooms.get(room, {})

    def rooms(self) -> list[str]:
        """All of them."""
        return list(self._rooms)

    def rooms_of(self, user: str) -> list[str]:
        """Those that somebody is in."""
        return [room for room, members in self._rooms.items() if user in members]

    def put(self, room: str, user: str, role: Role) -> None:
        """Somebody is in a room."""
        self._rooms[room][user] = role

    def take(self, room: str, user: str) -> bool:
        """Somebody is no more in a room; tells whether they were."""
        return self._rooms.get(room, {}).pop(user, None) is not None

    def take_all(self, user: str) -> list[str]:
        """Somebody is in no room any more; tells in which they were."""
        rooms = self.rooms_of(user)
        for room in rooms:
            del self._rooms[room][user]
        return rooms
