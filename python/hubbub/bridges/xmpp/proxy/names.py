"""Namespaces of XMPP's streams, and the parts of them that the proxy writes itself (pure)."""

from xml.sax.saxutils import escape, quoteattr

CLIENT = "jabber:client"
STREAM = "http://etherx.jabber.org/streams"
FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
XML = "http://www.w3.org/XML/1998/namespace"

STARTTLS = f"<starttls xmlns='{TLS}'/>"
CLOSE = f"<close xmlns='{FRAMING}'/>"
END = "</stream:stream>"

_HEADER = ("from", "to", "id", "version", "xml:lang")
"""What a stream's header may say (RFC 6120 §4.7); the proxy passes on nothing else."""


def header(attributes: dict[str, str]) -> str:
    """A stream's header, for a server."""
    said = _said(attributes)
    return f"<?xml version='1.0'?><stream:stream xmlns='{CLIENT}' xmlns:stream='{STREAM}'{said}>"


def opening(attributes: dict[str, str]) -> str:
    """The same for a browser: `<open/>` (RFC 7395 §3.4)."""
    return f"<open xmlns='{FRAMING}'{_said(attributes)}/>"


def error(condition: str, text: str = "") -> str:
    """A stream error, for a browser.

    Args:
        condition: One of RFC 6120 §4.9.3.
        text: More about it, in English.
    """
    words = f"<text xmlns='{STREAM_ERRORS}' xml:lang='en'>{escape(text)}</text>" if text else ""
    return (
        f"<stream:error xmlns:stream='{STREAM}'>"
        f"<{condition} xmlns='{STREAM_ERRORS}'/>{words}</stream:error>"
    )


def _said(attributes: dict[str, str]) -> str:
    return "".join(
        f" {name}={quoteattr(attributes[name])}" for name in _HEADER if name in attributes
    )
