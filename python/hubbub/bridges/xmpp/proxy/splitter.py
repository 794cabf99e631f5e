"""`Splitter`: a server's stream of bytes, cut into what each WebSocket message shall hold (pure).

Knows nothing of what the elements mean (see `session`).
"""

import re
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from hubbub.bridges.xmpp.proxy.names import STREAM
from hubbub.bridges.xmpp.proxy.reader import Reader, Tag
from hubbub.bridges.xmpp.proxy.violation import TooMuch, Violation

_NAME = re.compile(r"<[^\s/>]+")


@dataclass(frozen=True)
class Opened:
    """The stream's header.

    Attributes:
        attributes: What it says.
    """

    attributes: dict[str, str]


@dataclass(frozen=True)
class Element:
    """One whole child of the stream.

    Attributes:
        namespace: Of the element.
        name: Without prefix.
        text: It, with the namespaces that it takes from the stream declared in it.
    """

    namespace: str
    name: str
    text: str

    def is_a(self, namespace: str, name: str) -> bool:
        """Whether it is this one."""
        return self.name == name and self.namespace == namespace


@dataclass(frozen=True)
class Ended:
    """The stream's end."""


Part = Opened | Element | Ended


class Splitter:
    """Cuts one stream, from its header to its end.

    Args:
        limit_bytes: How long one element, or a header, may be.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._parts: list[Part] = []
        self._scope: dict[str, str] = {}
        self._own: set[str] = set()
        self._child: Tag | None = None
        self._depth = 0
        self._end = 0
        self._reader = Reader(self._started, self._ended, self._said, self._scoped)

    @property
    def is_between(self) -> bool:
        """Whether everything that came has been handed out."""
        return self._child is None and not self._reader.kept_bytes

    def feed(self, piece: bytes) -> list[Part]:
        """Takes what has come; returns what is whole now.

        Raises:
            Violation: It is no stream of XMPP, or too much. Feed no more then.
        """
        self._reader.read(piece)
        if self._child is not None:
            self._reader.forget(self._child.start)
        else:
            self._reader.forget(self._end)
            # Blanks keep the connection alive, and are nobody's (RFC 6120 §4.6.1).
            self._reader.forget_blanks()
        if self._reader.kept_bytes > self._limit_bytes:
            raise TooMuch(f"an element longer than {self._limit_bytes} bytes")
        parts, self._parts = self._parts, []
        return parts

    def _scoped(self, prefix: str, namespace: str) -> None:
        if self._depth == 0:
            self._scope[prefix] = namespace
        elif self._depth == 1:
            self._own.add(prefix)

    def _started(self, tag: Tag, depth: int) -> None:
        self._depth = depth + 1
        if depth == 0:
            if not tag.is_a(STREAM, "stream"):
                raise Violation("invalid-namespace", "not a stream of XMPP")
            self._end = tag.end
            self._parts.append(Opened(tag.attributes))
        elif depth == 1:
            self._child = tag

    def _ended(self, depth: int, end: int) -> None:
        self._depth = depth
        if depth == 1 and self._child is not None:
            self._parts.append(self._whole(self._child, end))
            self._child = None
            self._own.clear()
            self._end = end
        elif depth == 0:
            self._end = end
            self._parts.append(Ended())

    def _said(self, text: str, depth: int) -> None:
        if depth == 1 and not text.isspace():
            raise Violation("bad-format", "text between stanzas")

    def _whole(self, tag: Tag, end: int) -> Element:
        raw = self._reader.slice(tag.start, end).decode()
        return Element(tag.namespace, tag.name, _declared(raw, self._scope, self._own))


def _declared(raw: str, scope: dict[str, str], own: set[str]) -> str:
    """An element with the namespaces that it used from around it.

    Args:
        raw: The element.
        scope: What is declared around it, by prefix.
        own: The prefixes that it declares itself.
    """
    lent = "".join(
        f" {f'xmlns:{prefix}' if prefix else 'xmlns'}={quoteattr(namespace)}"
        for prefix, namespace in scope.items()
        # One declared in vain does no harm: it need not be told from the same letters in a text.
        if prefix not in own and (not prefix or f"{prefix}:" in raw)
    )
    name = _NAME.match(raw)
    assert name is not None  # noqa: S101 - expat has read it
    return f"{name[0]}{lent}{raw[name.end() :]}"
