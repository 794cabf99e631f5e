"""How IRC spells the names of the chat, and back (pure). docs/irc.md has the rules.

A name that IRC can bear stays as it is. One that it cannot gets what can be kept of it, and behind
"|", which no name of the chat contains, four letters made of its owner's id: so no two become one.
"""

import base64
import hashlib
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from hubbub.bridges.irc.casemapping import folded

HELPER = "hubbub"
"""Who answers questions: nobody else is called so."""

_PLAIN_NICK = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,31}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
_BASE_LIMIT = 27
_CHANNEL_LIMIT = 58
_KEPT_PUNCTUATION = frozenset("_-.'·+&#()/")


def nick_of(nick: str, user: str) -> str:
    """Somebody's nick as IRC spells it.

    Args:
        nick: As the chat has it.
        user: Their id.
    """
    if _PLAIN_NICK.fullmatch(nick) and folded(nick) != HELPER:
        return nick
    bare = unicodedata.normalize("NFKD", nick)
    bare = bare.replace(".", "_").replace("·", "-")
    base = re.sub(r"[^A-Za-z0-9_-]", "", bare)[:_BASE_LIMIT]
    if not base[:1].isalpha():
        base = f"_{base}"[:_BASE_LIMIT]
    return f"{base}|{mark(user)}"


def is_chat_nick(nick: str) -> bool:
    """Whether somebody on IRC may choose this nick: the chat spells it in the same way."""
    return _PLAIN_NICK.fullmatch(nick) is not None and folded(nick) != HELPER


def host_of(user: str) -> str:
    """What stands for where somebody is: their id, or what can be made of it."""
    return user if _HOST.fullmatch(user) else f"u-{mark(user, 12)}"


@lru_cache(maxsize=16_384)
def mark(id: str, length: int = 4) -> str:  # noqa: A002
    """A few letters made of an id."""
    hashed = hashlib.sha256(id.encode()).digest()
    return base64.b32encode(hashed).decode().lower()[:length]


def channel_of(name: str) -> str:
    """A room's name as that of a channel, without "#": in small letters, with "-" for blanks."""
    letters = [
        one if unicodedata.category(one)[0] in "LMN" or one in _KEPT_PUNCTUATION else "-"
        for one in unicodedata.normalize("NFKC", name).lower()
    ]
    channel = re.sub(r"-+", "-", "".join(letters)).strip("-")[:_CHANNEL_LIMIT]
    return channel.lstrip("#") or "room"


class Channels:
    """Which channel is which room. Whoever has a name first keeps it as long as this runs.

    Args:
        find: The id of the room that the chat calls so, or almost so.
    """

    def __init__(self, find: Callable[[str], str | None]) -> None:
        self._find = find
        self._names: dict[str, str] = {}
        self._rooms: dict[str, str] = {}

    def name(self, id: str, name: str) -> str:  # noqa: A002
        """The channel of a room.

        Args:
            id: The room's id.
            name: What the chat calls it.
        """
        known = self._names.get(id)
        if known is not None:
            return known
        channel = channel_of(name)
        holder = self._rooms.get(folded(channel)) or self._find(channel)
        if holder not in (None, id):
            channel = f"{channel}|{mark(id)}"
        self._names[id] = channel
        self._rooms[folded(channel)] = id
        return channel

    def room(self, channel: str) -> str | None:
        """The id of the room that may be meant by a channel's name; it may have another, too."""
        return (
            self._rooms.get(folded(channel.lower()))
            or self._find(channel)
            or self._find(channel.replace("-", " "))
        )

    def forget(self, id: str) -> str:  # noqa: A002
        """Gives up the name of a room that is called otherwise now; returns it."""
        name = self._names.pop(id, "")
        self._rooms.pop(folded(name), None)
        return name
