"""What is underway to a network, and what acknowledges it."""

from hubbub.bridges.irc.client.delivering import LATE_S, Delivering, asked
from hubbub.bridges.irc.client.sending import Bucket, Out, Sending
from hubbub.bridges.irc.line import Line
from hubbub.bridges.link import remote as net

ONE, TWO, THREE = (Line("PRIVMSG", ("#a", text)) for text in ("one", "two", "three"))


def test_with_echo_the_last_line_shown_acknowledges() -> None:
    underway = Delivering()
    outs = underway.put(1, "#a", [ONE, TWO], has_echo=True)
    assert outs == [Out(ONE, 1, True), Out(TWO, 1)]
    assert underway.echoed("#b", "x") is None
    assert underway.echoed("#a", "id1") is None
    assert underway.echoed("#a", "id2") == net.Acknowledged(1, "id1")
    assert underway.echoed("#a", "id3") is None


def test_what_was_shown_is_not_said_again() -> None:
    underway = Delivering()
    underway.put(1, "#a", [ONE, TWO, THREE], has_echo=True)
    underway.echoed("#a", "id1")
    underway.clear()
    outs = underway.put(1, "#a", [ONE, TWO, THREE], has_echo=True)
    assert [out.line for out in outs] == [TWO, THREE]
    underway.echoed("#a", "id2")
    assert underway.echoed("#a", "id3") == net.Acknowledged(1, "id1")


def test_without_echo_a_pong_acknowledges() -> None:
    underway = Delivering()
    outs = underway.put(7, "#a", [ONE], has_echo=False)
    assert [out.line for out in outs] == [ONE, asked(7)]
    assert underway.ponged("hubbub-alive") is None
    assert underway.ponged("hubbub-8") is None
    assert underway.ponged("hubbub-7") == net.Acknowledged(7)
    assert underway.ponged("hubbub-7") is None


def test_a_topic_is_never_shown_as_a_message_is() -> None:
    underway = Delivering()
    topic = Line("TOPIC", ("#a", "x"))
    outs = underway.put(7, "#a", [topic], has_echo=True)
    assert [out.line for out in outs] == [topic, asked(7)]
    assert underway.ponged("hubbub-7") == net.Acknowledged(7)


def test_what_is_not_shown_is_asked_after_once() -> None:
    underway = Delivering()
    underway.put(1, "#a", [ONE], has_echo=True)
    # What waits for its turn is not late.
    assert underway.late(1_000_000) == []
    underway.wrote(1, 0)
    assert underway.late(LATE_S) == []
    assert underway.late(LATE_S + 1) == [asked(1)]
    assert underway.late(LATE_S + 2) == []
    assert isinstance(underway.ponged("hubbub-1"), net.Rejected)


def test_a_refusal_is_one() -> None:
    underway = Delivering()
    underway.put(1, "#a", [ONE], has_echo=False)
    assert underway.refused("#b", "no") is None
    assert underway.refused("#a", "no") == net.Rejected(1, "no")
    assert underway.ponged("hubbub-1") is None


def test_channels_take_turns_at_the_pace_that_is_allowed() -> None:
    sending = Sending(Bucket(3, 0.5))
    for number in range(3):
        sending.put("#a", Out(ONE, number))
    sending.put("#b", Out(TWO, 9))
    now = [sending.next(100.0) for _ in range(3)]
    assert [out.number for out in now if isinstance(out, Out)] == [0, 9, 1]
    assert sending.next(100.0) == 2.0
    assert sending.next(101.0) == 1.0
    assert sending.next(102.0) == Out(ONE, 2)
    assert sending.next(103.0) is None
    sending.put("#a", Out(ONE))
    sending.drop("#a")
    assert sending.next(200.0) is None
