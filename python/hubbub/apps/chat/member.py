"""`Member`: somebody's place in a room, and what the role allows (pure)."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["owner", "moderator", "voice", ""]
"""What somebody may do in a room; "" is everybody."""

_RANKS: dict[Role, int] = {"": 0, "voice": 1, "moderator": 2, "owner": 3}


def rank(role: Role) -> int:
    """How high a role stands."""
    return _RANKS[role]


@dataclass
class Member:
    """One person in one room."""

    user: str
    nick: str
    guest: bool = False
    langs: tuple[str, ...] = ()
    preferred: str = ""
    role: Role = ""
    muted_until: int = 0
    """Until when they may not speak, in ms; 0: they may."""

    joined: int = 0

    def is_muted(self, now_ms: int) -> bool:
        """Whether they may not speak now."""
        return self.muted_until > now_ms


@dataclass(frozen=True)
class Ban:
    """Somebody who may not come back."""

    user: str
    by: str
    until: int
    """In ms; 0: for ever."""

    reason: str = ""

    def holds(self, now_ms: int) -> bool:
        """Whether it is still in force."""
        return self.until == 0 or self.until > now_ms
