"""Puppets of one room, and what that tells of their coming and going."""

from typing import Any, cast

import pytest

from hubbub.bridges.link.remote import Author
from hubbub.bridges.xmpp.muc.connection import Connection
from hubbub.bridges.xmpp.muc.puppets import Puppet, Puppets
from hubbub.bridges.xmpp.muc.stanzas import Presence

pytestmark = pytest.mark.anyio

ROOM = "tea@rooms.test"
ADA = Author("ada", "Ada")


class Sent:
    """What is sent."""

    namespace = "jabber:component:accept"

    def __init__(self) -> None:
        self.stanzas: list[Any] = []

    def send(self, stanza: Any) -> None:
        self.stanzas.append(stanza)


class Place:
    """A room, and what it tells."""

    def __init__(self) -> None:
        self.sent = Sent()
        self.connection = cast("Connection", self.sent)
        self.puppets = Puppets(ROOM, "web.test", 10)

    def bring(self, author: Author = ADA) -> Puppet:
        puppet = self.puppets.bring(author, self.connection)
        assert puppet is not None
        return puppet

    def tells(self, jid: str, nick: str, type: str = "") -> None:  # noqa: A002 - as in XMPP
        presence = Presence(f"{ROOM}/{nick}", type, frozenset({110}))
        self.puppets.hear(jid, presence, self.connection)


async def test_who_leaves_and_comes_again_at_once_is_in() -> None:
    place = Place()
    first = place.bring()
    place.tells(first.jid, "Ada")
    assert first.joined.result()
    place.puppets.present([], place.connection)
    assert not place.puppets.has("ada")
    second = place.bring()
    # The room tells of the leaving only now; the nick stays ours all the while.
    place.tells(first.jid, "Ada", "unavailable")
    assert not second.joined.done()
    assert place.puppets.has("ada")
    assert "Ada" in place.puppets
    place.tells(first.jid, "Ada")
    assert second.joined.result()
    assert [one.get("type") for one in place.sent.stanzas] == [None, "unavailable", None]


async def test_who_leaves_twice_before_the_room_says_so_is_in() -> None:
    place = Place()
    for _ in range(2):
        place.bring()
        place.puppets.present([], place.connection)
    last = place.bring()
    for _ in range(2):
        place.tells(last.jid, "Ada")
        assert not last.joined.done()
        place.tells(last.jid, "Ada", "unavailable")
    place.tells(last.jid, "Ada")
    assert last.joined.result()
    assert place.puppets.has("ada")


async def test_who_could_not_come_in_is_not_waited_for_when_they_come_again() -> None:
    place = Place()
    place.bring()
    place.puppets.present([], place.connection)
    second = place.bring()
    place.tells(second.jid, "Ada", "error")
    assert not second.joined.done()
    place.tells(second.jid, "Ada")
    assert second.joined.result()
    place.tells(second.jid, "Ada", "unavailable")
    assert not place.puppets.has("ada")


async def test_who_is_thrown_out_is_out() -> None:
    place = Place()
    puppet = place.bring()
    place.tells(puppet.jid, "Ada")
    place.tells(puppet.jid, "Ada", "unavailable")
    assert not place.puppets.has("ada")
    assert "Ada" not in place.puppets
