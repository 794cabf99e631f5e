"""`Reader`: expat, without what XMPP forbids; tells where in the bytes it saw what (pure).

What is passed on is a slice of what was read, not written anew: prefixes, order and spelling stay
as they were. Expat says what is well-formed, and where a tag begins; where it ends is looked up in
the tag alone, which is known to be one.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn
from xml.parsers import expat

from hubbub.bridges.xmpp.proxy.names import XML
from hubbub.bridges.xmpp.proxy.violation import TooMuch, Violation

DEPTH_LIMIT = 100
"""How deep elements may be nested: far deeper than those of any extension."""

_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_SEPARATOR = " "


@dataclass(frozen=True)
class Tag:
    """A start tag, or an empty element's.

    Attributes:
        namespace: Of the element; empty: none.
        name: Without prefix.
        attributes: By name; those of XML's own namespace as "xml:lang".
        start: Where it begins, in all that was read.
        end: Where it ends.
        is_empty: Whether it is its own end tag.
    """

    namespace: str
    name: str
    attributes: dict[str, str]
    start: int
    end: int
    is_empty: bool

    def is_a(self, namespace: str, name: str) -> bool:
        """Whether it is this element's."""
        return self.name == name and self.namespace == namespace


class Reader:
    """Reads one document as it comes; only what must be kept of it is.

    Args:
        started: Called with each start tag, and how many elements it stands in.
        ended: Called with the same number at each end, and where the element ends.
        said: Called with text, and how many elements it stands in.
        scoped: Called with prefix and namespace of each declaration, before its tag.
    """

    def __init__(
        self,
        started: Callable[[Tag, int], None],
        ended: Callable[[int, int], None],
        said: Callable[[str, int], None],
        scoped: Callable[[str, str], None] | None = None,
    ) -> None:
        self._started, self._ended, self._said = started, ended, said
        self._open: list[Tag] = []
        self._kept = bytearray()
        self._first = 0
        self._parser = parser = expat.ParserCreate("utf-8", _SEPARATOR)
        # Or a stanza that has come whole might wait for the one after it (expat 2.6).
        if hasattr(parser, "SetReparseDeferralEnabled"):
            parser.SetReparseDeferralEnabled(False)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        # RFC 6120 §11.1: no comments, processing instructions, DTDs, and so no entities.
        parser.CommentHandler = _forbidden
        parser.ProcessingInstructionHandler = _forbidden
        parser.StartDoctypeDeclHandler = _forbidden
        if scoped is not None:
            parser.StartNamespaceDeclHandler = lambda prefix, uri: scoped(prefix or "", uri or "")

    @property
    def kept_bytes(self) -> int:
        """How much of what was read is still kept."""
        return len(self._kept)

    def read(self, piece: bytes, *, is_last: bool = False) -> None:
        """Reads on.

        Raises:
            Violation: It is not well-formed, or holds what XMPP forbids. Read no more then.
        """
        self._kept += piece
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as trouble:
            reason = expat.ErrorString(trouble.code)
            raise Violation("not-well-formed", reason or "not XML") from None

    def slice(self, start: int, end: int) -> bytes:
        """What stands between two places that are still kept."""
        return bytes(self._kept[start - self._first : end - self._first])

    def forget(self, before: int) -> None:
        """Keeps no longer what stands before a place."""
        gone = max(0, before - self._first)
        del self._kept[:gone]
        self._first += gone

    def forget_blanks(self) -> None:
        """Keeps no blanks at the beginning of what is kept."""
        self.forget(self._first + len(self._kept) - len(self._kept.lstrip(b" \t\r\n")))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        start = self._parser.CurrentByteIndex
        found = _TAG.match(self._kept, start - self._first)
        if found is None:
            raise Violation("not-well-formed", "a tag without an end")
        if len(self._open) == DEPTH_LIMIT:
            raise TooMuch(f"nested deeper than {DEPTH_LIMIT}")
        namespace, _, local = name.rpartition(_SEPARATOR)
        named = {_spelled(key): value for key, value in attributes.items()}
        end = found.end() + self._first
        tag = Tag(namespace, local, named, start, end, found[0].endswith(b"/>"))
        depth = len(self._open)
        self._open.append(tag)
        self._started(tag, depth)

    def _end(self, _name: str) -> None:
        tag = self._open.pop()
        end = tag.end
        if not tag.is_empty:
            # §3.1 of XML: in an end tag only blanks stand between the name and ">".
            at = self._parser.CurrentByteIndex - self._first
            end = self._kept.index(b">", at) + 1 + self._first
        self._ended(len(self._open), end)

    def _text(self, text: str) -> None:
        self._said(text, len(self._open))


def _spelled(name: str) -> str:
    namespace, _, local = name.rpartition(_SEPARATOR)
    if namespace == XML:
        return f"xml:{local}"
    return f"{{{namespace}}}{local}" if namespace else local


def _forbidden(*_: object) -> NoReturn:
    raise Violation("restricted-xml", "no comments, processing instructions and DTDs")
