"""A server's stream, cut: the same parts however it comes, and each can stand alone."""

import itertools
from xml.etree import ElementTree
from xml.parsers import expat

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hubbub.bridges.xmpp.proxy.reader import DEPTH_LIMIT
from hubbub.bridges.xmpp.proxy.splitter import Element, Ended, Opened, Part, Splitter
from hubbub.bridges.xmpp.proxy.violation import Violation

HEADER = (
    "<?xml version='1.0'?>\n<stream:stream from='a.example' id='x>y' xml:lang='en' version='1.0'"
    " xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' xmlns:u='un>used'>"
)
CHILDREN = (
    "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>",
    "<message type='groupchat' id='1>2'>"
    "<body xml:lang='ja'>\u3053\u3093\u306b\u3061\u306f 👋 /> </body></message >",
    "<presence/>",
    "<u:odd u:a='1'/>",
    "<presence\n to='b'\t/>",
    "<a xmlns='other'><a/><a></a><message xmlns='jabber:client'><message/></message></a>",
    "<m:message xmlns:m='jabber:client'/>",
    "<iq></iq>",
)
STREAM = HEADER + "\n".join(CHILDREN) + "  </stream:stream>"


def split(stream: bytes, cuts: list[int], limit: int = 10_000) -> list[Part]:
    splitter = Splitter(limit)
    parts: list[Part] = []
    edges = [0, *sorted(cuts), len(stream)]
    for start, end in itertools.pairwise(edges):
        parts += splitter.feed(stream[start:end])
    assert splitter.is_between
    return parts


def test_the_parts_of_a_stream() -> None:
    opened, *elements, ended = split(STREAM.encode(), [])
    assert opened == Opened({"from": "a.example", "id": "x>y", "xml:lang": "en", "version": "1.0"})
    assert ended == Ended()
    whole = ElementTree.fromstring(STREAM)
    assert len(elements) == len(CHILDREN)
    for part, child, raw in zip(elements, whole, CHILDREN, strict=True):
        assert isinstance(part, Element)
        child.tail = None
        alone = ElementTree.fromstring(part.text)
        assert ElementTree.tostring(alone) == ElementTree.tostring(child)
        assert f"{{{part.namespace}}}{part.name}" == child.tag
        # Nothing but declarations was added.
        assert part.text.endswith(raw[len(raw.split()[0]) :])
    assert "xmlns:u" not in part.text


@given(st.lists(st.integers(0, len(STREAM.encode())), max_size=40))
def test_it_does_not_matter_how_it_comes(cuts: list[int]) -> None:
    assert split(STREAM.encode(), cuts) == split(STREAM.encode(), [])


def test_an_element_is_there_as_soon_as_it_is_whole() -> None:
    splitter = Splitter(10_000)
    assert [type(one) for one in splitter.feed(HEADER.encode())] == [Opened]
    for raw in CHILDREN:
        for byte in raw.encode()[:-1]:
            assert splitter.feed(bytes([byte])) == []
            assert not splitter.is_between
        assert len(splitter.feed(raw.encode()[-1:])) == 1
        assert splitter.is_between
        assert splitter.feed(b"\n") == []
        assert splitter.is_between


@pytest.mark.parametrize(
    ("rest", "condition"),
    [
        ("<message><!-- --></message>", "restricted-xml"),
        ("<?xml-stylesheet href='a'?>", "restricted-xml"),
        ("text", "bad-format"),
        ("<message></presence>", "not-well-formed"),
        ("<x:message/>", "not-well-formed"),
        ("<a>" * DEPTH_LIMIT, "policy-violation"),
        ("<message><body>" + "x" * 10_000, "policy-violation"),
        ("<message " + "a" * 10_000, "policy-violation"),
        ("</stream:stream><again/>", "not-well-formed"),
    ],
)
def test_what_is_no_stream(rest: str, condition: str) -> None:
    splitter = Splitter(9_000)
    splitter.feed(HEADER.encode())
    with pytest.raises(Violation) as refused:
        splitter.feed(rest.encode())
    assert refused.value.condition == condition


@pytest.mark.parametrize(
    ("stream", "condition"),
    [
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "restricted-xml"),
        ("HTTP/1.1 400 Bad Request\r\n", "not-well-formed"),
        ("<html>", "invalid-namespace"),
        ("<stream>", "invalid-namespace"),
        ("<" + "a" * 20_000, "policy-violation"),
        ("<a>\xff", "invalid-namespace"),
    ],
)
def test_what_is_no_header(stream: str, condition: str) -> None:
    with pytest.raises(Violation) as refused:
        Splitter(10_000).feed(stream.encode("latin-1"))
    assert refused.value.condition == condition


def test_what_is_no_utf_8() -> None:
    splitter = Splitter(10_000)
    splitter.feed(HEADER.encode())
    with pytest.raises(Violation):
        splitter.feed(b"<message><body>\xc0\x80</body></message>")


@given(st.binary(max_size=200), st.integers(0, len(STREAM.encode())))
@example(b"}", HEADER.index("jabber:client"))
def test_any_bytes_are_read_or_refused(bytes_: bytes, at: int) -> None:
    raw = STREAM.encode()
    splitter = Splitter(1_000)
    try:
        for piece in (raw[:at], bytes_, raw[at:]):
            for part in splitter.feed(piece):
                if isinstance(part, Element):
                    # `ElementTree` takes no namespace with a "}" in it, which one may have.
                    parser = expat.ParserCreate(namespace_separator="\x01")
                    parser.Parse(part.text, True)
    except Violation:
        pass
