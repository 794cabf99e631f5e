"""What can be said about every bridge in `[app.config.bridges.NAME]` (pure)."""

import re

from msgspec import Struct

from hubbub.config import duration_s

_LABEL = re.compile(r"[\w.'-]{1,12}")


class LinkSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A bridge to another network."""

    rooms: dict[str, str]
    """Which rooms of the chat are which channels there; a room that is not there is made."""

    enabled: bool = True
    """Whether the bridge runs."""

    label: str = ""
    """What stands behind the nicks of people from there, as in "ada·label"; empty: the bridge's
    name."""

    topics: bool = True
    """Whether a topic that is set on one side is set on the other."""

    queue_limit: int = 10_000
    """How many messages wait at most while the remote is away; the oldest go."""

    queue_age: str = "24h"
    """How long a message waits at most."""

    names_age: str = "30d"
    """How long it is known what a message is called on the other side, for edits and replies."""

    blocked: tuple[str, ...] = ()
    """People and domains of the remote who are not heard, besides those blocked by command."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        if not self.rooms:
            raise ValueError('rooms: expected at least one, as {lobby = "#channel"}')
        if any(not room.strip() or not channel.strip() for room, channel in self.rooms.items()):
            raise ValueError("rooms: expected the name of a room and the name of a channel")
        if len(set(self.rooms.values())) < len(self.rooms):
            raise ValueError("rooms: a channel is one room only")
        if self.label and not _LABEL.fullmatch(self.label):
            raise ValueError("label: expected up to 12 letters, digits and any of _ . ' -")
        if not 1 <= self.queue_limit <= 1_000_000:
            raise ValueError("queue_limit: expected 1 to 1,000,000")
        for name in ("queue_age", "names_age"):
            duration_s(getattr(self, name))
