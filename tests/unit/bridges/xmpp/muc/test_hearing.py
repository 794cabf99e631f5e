"""What messages of a room come to, whichever extension they are spelled in."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.bridges.link.remote import (
    Acknowledged,
    Edited,
    Person,
    ReactedWith,
    Rejected,
    Retracted,
    Said,
    Told,
    TopicSet,
)
from hubbub.bridges.xmpp.muc.hearing import hear
from hubbub.bridges.xmpp.muc.marks import Marks
from hubbub.bridges.xmpp.muc.memory import Memory
from hubbub.bridges.xmpp.muc.stanzas import read_message

ROOM = "tea@rooms.test"
ADA = Person("p", "ada")
MARKS = Marks("secret")


class Ear:
    def __init__(self) -> None:
        self.memory = Memory()

    def hears(
        self, inside: str, id_: str = "m", *, person: Person = ADA, **more: str
    ) -> list[Told]:
        attributes = "".join(f" {key}='{value}'" for key, value in more.items())
        element = ElementTree.fromstring(
            f"<message xmlns='jabber:client' from='{ROOM}/{person.name}' type='groupchat'"
            f" id='{id_}' xml:lang='en'{attributes}>{inside}</message>"
        )
        return hear(read_message(element), ROOM, person, MARKS, self.memory, 1)


def named(stanza_id: str) -> str:
    return f"<stanza-id xmlns='urn:xmpp:sid:0' by='{ROOM}' id='{stanza_id}'/>"


def test_names_of_messages() -> None:
    ear = Ear()
    spoofed = "<stanza-id xmlns='urn:xmpp:sid:0' by='evil.test' id='x'/>"
    assert ear.hears(f"<body>hi</body>{spoofed}{named('s1')}") == [
        Said(ROOM, ADA, "hi", "s1", lang="en")
    ]
    # The same one again, as the archive has it.
    assert ear.hears(f"<body>hi</body>{named('s1')}") == []
    replace = "<replace xmlns='urn:xmpp:message-correct:0' id='m'/>"
    assert ear.hears(f"<body>ho</body>{replace}{named('s2')}", "m2") == [
        Edited(ROOM, ADA, "s1", "ho", "s2", "en")
    ]
    react = "<reactions xmlns='urn:xmpp:reactions:0' id='s1'><reaction>👍</reaction></reactions>"
    assert ear.hears(react, "m3") == [ReactedWith(ROOM, ADA, "s1", ("👍",))]


@pytest.mark.parametrize(
    "retract",
    [
        "<retract xmlns='urn:xmpp:message-retract:1' id='s1'/>",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='s1'>"
        "<retract xmlns='urn:xmpp:message-retract:0'/></apply-to>",
    ],
)
def test_retractions_old_and_new(retract: str) -> None:
    fallback = "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:message-retract:1'/>"
    ear, stanza = Ear(), f"<body>gone</body>{retract}{fallback}"
    assert ear.hears(stanza) == [Retracted(ROOM, ADA, "s1")], "whose it is, nobody knows"
    ear.hears("<body>hi</body>" + named("s1"), "m1")
    assert ear.hears(stanza, "m2") == [Retracted(ROOM, ADA, "s1", is_vouched=True)]
    eve = Person("e", "eve")
    assert ear.hears(stanza, "m3", person=eve) == [Retracted(ROOM, eve, "s1")]


@pytest.mark.parametrize(
    "moderated",
    [
        "<retract xmlns='urn:xmpp:message-retract:1' id='s1'>"
        f"<moderated xmlns='urn:xmpp:message-moderate:1' by='{ROOM}/mod'/></retract>",
        "<apply-to xmlns='urn:xmpp:fasten:0' id='s1'>"
        f"<moderated xmlns='urn:xmpp:message-moderate:0' by='{ROOM}/mod'>"
        "<retract xmlns='urn:xmpp:message-retract:0'/></moderated></apply-to>",
    ],
)
def test_what_moderators_have_taken_away(moderated: str) -> None:
    room = Person("", "")
    assert Ear().hears(moderated, person=room) == [Retracted(ROOM, None, "s1", is_vouched=True)]
    assert Ear().hears(moderated) == [], "only the room says what its moderators have done"
    plain = "<retract xmlns='urn:xmpp:message-retract:1' id='s1'/>"
    assert Ear().hears(plain, person=room) == []


def test_an_answer_without_what_it_repeats() -> None:
    inside = (
        "<body>&gt; bob: tea?\nyes 👋</body><reply xmlns='urn:xmpp:reply:0' id='s9'/>"
        "<fallback xmlns='urn:xmpp:fallback:0' for='urn:xmpp:reply:0'><body start='0' end='12'/>"
        "</fallback>"
    )
    assert Ear().hears(inside) == [Said(ROOM, ADA, "yes 👋", "m", reply_to="s9", lang="en")]


def test_one_of_several_bodies_is_the_original() -> None:
    bodies = "<body xml:lang='fr'>oui</body><body xml:lang='ja'>はい</body>"
    marked = (
        "<x xmlns='urn:xmpp:langtrans'>"
        "<translation source_lang='ja' destination_lang='fr' engine=''/></x>"
    )
    assert Ear().hears(bodies + marked) == [Said(ROOM, ADA, "はい", "m", lang="ja")]
    assert Ear().hears(bodies) == [Said(ROOM, ADA, "oui", "m", lang="fr")]
    assert Ear().hears(bodies + "<body>yes</body>") == [Said(ROOM, ADA, "yes", "m", lang="en")]


def test_topics() -> None:
    assert Ear().hears("<subject>tea</subject>") == [TopicSet(ROOM, ADA, "tea")]
    assert Ear().hears("<subject>a</subject><body>b</body>")[0] == Said(
        ROOM, ADA, "b", "m", lang="en"
    )
    room = Person("", "")
    assert Ear().hears("<subject/>", person=room) == [TopicSet(ROOM, None, "")]
    assert Ear().hears("<body>This room is logged</body>", person=room) == []


def test_our_own() -> None:
    id_ = MARKS.id_of(7)
    assert Ear().hears("<body>hi</body>" + named("s7"), id_) == [Acknowledged(7, "s7")]
    stanzas = "urn:ietf:params:xml:ns:xmpp-stanzas"
    error = f"<error type='cancel'><policy-violation xmlns='{stanzas}'/></error>"
    element = ElementTree.fromstring(
        f"<message xmlns='jabber:client' from='{ROOM}' type='error' id='{id_}'>{error}</message>"
    )
    told = hear(read_message(element), ROOM, Person("", ""), MARKS, Memory(), 1)
    assert told == [Rejected(7, "policy-violation")]
    other = Marks("another").id_of(7)
    (said,) = Ear().hears("<body>hi</body>", other)
    assert isinstance(said, Said)
    assert said.origin == Marks("another").mark


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_any_text_is_heard_or_blank(text: str) -> None:
    escaped = (
        text.replace("&", "&amp;").replace("<", "&lt;").replace("\ufffe", "").replace("\uffff", "")
    )
    for event in Ear().hears(f"<body>{escaped}</body>"):
        assert isinstance(event, Said)
        assert event.text.strip()
