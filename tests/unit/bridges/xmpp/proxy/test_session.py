"""A stream from its beginning to its end, and how each side may end it."""

import pytest
from tests.unit.bridges.xmpp.proxy.hostile import FRAMES

from hubbub.bridges.xmpp.proxy.session import Do, Session, State, domain_of

OPEN = "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{}' version='1.0' xml:lang='fr'/>"
CLOSE = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>"
HEADER = (
    "<?xml version='1.0'?><stream:stream xmlns='jabber:client'"
    " xmlns:stream='http://etherx.jabber.org/streams'{}>"
)
ANSWER = HEADER.format(" from='a.example' id='1' version='1.0' xml:lang='fr'").encode()
OPENED = (
    "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'"
    ' from="a.example" id="1" version="1.0" xml:lang="fr"/>'
)
SUCCESS = "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"
IQ = "<iq xmlns='jabber:client' id='1' type='get'/>"


def opened() -> Session:
    session = Session("a.example", 10_000)
    header = HEADER.format(' to="a.example" version="1.0" xml:lang="fr"').encode()
    assert session.from_browser(OPEN.format("A.Example.")) == Do(server=header)
    assert session.from_server(ANSWER) == Do([OPENED])
    return session


def test_a_stream_and_the_one_after_the_login() -> None:
    session = opened()
    features = (
        b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
    )
    assert session.from_server(features).browser == [
        '<stream:features xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">'
        "</stream:features>"
    ]
    assert session.from_browser(IQ) == Do(server=IQ.encode())
    assert session.from_server(SUCCESS.encode()) == Do([SUCCESS])
    assert session.state is State.PROVEN
    assert session.from_browser(OPEN.format("a.example")).server.startswith(b"<?xml")
    assert session.from_server(ANSWER) == Do([OPENED])
    assert session.from_server(b"<iq/> <presence/>").browser == [
        '<iq xmlns="jabber:client"/>',
        '<presence xmlns="jabber:client"/>',
    ]


def test_the_browser_closes() -> None:
    session = opened()
    assert session.from_browser(CLOSE) == Do(server=b"</stream:stream>")
    assert session.from_browser(IQ) == Do()
    late = session.from_server(b"<presence/></stream:stream>")
    assert late == Do(['<presence xmlns="jabber:client"/>', CLOSE], ends=True)
    assert session.from_server(b"<presence/>") == Do()


def test_the_server_closes() -> None:
    session = opened()
    said = b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    did = session.from_server(said + b"</stream:stream>")
    assert (did.browser[1], did.server, did.ends) == (CLOSE, b"</stream:stream>", True)
    assert "<conflict " in did.browser[0]


def test_who_has_opened_nothing() -> None:
    session = Session("a.example", 10_000)
    assert session.from_browser(CLOSE) == Do([CLOSE], ends=True)
    session = Session("a.example", 10_000)
    did = session.from_browser(IQ)
    assert [one.split()[0] for one in did.browser] == ["<open", "<stream:error", "<close"]
    assert (did.server, did.ends) == (b"", True)


def test_a_stream_is_opened_once() -> None:
    did = opened().from_browser(OPEN.format("a.example"))
    assert "<policy-violation " in did.browser[0]
    assert did.ends


def test_a_domain_is_kept_to() -> None:
    session = opened()
    session.from_server(SUCCESS.encode())
    did = session.from_browser(OPEN.format("b.example"))
    assert "<host-unknown " in did.browser[0]
    assert did.ends


def test_nothing_is_said_before_the_new_stream() -> None:
    session = opened()
    session.from_server(SUCCESS.encode())
    assert session.from_browser(IQ).ends


@pytest.mark.parametrize(("message", "condition"), FRAMES.values(), ids=FRAMES)
def test_what_may_not_be_said(message: str, condition: str) -> None:
    session = opened()
    did = session.from_browser(message)
    assert did.ends
    assert did.server == b"</stream:stream>"
    assert [f"<{condition} " in did.browser[0], did.browser[1]] == [True, CLOSE]
    assert session.from_browser(IQ) == Do()
    assert session.from_server(b"<presence/>") == Do()


def test_a_server_that_speaks_no_xmpp() -> None:
    session = opened()
    did = session.from_server(b"<presence/><!-- -->")
    assert "<undefined-condition " in did.browser[0]
    assert (did.browser[1], did.server, did.ends) == (CLOSE, b"</stream:stream>", True)


def test_domains_are_compared_in_one_spelling() -> None:
    assert domain_of(" Jabber.Example. ") == "jabber.example"
