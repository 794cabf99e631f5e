"""In which order is done what people of a remote say."""

from collections.abc import Callable, Collection

from hubbub.bridges.link import remote as net
from hubbub.bridges.link.turns import Heard, Turn, Turns
from hubbub.bridges.link.visitor import Visitor

ADA, BOB, EVE = (net.Person(name.lower(), name) for name in ("Ada", "Bob", "Eve"))


class Told:
    """Turns to which people say things; ids of messages are their texts."""

    def __init__(self) -> None:
        self.turns = Turns()
        self._visitors = {person.id: Visitor(person) for person in (ADA, BOB, EVE)}

    def hear(self, *events: Heard) -> None:
        for one in events:
            person = one.person
            self.turns.put(self._visitors[person.id] if person is not None else None, one)

    def next(self, slow: Collection[net.Person] = (), now_s: float = 0) -> "Turn | float | None":
        def wait_s(turn: Turn) -> float:
            return 2.0 if turn.visitor is not None and turn.visitor.person in slow else 0.0

        return self.turns.next(now_s, wait_s)

    def all(self, slow: Collection[net.Person] = ()) -> list[Heard]:
        """Whatever can be done, in its order: without those who are too quick, or later."""
        found: list[Heard] = []
        while isinstance(turn := self.next(slow, now_s=0 if slow else 2), Turn):
            found.append(turn.event)
            self.turns.done(turn)
        return found


def said(person: net.Person, text: str, *, reply_to: str = "", is_past: bool = False) -> net.Said:
    return net.Said("#a", person, text, text, reply_to=reply_to, is_past=is_past)


def test_all_in_the_order_in_which_it_came() -> None:
    told = Told()
    events = [said(EVE, "1"), said(BOB, "2"), net.TopicSet("#a", None, "3"), said(EVE, "4")]
    told.hear(*events)
    assert len(told.turns) == 4
    assert told.all() == events
    assert len(told.turns) == 0
    assert told.next() is None


def test_nobody_waits_for_who_is_too_quick() -> None:
    told = Told()
    flood = [said(EVE, str(number)) for number in range(10)]
    told.hear(*flood, said(BOB, "hello"), said(ADA, "hi"))
    assert told.all(slow=[EVE]) == [said(BOB, "hello"), said(ADA, "hi")]
    # She has her turn when her time has come, again before who came later.
    assert told.next(slow=[EVE], now_s=0.5) == 1.5
    told.hear(said(BOB, "so?"))
    first = told.next(now_s=2.0)
    assert isinstance(first, Turn)
    assert first.event == flood[0]
    told.turns.done(first)
    assert told.all() == [*flood[1:], said(BOB, "so?")]


def test_what_one_says_keeps_its_order_while_something_is_underway() -> None:
    told = Told()
    told.hear(said(EVE, "1"), said(EVE, "2"))
    first = told.next()
    assert isinstance(first, Turn)
    assert told.next() is None
    told.turns.done(first)
    assert told.all() == [said(EVE, "2")]


def test_what_is_about_a_message_comes_after_it() -> None:
    about: list[Callable[[str], Heard]] = [
        lambda id_: said(BOB, "I disagree", reply_to=id_),
        lambda id_: net.Edited("#a", BOB, id_, "better"),
        lambda id_: net.Retracted("#a", BOB, id_, is_vouched=True),
        lambda id_: net.Retracted("#a", None, id_, is_vouched=True),
        lambda id_: net.Reacted("#a", BOB, id_, "👍"),
        lambda id_: net.ReactedWith("#a", BOB, id_, ("👍",)),
    ]
    for one in about:
        told = Told()
        told.hear(said(EVE, "1"), said(EVE, "2"), one("2"), one("0"))
        if one("2").person is BOB:
            # What he does next keeps his own order.
            told.hear(said(BOB, "and"))
        assert told.all(slow=[EVE]) == []
        assert told.all()[:3] == [said(EVE, "1"), said(EVE, "2"), one("2")]
        told.hear(said(EVE, "3"), one("1"))
        assert told.all(slow=[EVE]) == [one("1")]


def test_what_is_told_twice_has_its_second_turn_after_the_first() -> None:
    told = Told()
    told.hear(said(EVE, "1"), net.Said("#a", BOB, "1", "1"))
    assert told.all(slow=[EVE]) == []


def test_the_past_comes_before_the_present_and_in_its_own_order() -> None:
    told = Told()
    past = [said(EVE, "1", is_past=True), said(BOB, "2", is_past=True)]
    told.hear(*past, said(BOB, "3"), said(ADA, "4"))
    assert told.all(slow=[EVE]) == []
    assert told.all() == [*past, said(BOB, "3"), said(ADA, "4")]


def test_the_last_topic_is_the_one_that_holds() -> None:
    told = Told()
    topics = [net.TopicSet("#a", person, f"{person}") for person in (EVE, BOB, None)]
    told.hear(said(EVE, "1"), *topics, said(ADA, "hi"))
    assert told.all(slow=[EVE]) == [said(ADA, "hi")]
    told.hear(net.TopicSet("#a", ADA, "tea"), said(BOB, "so?"))
    assert told.all() == [said(EVE, "1"), *topics, net.TopicSet("#a", ADA, "tea"), said(BOB, "so?")]
