"""What a server offers, without what only the two ends of one TLS connection could use (pure).

The browser's TLS ends at the proxy: it cannot start TLS with the server, nor bind a login to a
channel that it has no end of, and its WebSocket compresses already.
"""

from hubbub.bridges.xmpp.proxy.names import TLS
from hubbub.bridges.xmpp.proxy.reader import Reader, Tag

_DROPPED = frozenset(
    {
        (TLS, "starttls"),
        ("http://jabber.org/features/compress", "compression"),
        ("urn:xmpp:sasl-cb:0", "sasl-channel-binding"),
    }
)


def offers_starttls(features: str) -> bool:
    """Whether TLS may be started."""
    return any(tag.is_a(TLS, "starttls") for tag in _Offers(features).seen)


def for_browser(features: str) -> str:
    """The features that a browser may use, spelled as they were."""
    raw = features.encode()
    kept = bytearray()
    at = 0
    for start, end in _Offers(features).dropped:
        kept += raw[at:start]
        at = end
    return (kept + raw[at:]).decode()


class _Offers:
    """Reads features, and notes where that stands which is to be dropped."""

    def __init__(self, features: str) -> None:
        self.seen: list[Tag] = []
        self.dropped: list[tuple[int, int]] = []
        self._open: list[tuple[Tag, list[str]]] = []
        reader = Reader(self._started, self._ended, self._said)
        reader.read(features.encode(), is_last=True)

    def _started(self, tag: Tag, depth: int) -> None:
        self.seen.append(tag)
        self._open.append((tag, []))

    def _said(self, text: str, depth: int) -> None:
        self._open[-1][1].append(text)

    def _ended(self, depth: int, end: int) -> None:
        tag, words = self._open.pop()
        is_bound = tag.name == "mechanism" and "".join(words).strip().endswith("-PLUS")
        if is_bound or (tag.namespace, tag.name) in _DROPPED:
            # What stood inside goes with it.
            self.dropped = [one for one in self.dropped if one[0] < tag.start]
            self.dropped.append((tag.start, end))
