"""Who is in a room, told from presences as services send them."""

from xml.etree import ElementTree

from hubbub.bridges.link.remote import Came, Person, Renamed, Went
from hubbub.bridges.xmpp.muc.occupants import Occupants, Out
from hubbub.bridges.xmpp.muc.stanzas import Presence, read_presence

ROOM = "tea@rooms.test"


def presence(nick: str, *codes: int, kind: str = "", item: str = "", more: str = "") -> Presence:
    statuses = "".join(f"<status code='{code}'/>" for code in codes)
    return read_presence(
        ElementTree.fromstring(
            f"<presence xmlns='jabber:client' from='{ROOM}/{nick}' type='{kind}'>"
            f"<x xmlns='http://jabber.org/protocol/muc#user'><item {item}>{more}</item>{statuses}"
            "</x></presence>"
        )
    )


def person(nick: str, id_: str = "") -> Person:
    return Person(id_ or f"{ROOM} nick {nick}", nick, "rooms.test")


def test_coming_and_going() -> None:
    here = Occupants(ROOM, "hubbub", frozenset())
    assert here.hear(presence("ada")) == [Came(ROOM, person("ada"))]
    assert here.hear(presence("hubbub", 110)) == []
    assert here.hear(presence("ada")) == []
    assert here.people() == (person("ada"),)
    assert here.hear(presence("ada", kind="unavailable")) == [Went(ROOM, person("ada").id)]
    assert here.hear(presence("ada", kind="unavailable")) == []


def test_another_nick_is_no_arrival() -> None:
    here = Occupants(ROOM, "hubbub", frozenset())
    here.hear(presence("ada"))
    gone = presence("ada", 303, kind="unavailable", item="nick='bea'")
    assert here.hear(gone) == [Renamed(person("ada").id, person("bea"))]
    assert here.hear(presence("bea")) == []
    assert here.hear(presence("hubbub", 110)) == []
    assert here.hear(presence("hubbub", 303, 110, kind="unavailable", item="nick='hub'")) == []
    assert here.nick == "hub"


def test_who_is_known_by_address_is_one_person() -> None:
    here = Occupants(ROOM, "hubbub", frozenset())
    known = Person("ada@a.test", "ada", "a.test", "ada@a.test")
    assert here.hear(presence("ada", item="jid='ada@a.test/phone'")) == [Came(ROOM, known)]
    assert here.hear(presence("ada2", item="jid='ada@a.test/desk'")) == []
    assert here.hear(presence("ada", kind="unavailable")) == []
    assert here.hear(presence("ada2", kind="unavailable")) == [Went(ROOM, "ada@a.test")]


def test_being_thrown_out() -> None:
    here = Occupants(ROOM, "hubbub", frozenset())
    here.hear(presence("ada"))
    here.hear(presence("hubbub", 110))
    by = "<actor nick='op'/><reason>spam</reason>"
    assert here.hear(presence("ada", 307, kind="unavailable", more=by)) == [
        Went(ROOM, person("ada").id, "kick", "op", "spam")
    ]
    assert here.hear(presence("hubbub", 110, 301, kind="unavailable", more=by)) == [
        Out("banned by op: spam", is_banned=True)
    ]
    assert here.hear(presence("hubbub", 110, 332, kind="unavailable")) == [Out("kicked")]


def test_puppets_are_nobody_else() -> None:
    ours = {"Ada"}
    here = Occupants(ROOM, "hubbub", ours)
    assert here.hear(presence("Ada")) == []
    ours.clear()
    assert here.people() == ()
    assert here.hear(presence("Ada", kind="unavailable")) == []
    assert here.hear(presence("Ada")) == [Came(ROOM, person("Ada"))]
