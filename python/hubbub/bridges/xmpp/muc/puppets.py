"""`Puppets`: people of the chat in one room, each as an occupant of their own (XEP-0114)."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hubbub.bridges.link.remote import Author
from hubbub.bridges.xmpp.muc.compose import Composer
from hubbub.bridges.xmpp.muc.connection import RESOURCE, Connection
from hubbub.bridges.xmpp.muc.occupants import SELF
from hubbub.bridges.xmpp.muc.stanzas import Presence

_TRIES = ("{}", "{} [web]", "{} [web 2]", "{} [web 3]")
_SAFE = re.compile(r"[a-z0-9]{1,64}", re.ASCII)


@dataclass
class Puppet:
    """Somebody.

    Attributes:
        jid: Their address at the component.
        wanted: What the chat calls them.
        nick: What the room calls them, or shall.
        tries: How many nicks were taken.
        joined: Done when they are in, or cannot be.
        comings: How often the room is still to tell that who had this address before is in …
        goings: … and has left.
    """

    jid: str
    wanted: str
    nick: str
    tries: int = 0
    comings: int = 0
    goings: int = 0
    joined: "asyncio.Future[bool]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Puppets:
    """The puppets of one room.

    Args:
        channel: The room.
        domain: The component.
        limit: How many there may be.
    """

    def __init__(self, channel: str, domain: str, limit: int) -> None:
        self._channel = channel
        self._domain = domain
        self._limit = limit
        self._by_user: dict[str, Puppet] = {}
        self._by_jid: dict[str, Puppet] = {}
        self._nicks: dict[str, Puppet] = {}

    def __contains__(self, nick: object) -> bool:
        """Whether a nick in the room is a puppet's."""
        return nick in self._nicks

    def has(self, user: str) -> bool:
        """Whether somebody is in, or on their way."""
        return user in self._by_user

    def __iter__(self) -> Iterator[Puppet]:
        """All of them."""
        return iter(self._by_user.values())

    def present(self, authors: Sequence[Author], connection: Connection) -> None:
        """Brings those in who are in the chat, and takes the others out."""
        wanted = {author.user: author for author in authors[: self._limit] if author.user}
        for user in self._by_user.keys() - wanted.keys():
            self._leave(user, connection)
        for author in wanted.values():
            self.bring(author, connection)

    def bring(self, author: Author, connection: Connection) -> Puppet | None:
        """The puppet of somebody, on their way in if they are not there; None: there is no room."""
        puppet = self._by_user.get(author.user)
        if puppet is None or puppet.wanted != author.nick:
            self._make_way(author, connection)
        if puppet is None:
            if not author.user or len(self._by_user) >= self._limit:
                return None
            jid = f"{self._local_part(author.user)}@{self._domain}/{RESOURCE}"
            puppet = Puppet(jid, author.nick, author.nick)
            if (before := self._by_jid.get(jid)) is not None:
                puppet.comings = before.comings + (not before.joined.done())
                puppet.goings = before.goings + 1
            self._by_user[author.user] = self._by_jid[jid] = puppet
            self._enter(puppet, connection)
        elif author.nick and puppet.wanted != author.nick:
            # Another nick is told by the same presence as coming in (XEP-0045 §7.6).
            puppet.wanted, puppet.tries = author.nick, 0
            self._enter(puppet, connection)
        return puppet

    def hear(self, to: str, presence: Presence, connection: Connection) -> None:
        """Takes what a room says to a puppet of its own coming and going."""
        puppet = self._by_jid.get(to)
        if puppet is None or _is_of_before(puppet, presence):
            return
        if presence.type == "error":
            refused = presence.sender.partition("/")[2]
            if refused != puppet.nick or not puppet.joined.done():
                self._drop(refused, puppet)
            puppet.tries += 1
            if presence.error == "conflict" and puppet.tries < len(_TRIES):
                self._enter(puppet, connection)
            elif not puppet.joined.done():
                puppet.joined.set_result(False)
        elif SELF in presence.codes and not presence.type:
            puppet.nick = presence.sender.partition("/")[2]
            # What was not told by now is not told any more.
            puppet.goings = 0
            self._nicks[puppet.nick] = puppet
            if not puppet.joined.done():
                puppet.joined.set_result(True)
        elif SELF in presence.codes:
            self._drop(presence.sender.partition("/")[2], puppet)
            if not presence.nick:
                # Gone, or thrown out: who says something comes back.
                self._forget(puppet)

    def clear(self) -> None:
        """Nobody is in any more: the connection is lost."""
        for puppet in list(self._by_jid.values()):
            self._forget(puppet)
        self._nicks.clear()

    def _enter(self, puppet: Puppet, connection: Connection) -> None:
        nick = _TRIES[puppet.tries].format(puppet.wanted or "someone")
        # Ours from the moment on in which the room can tell of it.
        self._nicks[nick] = puppet
        composer = Composer(connection.namespace)
        connection.send(composer.join(puppet.jid, f"{self._channel}/{nick}", "", ""))

    def _make_way(self, author: Author, connection: Connection) -> None:
        """Whoever had somebody's nick before is gone, or called otherwise: the chat has it once."""
        for user, puppet in list(self._by_user.items()):
            if author.nick and puppet.wanted == author.nick and user != author.user:
                self._leave(user, connection)

    def _drop(self, nick: str, puppet: Puppet) -> None:
        """A nick is not a puppet's any more; it may be another's already."""
        if self._nicks.get(nick) is puppet:
            del self._nicks[nick]

    def _leave(self, user: str, connection: Connection) -> None:
        # The nick stays theirs until the room says that they are gone.
        puppet = self._by_user.pop(user)
        composer = Composer(connection.namespace)
        connection.send(composer.leave(puppet.jid, f"{self._channel}/{puppet.nick}"))

    def _forget(self, puppet: Puppet) -> None:
        self._by_jid.pop(puppet.jid, None)
        for user, one in list(self._by_user.items()):
            if one is puppet:
                del self._by_user[user]
        if not puppet.joined.done():
            puppet.joined.set_result(False)

    def _local_part(self, user: str) -> str:
        return user if _SAFE.fullmatch(user) else f"u-{user.encode().hex()}"


def _is_of_before(puppet: Puppet, presence: Presence) -> bool:
    """Whether it tells of who had the address before: rooms tell of comings and goings in order."""
    if presence.type == "error" and puppet.comings:
        # It has not come in, and so there is nothing to be told of its going.
        puppet.comings -= 1
        puppet.goings -= 1
    elif presence.type == "unavailable" and SELF in presence.codes and puppet.goings:
        puppet.goings -= 1
    elif not presence.type and SELF in presence.codes and puppet.comings:
        puppet.comings -= 1
    else:
        return False
    return True
