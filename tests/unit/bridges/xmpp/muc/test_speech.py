"""What is sent to a room for what was said, edited and taken back in the chat."""

from xml.etree.ElementTree import Element

from hubbub.bridges.link.remote import Author, Delivery, Edit, Quoted, Retract, What
from hubbub.bridges.xmpp.muc.compose import Composer
from hubbub.bridges.xmpp.muc.marks import Marks
from hubbub.bridges.xmpp.muc.memory import Known
from hubbub.bridges.xmpp.muc.room import Room
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.muc.speech import Speech
from hubbub.bridges.xmpp.muc.stanzas import Message, read_message

CHANNEL = "tea@rooms.test"
MARKS = Marks("secret")


class Mouth:
    """Speaks in a room that calls everything by its sender's id behind an "s"."""

    def __init__(self) -> None:
        settings = XmppBridge(jid="hub@test", password="x", rooms={"lobby": CHANNEL})
        self.room = Room(CHANNEL, settings, MARKS, (), lambda _: None, lambda *_: False)

    def remembers(self, name: str, visit: int = 0, *, is_edit: bool = False) -> None:
        self.room.memory.add(Known(name, f"s{name}", "hubbub", visit, "p", is_edit))

    def says(self, what: What) -> list[Message]:
        speech = Speech(Composer("jabber:client"), self.room, MARKS)
        delivery = Delivery(7, CHANNEL, Author("u", "Ada"), what, "m")
        stanzas = speech.stanzas(delivery, "", is_relayed=False)
        assert not isinstance(stanzas, str)
        return [read_message(_received(one)) for one in stanzas]


def _received(stanza: Element) -> Element:
    stanza.set("from", f"{CHANNEL}/hubbub")
    return stanza


def test_an_edit_is_of_what_was_said_first_in_this_visit() -> None:
    mouth = Mouth()
    mouth.remembers("1")
    mouth.remembers("2", is_edit=True)
    before = Quoted("s1", edits=("s2",))
    (edit,) = mouth.says(Edit("better", before))
    assert (edit.replaces, edit.body()[0]) == ("1", "better")
    mouth.room.visit = 1
    (anew,) = mouth.says(Edit("better", before))
    assert (anew.replaces, anew.body()[0]) == ("", "* better")
    mouth.remembers("3", 1)
    mouth.remembers("4", 1, is_edit=True)
    (edit,) = mouth.says(Edit("best", Quoted("s1", edits=("s2", "s3", "s4"))))
    assert (edit.replaces, edit.body()[0]) == ("3", "best")


def test_what_was_said_anew_is_taken_back_with_the_rest() -> None:
    mouth = Mouth()
    mouth.remembers("1")
    mouth.remembers("2", is_edit=True)
    mouth.remembers("3", 1)
    # What nobody remembers may have been said anew.
    taken = mouth.says(Retract(Quoted("s1", edits=("s2", "s3", "s4"))))
    assert [one.retracts for one in taken] == ["s1", "s3", "s4"]
    assert len({one.id for one in taken}) == 3
    assert {MARKS.number_of(one.id) for one in taken} == {7}
    many = Quoted("s1", edits=tuple(f"x{number}" for number in range(30)))
    assert {MARKS.number_of(one.id) for one in mouth.says(Retract(many))} == {7}
