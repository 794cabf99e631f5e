"""What the front is called and how long names may be; which names are any (pure)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

NICK_LIMIT = 32
ROOM_LIMIT = 64
TOPIC_LIMIT = 390
AWAY_LIMIT = 200
USER_LIMIT = 16
REALNAME_LIMIT = 100
MONITOR_LIMIT = 100
HISTORY_LIMIT = 100

_NICK = re.compile(r"[A-Za-z\[\]{}\\|^_`][A-Za-z0-9\[\]{}\\|^_`-]*")
_ROOM = re.compile(r"[^\x00-\x20,\x07:#*?!@\x7f][^\x00-\x20,\x07:*?!@\x7f]*")


@dataclass(frozen=True)
class FrontInfo:
    """What a front says of itself."""

    server: str = "hubbub"
    """Its name: what lines of its own come from."""

    network: str = "Hubbub"
    version: str = "hubbub"
    made: str = ""
    """Since when there is this server, for people."""

    motd: tuple[str, ...] = ()

    def tokens(self) -> list[str]:
        """What 005 says."""
        return [
            f"AWAYLEN={AWAY_LIMIT}",
            "CASEMAPPING=ascii",
            f"CHANNELLEN={ROOM_LIMIT}",
            "CHANMODES=b,,,imnst",
            "CHANTYPES=#",
            f"CHATHISTORY={HISTORY_LIMIT}",
            f"KICKLEN={TOPIC_LIMIT}",
            "MAXTARGETS=1",
            "MODES=4",
            f"MONITOR={MONITOR_LIMIT}",
            "MSGREFTYPES=msgid,timestamp",
            f"NETWORK={self.network}",
            f"NICKLEN={NICK_LIMIT}",
            "PREFIX=(ov)@+",
            "TARGMAX=JOIN:,KICK:1,NAMES:,NOTICE:1,PART:,PRIVMSG:1,TAGMSG:1,WHOIS:1",
            f"TOPICLEN={TOPIC_LIMIT}",
            f"USERLEN={USER_LIMIT}",
            "UTF8ONLY",
            "WHOX",
        ]


def is_nick(nick: str) -> bool:
    """Whether old clients can bear this nick."""
    return len(nick) <= NICK_LIMIT and _NICK.fullmatch(nick) is not None


def room_of(target: str) -> str | None:
    """The room that a channel's name means; None: it is no channel's."""
    name = target[1:]
    is_room = target.startswith("#") and len(target) <= ROOM_LIMIT and _ROOM.fullmatch(name)
    return name if is_room else None


def packed(names: Iterable[str], separator: str, room_bytes: int) -> list[str]:
    """Names in as few lines as hold them, of so many bytes."""
    lines: list[str] = []
    left = 0
    for name in names:
        size = len(separator) + len(name.encode())
        if lines and size <= left:
            lines[-1] += separator + name
            left -= size
        else:
            lines.append(name)
            left = room_bytes - len(name.encode())
    return lines
