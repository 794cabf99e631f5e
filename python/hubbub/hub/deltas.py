"""Deltas: who hears a channel by what has changed, and what that is taken from.

Nothing is kept of a channel that nobody hears so: as much is held as is heard.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET, Raw, UnsetType

from hubbub._core import delta
from hubbub.hub import wire
from hubbub.hub.client import Client


@dataclass(slots=True)
class _Followers:
    base: bytes | None = None
    """The newest data, from which the next change is taken."""

    following: set[Client] = field(default_factory=set)
    fresh: set[Client] = field(default_factory=set)
    """Who has to get a whole publication first."""


class Deltas:
    """Who hears which channel by deltas.

    Args:
        tell: Sends a frame to all who hear a topic.
        whole: How the topics begin of those who need a whole publication.
        changes: How the topics begin of those for whom the next change is enough.
    """

    def __init__(self, tell: Callable[[str, str], None], whole: str, changes: str) -> None:
        self._tell = tell
        self._whole = whole
        self._changes = changes
        self._followers: dict[str, _Followers] = {}

    def __len__(self) -> int:
        return len(self._followers)

    def __contains__(self, channel: str) -> bool:
        return channel in self._followers

    def take_over(self, other: "Deltas") -> None:
        """Goes on with those of another."""
        self._followers = other._followers

    def enter(self, channel: str, client: Client, *, knows_newest: bool) -> None:
        """Lets a client hear a channel so."""
        followers = self._followers.setdefault(channel, _Followers())
        if knows_newest:
            followers.following.add(client)
            client.transport.listen(self._changes + channel)
        else:
            followers.fresh.add(client)
            client.transport.listen(self._whole + channel)

    def leave(self, channel: str, client: Client) -> None:
        """Lets a client no longer hear a channel so."""
        if not client.is_closed:
            client.transport.ignore(self._whole + channel)
            client.transport.ignore(self._changes + channel)
        followers = self._followers.get(channel)
        if followers is None:
            return
        followers.following.discard(client)
        followers.fresh.discard(client)
        if not followers.following and not followers.fresh:
            del self._followers[channel]

    def tell(
        self, channel: str, data: bytes, offset: int, info: bytes | None, tags: bytes | None
    ) -> None:
        """Tells what has changed to those who hear it so, and everything to those who need it."""
        followers = self._followers.get(channel)
        if followers is None:
            return
        extra: dict[str, object] = {"offset": offset} if offset else {}
        if info is not None:
            extra["info"] = Raw(info)
        if tags is not None:
            extra["tags"] = Raw(tags)
        whole = wire.push(channel, "pub", {"data": data.decode(), **extra})
        change = delta(followers.base, data) if followers.base is not None else None
        if change is None:
            self._tell(self._changes + channel, whole)
        else:
            told = {"data": change.decode(), "delta": True, **extra}
            self._tell(self._changes + channel, wire.push(channel, "pub", told))
        self._tell(self._whole + channel, whole)
        followers.base = data
        fresh, followers.fresh = followers.fresh, set()
        for client in fresh:
            followers.following.add(client)
            client.transport.ignore(self._whole + channel)
            client.transport.listen(self._changes + channel)


class _Publication(msgspec.Struct, omit_defaults=True):
    data: Raw
    offset: int = 0
    info: Raw | UnsetType = UNSET
    tags: Raw | UnsetType = UNSET


def as_text(publication: Raw) -> Raw:
    """The same publication with its data as text: what deltas are taken from."""
    parts = msgspec.json.decode(publication, type=_Publication)
    return Raw(
        wire.encode(
            _Publication(
                Raw(wire.encode(bytes(parts.data).decode())), parts.offset, parts.info, parts.tags
            )
        )
    )
