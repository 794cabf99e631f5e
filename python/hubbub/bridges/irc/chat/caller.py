"""`Caller`: somebody on IRC, as the chat's procedures know those who ask (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False)
class IrcCaller:
    """Who asks for one thing, and by which session; what comes of it bears it as its origin."""

    user: str
    session: object = None
    reason: str = ""
    """Why, where IRC has a word and the chat has not."""

    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is only for other clients of IRC."""


def session_of(origin: object) -> object:
    """By which session something was asked for, if it was by IRC."""
    return origin.session if isinstance(origin, IrcCaller) else None
