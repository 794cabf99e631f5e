"""Where clients find the WebSocket of a domain (XEP-0156): host-meta as XRD and as JRD (pure)."""

from xml.sax.saxutils import quoteattr

import msgspec

RELATION = "urn:xmpp:alt-connections:websocket"


def as_xml(url: str) -> str:
    """The answer of `/.well-known/host-meta`."""
    return (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        "<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'>\n"
        f"  <Link rel='{RELATION}' href={quoteattr(url)}/>\n"
        "</XRD>\n"
    )


def as_json(url: str) -> bytes:
    """The answer of `/.well-known/host-meta.json`."""
    return msgspec.json.encode({"links": [{"rel": RELATION, "href": url}]})
