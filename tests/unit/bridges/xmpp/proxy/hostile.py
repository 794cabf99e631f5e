"""What no stream may hold, each with the condition of the error that it ends with."""

NESTED = "<a>" * 200 + "</a>" * 200

BOMB = (
    "<!DOCTYPE lolz [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'>"
    "<!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]>"
    "<message xmlns='jabber:client'><body>&c;</body></message>"
)

FRAMES = {
    "a bomb": (BOMB, "restricted-xml"),
    "a file": (
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a xmlns='b'>&x;</a>",
        "restricted-xml",
    ),
    "a comment": ("<iq xmlns='jabber:client'><!-- no --></iq>", "restricted-xml"),
    "an instruction": ("<iq xmlns='jabber:client'><?php no ?></iq>", "restricted-xml"),
    "an entity": ("<iq xmlns='jabber:client'>&nbsp;</iq>", "not-well-formed"),
    "nothing": ("", "bad-format"),
    "a blank": (" ", "bad-format"),
    "a blank before": (" <iq xmlns='jabber:client'/>", "bad-format"),
    "text": ("hello", "bad-format"),
    "a byte order mark": ("\ufeff<iq xmlns='jabber:client'/>", "bad-format"),
    "two stanzas": (
        "<iq xmlns='jabber:client'/><iq xmlns='jabber:client'/>",
        "not-well-formed",
    ),
    "half a stanza": ("<message xmlns='jabber:client'><body>", "not-well-formed"),
    "an end too many": ("<iq xmlns='jabber:client'/></stream:stream>", "not-well-formed"),
    "text behind": ("<iq xmlns='jabber:client'/>more", "not-well-formed"),
    "a stream": (
        "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
        "not-well-formed",
    ),
    "a whole stream": (
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>",
        "unsupported-stanza-type",
    ),
    "an unbound prefix": ("<stream:error/>", "not-well-formed"),
    "no namespace": ("<message><body/></message>", "invalid-namespace"),
    "TLS": ("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "unsupported-stanza-type"),
    "compression": (
        "<compress xmlns='http://jabber.org/protocol/compress'><method>zlib</method></compress>",
        "unsupported-stanza-type",
    ),
    "no stanza": ("<letter xmlns='jabber:client'/>", "unsupported-stanza-type"),
    "no frame": (
        "<reopen xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
        "unsupported-stanza-type",
    ),
    "a depth": (f"<iq xmlns='jabber:client'>{NESTED}</iq>", "policy-violation"),
    "two of a kind": ("<iq xmlns='jabber:client' a='1' a='2'/>", "not-well-formed"),
    "a NUL": ("<iq xmlns='jabber:client'>\0</iq>", "not-well-formed"),
    "a control": ("<iq xmlns='jabber:client'>&#1;</iq>", "not-well-formed"),
}
