"""A bound for what slixmpp keeps of a stanza that has not ended yet: it has none of its own."""

from typing import Any
from xml.etree.ElementTree import Element

STANZA_LIMIT_BYTES = 1_048_576
"""More than servers accept from each other, unless they are told to."""


def bound_stanzas(xmpp: Any) -> None:
    """Has a stream end, with its reason, when so much comes without the end of a stanza.

    Args:
        xmpp: slixmpp's stream, before it is connected.
    """
    feed, take = xmpp.data_received, xmpp._spawn_event
    underway = 0

    def take_whole(stanza: Element) -> None:
        nonlocal underway
        underway = 0
        take(stanza)

    def feed_within(data: bytes) -> None:
        nonlocal underway
        underway += len(data)
        feed(data)
        if underway > STANZA_LIMIT_BYTES:
            xmpp.disconnect_reason = f"a stanza longer than {STANZA_LIMIT_BYTES} bytes"
            xmpp.abort()

    xmpp.data_received, xmpp._spawn_event = feed_within, take_whole
