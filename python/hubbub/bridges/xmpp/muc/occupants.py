"""`Occupants`: who is in a room, and what their coming and going comes to (pure)."""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from typing import Literal

from hubbub.bridges.link.remote import Came, Person, Renamed, Told, Went
from hubbub.bridges.xmpp.muc.stanzas import Presence

SELF, RENAMED, BANNED, KICKED = 110, 303, 301, 307
_ADDRESSES_LIMIT = 10_000
_OUT = frozenset({KICKED, 321, 322, 332})


@dataclass(frozen=True)
class Out:
    """We are no longer in the room.

    Attributes:
        reason: Why.
        is_banned: Whether there is no sense in coming back soon.
    """

    reason: str
    is_banned: bool = False


class Occupants:
    """Who is in one room.

    Args:
        channel: The room.
        nick: What we are called there.
        ours: Nicks of puppets.
        is_identifying: Whether the room gives occupants ids that last (XEP-0421).
        addresses: By nick, and by occupant id, the addresses that were seen on earlier visits: who
            comes back later than we do, and said something meanwhile, is the same one.
    """

    def __init__(
        self,
        channel: str,
        nick: str,
        ours: Container[str],
        *,
        is_identifying: bool = False,
        addresses: dict[str, str] | None = None,
    ) -> None:
        self.nick = nick
        self.is_identifying = is_identifying
        self._addresses = addresses if addresses is not None else {}
        self._channel = channel
        self._ours = ours
        self._here: dict[str, Presence] = {}
        self._ids: Counter[str] = Counter()
        # Puppets as they came in: one is ours until it has gone, whatever is known of it by then.
        self._puppets: set[str] = set()

    def people(self) -> tuple[Person, ...]:
        """Everybody but us."""
        return tuple(self.person(nick) for nick in self._here if not self._is_ours(nick))

    def person(self, nick: str, occupant: str = "") -> Person:
        """Somebody who is or was there.

        Args:
            nick: Theirs.
            occupant: The id that a message of theirs bears.
        """
        seen = self._here.get(nick)
        lasting = occupant or (seen.occupant if seen is not None else "")
        if not self.is_identifying:
            lasting = ""
        if seen is not None:
            jid = seen.jid.partition("/")[0]
        else:
            jid = self._addresses.get(lasting or f"nick {nick}", "")
        # Who is known by their address stays who they are in every room, and under every nick.
        id_ = jid or f"{self._channel} nick {nick}"
        if not jid and lasting:
            id_ = f"{self._channel} {lasting}"
        domain = (jid or self._channel).rpartition("@")[2]
        return Person(id_, nick, domain, jid)

    def nick_of(self, id: str) -> str:  # noqa: A002
        """What somebody is called who is there; empty: they are not."""
        return next((nick for nick in self._here if self.person(nick).id == id), "")

    def hear(self, presence: Presence) -> list[Told | Out]:
        """Takes a presence; tells what is new."""
        nick = presence.sender.partition("/")[2]
        if presence.type == "unavailable":
            return self._gone(nick, presence)
        if presence.type or not nick:
            return []
        if nick in self._here:
            # Of who was there, only what they are up to has changed: the id stays as it was.
            return []
        self._here[nick] = presence
        self._remember(presence, nick)
        if nick in self._ours:
            self._puppets.add(nick)
        person = self.person(nick)
        self._ids[person.id] += 1
        if self._is_ours(nick) or self._ids[person.id] > 1:
            return []
        return [Came(self._channel, person)]

    def _gone(self, nick: str, presence: Presence) -> list[Told | Out]:
        codes = presence.codes
        if RENAMED in codes and presence.nick:
            return self._renamed(nick, presence)
        was_ours = self._is_ours(nick)
        person = self._drop(nick)
        if SELF in codes or nick == self.nick:
            return [Out(_reason(presence), BANNED in codes)]
        if person is None or was_ours or self._ids[person.id]:
            return []
        how: Literal["part", "kick", "ban"] = "part"
        if codes & _OUT:
            how = "kick"
        if BANNED in codes:
            how = "ban"
        return [Went(self._channel, person.id, how, presence.actor, presence.reason)]

    def _renamed(self, nick: str, presence: Presence) -> list[Told | Out]:
        was_ours = self._is_ours(nick)
        if nick == self.nick:
            self.nick = presence.nick
        seen = self._here.get(nick)
        before = self._drop(nick)
        if seen is None or before is None:
            return []
        # Their presence under the new nick follows, and is no arrival.
        self._here[presence.nick] = seen
        if was_ours:
            self._puppets.add(presence.nick)
        person = self.person(presence.nick)
        self._ids[person.id] += 1
        return [] if was_ours else [Renamed(before.id, person)]

    def _remember(self, presence: Presence, nick: str) -> None:
        jid = presence.jid.partition("/")[0]
        for name in (presence.occupant, f"nick {nick}"):
            if jid and name:
                self._addresses.pop(name, None)
                self._addresses[name] = jid
                if len(self._addresses) > _ADDRESSES_LIMIT:
                    del self._addresses[next(iter(self._addresses))]

    def _drop(self, nick: str) -> Person | None:
        if nick not in self._here:
            return None
        person = self.person(nick)
        del self._here[nick]
        self._puppets.discard(nick)
        self._ids[person.id] -= 1
        if not self._ids[person.id]:
            del self._ids[person.id]
        return person

    def _is_ours(self, nick: str) -> bool:
        return nick == self.nick or nick in self._puppets


def _reason(presence: Presence) -> str:
    codes = presence.codes
    how = "banned" if BANNED in codes else "kicked" if codes & _OUT else "out"
    words = f"{how} by {presence.actor}" if presence.actor else how
    return f"{words}: {presence.reason}" if presence.reason else words
