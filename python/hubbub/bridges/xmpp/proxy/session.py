"""`Session`: one browser's stream, between WebSocket and server. Decides; does not send (pure).

What comes from either side goes in; what each side shall hear comes out, as `Do`s in their order.
"""

import enum
from dataclasses import dataclass, field

from hubbub.bridges.xmpp.proxy import features, names
from hubbub.bridges.xmpp.proxy.frames import Frame, parse
from hubbub.bridges.xmpp.proxy.names import SASL, STREAM
from hubbub.bridges.xmpp.proxy.splitter import Element, Opened, Part, Splitter
from hubbub.bridges.xmpp.proxy.violation import Violation


class State(enum.Enum):
    """How far a stream is."""

    NEW = "new"
    """The browser has not opened it."""

    OPENING = "opening"
    """The server has not answered the header."""

    OPEN = "open"
    """Both sides talk."""

    PROVEN = "proven"
    """The login has succeeded: the browser opens a new stream on the same connection."""

    CLOSING = "closing"
    """The browser has closed it; the server may still say something."""

    CLOSED = "closed"
    """It has ended."""


@dataclass
class Do:
    """What is to be done now, each list in its order.

    Attributes:
        browser: WebSocket messages for the browser.
        server: Bytes for the server.
        ends: Whether the stream has ended, and both connections with it.
    """

    browser: list[str] = field(default_factory=list[str])
    server: bytes = b""
    ends: bool = False


def opening(domain: str) -> str:
    """What a browser hears first whose stream ends before its server has said anything.

    Args:
        domain: Whose stream it would have been; empty: nobody's here.
    """
    return names.opening({"version": "1.0", **({"from": domain} if domain else {})})


def ending(condition: str, text: str = "") -> list[str]:
    """What a browser hears whose stream ends with an error.

    Args:
        condition: Why, as RFC 6120 §4.9.3 calls it.
        text: The same in words.
    """
    return [names.error(condition, text), names.CLOSE]


class Session:
    """One stream of one browser with the server of one domain, once the two are connected.

    Args:
        domain: The one that the browser has asked for, and keeps to.
        limit_bytes: How long one element of the server's may be.
    """

    def __init__(self, domain: str, limit_bytes: int) -> None:
        self.state = State.NEW
        self._domain = domain
        self._limit_bytes = limit_bytes
        self._splitter = Splitter(limit_bytes)
        self._has_opened = False

    def from_browser(self, message: str) -> Do:
        """Takes one message of the browser's."""
        if self.state in {State.CLOSING, State.CLOSED}:
            return Do()
        try:
            frame = parse(message)
            if frame.kind == "open":
                return self._open(frame)
            if frame.kind == "close":
                return self._close()
            if self.state is not State.OPEN:
                raise Violation("policy-violation", "not before the stream is open")
        except Violation as violation:
            return self.refuse(violation.condition, violation.text)
        return Do(server=frame.text.encode())

    def from_server(self, piece: bytes) -> Do:
        """Takes what has come from the server."""
        did = Do()
        if self.state is State.CLOSED:
            return did
        try:
            for part in self._splitter.feed(piece):
                self._pass(part, did)
        except Violation as violation:
            refused = self.refuse("undefined-condition", f"the server: {violation.text}")
            did.browser += refused.browser
            did.server += refused.server
            did.ends = True
        return did

    def refuse(self, condition: str, text: str = "") -> Do:
        """Ends the stream with an error (RFC 7395 §3.5)."""
        was, self.state = self.state, State.CLOSED
        opened = [] if self._has_opened else [opening(self._domain)]
        told = [*opened, *ending(condition, text)]
        return Do(told, b"" if was is State.NEW else names.END.encode(), ends=True)

    def _open(self, frame: Frame) -> Do:
        if self.state not in {State.NEW, State.PROVEN}:
            raise Violation("policy-violation", "the stream is open")
        if domain_of(frame.attributes.get("to", self._domain)) != self._domain:
            raise Violation("host-unknown", "another domain than before")
        if not self._splitter.is_between:
            raise Violation("policy-violation", "the server has more to say on the old stream")
        self._splitter = Splitter(self._limit_bytes)
        self._has_opened = False
        self.state = State.OPENING
        said = {"to": self._domain, "version": "1.0"}
        said |= {
            key: frame.attributes[key] for key in ("from", "xml:lang") if key in frame.attributes
        }
        return Do(server=names.header(said).encode())

    def _close(self) -> Do:
        if self.state is State.NEW:
            self.state = State.CLOSED
            return Do([names.CLOSE], ends=True)
        self.state = State.CLOSING
        return Do(server=names.END.encode())

    def _opened(self, attributes: dict[str, str]) -> str:
        self._has_opened = True
        return names.opening({"version": "1.0", **attributes})

    def _pass(self, part: Part, did: Do) -> None:
        if isinstance(part, Opened):
            did.browser.append(self._opened(part.attributes))
            if self.state is State.OPENING:
                self.state = State.OPEN
        elif isinstance(part, Element):
            text = part.text
            if part.is_a(STREAM, "features"):
                text = features.for_browser(text)
            elif part.is_a(SASL, "success") and self.state is State.OPEN:
                self.state = State.PROVEN
            did.browser.append(text)
        else:
            # §3.6: whoever is closed to closes, too.
            if self.state is not State.CLOSING:
                did.server += names.END.encode()
            self.state = State.CLOSED
            did.browser.append(names.CLOSE)
            did.ends = True


def domain_of(said: str) -> str:
    """A domain in the one spelling in which it is compared."""
    return said.strip().rstrip(".").lower()
