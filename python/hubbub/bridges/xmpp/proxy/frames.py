"""A browser's WebSocket messages: each one element, of a kind that may be said here (pure)."""

from dataclasses import dataclass
from typing import Literal

from hubbub.bridges.xmpp.proxy.names import CLIENT, FRAMING, STREAM, TLS
from hubbub.bridges.xmpp.proxy.reader import Reader, Tag
from hubbub.bridges.xmpp.proxy.violation import Violation

_NOT_HERE = frozenset({TLS, "http://jabber.org/protocol/compress"})
"""What a browser has no business with: TLS is the proxy's, and the WebSocket compresses."""

_STANZAS = frozenset({"message", "presence", "iq"})


@dataclass(frozen=True)
class Frame:
    """One message.

    Attributes:
        kind: Whether it opens or closes the stream, or is something to be passed on.
        attributes: Of its element.
        text: The element, without what may stand around it.
    """

    kind: Literal["open", "close", "element"]
    attributes: dict[str, str]
    text: str


def parse(message: str) -> Frame:
    """Reads one message.

    Raises:
        Violation: It is not one element, or one that may not be said.
    """
    # RFC 7395 §3.3.3: "the first character of each message MUST be '<'".
    if not message.startswith("<"):
        raise Violation("bad-format", "a message that does not begin with <")
    root = _Root()
    root.read(message.encode())
    tag = root.tag
    text = root.text
    if tag.namespace == FRAMING:
        if tag.name == "open":
            return Frame("open", tag.attributes, text)
        if tag.name == "close":
            return Frame("close", tag.attributes, text)
    is_error = tag.is_a(STREAM, "error")
    is_stanza = tag.namespace == CLIENT and tag.name in _STANZAS
    foreign = tag.namespace in {FRAMING, STREAM, CLIENT} or tag.namespace in _NOT_HERE
    if not tag.namespace:
        raise Violation("invalid-namespace", "an element without a namespace")
    if foreign and not is_stanza and not is_error:
        raise Violation("unsupported-stanza-type", "not for a client to say here")
    return Frame("element", tag.attributes, text)


class _Root:
    """Keeps the outermost tag of one document."""

    def __init__(self) -> None:
        self._tag: Tag | None = None
        self._end = 0
        self._reader = Reader(self._started, self._ended, lambda text, depth: None)

    @property
    def tag(self) -> Tag:
        assert self._tag is not None  # noqa: S101 - a document without one is not well-formed
        return self._tag

    @property
    def text(self) -> str:
        return self._reader.slice(self.tag.start, self._end).decode()

    def read(self, document: bytes) -> None:
        self._reader.read(document, is_last=True)

    def _started(self, tag: Tag, depth: int) -> None:
        if not depth:
            self._tag = tag

    def _ended(self, depth: int, end: int) -> None:
        if not depth:
            self._end = end
