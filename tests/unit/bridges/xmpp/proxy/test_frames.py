"""A browser's messages: each one element, passed on as it was spelled, or refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.bridges.xmpp.proxy.hostile import BOMB, FRAMES

from hubbub.bridges.xmpp.proxy.frames import parse
from hubbub.bridges.xmpp.proxy.violation import Violation

MESSAGE = (
    "<message xmlns='jabber:client' xml:lang=\"fr\" id='a>b'>"
    "<body>caf\u00e9 &lt;3 <![CDATA[<&]]></body><x:y xmlns:x='z'/></message>"
)


@pytest.mark.parametrize(("message", "condition"), FRAMES.values(), ids=FRAMES)
def test_what_may_not_be_said(message: str, condition: str) -> None:
    with pytest.raises(Violation) as refused:
        parse(message)
    assert refused.value.condition == condition


def test_a_stanza_is_passed_on_as_it_was_spelled() -> None:
    frame = parse(MESSAGE)
    assert (frame.kind, frame.text) == ("element", MESSAGE)
    assert frame.attributes == {"xml:lang": "fr", "id": "a>b"}


def test_what_stands_around_an_element_is_not_passed_on() -> None:
    assert parse(f"<?xml version='1.0'?>\n{MESSAGE}\n ").text == MESSAGE


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "us-ascii"])
def test_nobody_says_in_which_encoding_it_is(encoding: str) -> None:
    assert parse(f"<?xml version='1.0' encoding='{encoding}'?>{MESSAGE}").text == MESSAGE


def test_the_frames_of_the_stream() -> None:
    framing = "urn:ietf:params:xml:ns:xmpp-framing"
    opened = parse(f"<open xmlns='{framing}' to='a.example' version='1.0' xml:lang='de'/>")
    assert opened.kind == "open"
    assert opened.attributes == {"to": "a.example", "version": "1.0", "xml:lang": "de"}
    assert parse(f"<f:close xmlns:f='{framing}'></f:close >").kind == "close"


def test_a_login_and_an_error_of_the_stream() -> None:
    for said in (
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGEA</auth>",
        "<enable xmlns='urn:xmpp:sm:3' resume='true'/>",
        "<s:error xmlns:s='http://etherx.jabber.org/streams'/>",
    ):
        assert parse(said).text == said


@given(st.text() | st.text(alphabet="<>/='\"! -?ab:&;[]x"))
def test_any_text_is_read_or_refused(text: str) -> None:
    for message in (text, "<" + text):
        try:
            frame = parse(message)
        except Violation:
            continue
        assert frame.text.startswith("<")
        assert frame.text in message


@given(st.sampled_from([MESSAGE, BOMB]), st.data())
def test_any_stanza_with_something_changed(whole: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole)))
    until = data.draw(st.integers(at, min(len(whole), at + 5)))
    message = whole[:at] + data.draw(st.text(max_size=5)) + whole[until:]
    try:
        text = parse(message).text
    except Violation:
        return
    # Whatever was read says the same when it is read again, alone.
    assert parse(text).text == text
