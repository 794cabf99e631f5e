"""What a browser is offered: all of it but what it cannot use through a proxy."""

from hubbub.bridges.xmpp.proxy.features import for_browser, offers_starttls

TLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
SASL = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{}</mechanisms>"
PLUS = "<mechanism>SCRAM-SHA-1-PLUS</mechanism>"
PLAIN = "<mechanism>SCRAM-SHA-1</mechanism><mechanism>PLAIN</mechanism>"


def features(inside: str) -> str:
    return (
        "<stream:features xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        f"{inside}</stream:features>"
    )


def test_what_needs_the_servers_own_tls_is_left_out() -> None:
    binding = (
        "<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>"
        "<channel-binding type='tls-exporter'/></sasl-channel-binding>"
    )
    zlib = (
        "<compression xmlns='http://jabber.org/features/compress'>"
        "<method>zlib</method></compression>"
    )
    bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
    offered = features(TLS + SASL.format(PLUS + PLAIN + PLUS) + binding + zlib + bind)
    assert for_browser(offered) == features(SASL.format(PLAIN) + bind)


def test_what_looks_alike_stays() -> None:
    alike = "<starttls xmlns='urn:other'/><x xmlns='urn:other'>SCRAM-PLUS</x>"
    assert for_browser(features(alike)) == features(alike)


def test_something_inside_of_what_is_left_out() -> None:
    nested = f"<compression xmlns='http://jabber.org/features/compress'>{TLS}</compression>"
    assert for_browser(features(nested + "<a/>")) == features("<a/>")


def test_a_server_that_starts_tls() -> None:
    assert offers_starttls(features(TLS))
    assert not offers_starttls(features("<starttls xmlns='urn:other'/>"))
