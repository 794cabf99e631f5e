"""Who has come online and gone, room by room, until it is told (pure)."""

CHANGES_LIMIT = 200
"""How many are named in one telling; the others are only counted."""


class Presences:
    """Changes since they were last taken. Who comes and goes within a second is not told at all."""

    def __init__(self) -> None:
        self._changes: dict[str, dict[str, bool]] = {}

    def note(self, room: str, user: str, *, is_online: bool) -> None:
        """Somebody has come, or gone."""
        changes = self._changes.setdefault(room, {})
        if changes.get(user, is_online) != is_online:
            del changes[user]
        else:
            changes[user] = is_online

    def take(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        """For each room who has come and who has gone; forgets them."""
        taken, self._changes = self._changes, {}
        told: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        for room, changes in taken.items():
            come = tuple(user for user, is_online in changes.items() if is_online)
            gone = tuple(user for user, is_online in changes.items() if not is_online)
            if come or gone:
                told.append((room, come[:CHANGES_LIMIT], gone[:CHANGES_LIMIT]))
        return told
