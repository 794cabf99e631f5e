"""A connection of slixmpp's: stanzas as elements, and nothing of its own doing.

Reconnecting is `remote`'s: each connection is a client of its own, which is thrown away.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any
from xml.etree.ElementTree import Element

from slixmpp import ClientXMPP, ComponentXMPP
from slixmpp.exceptions import IqError, IqTimeout
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import StanzaPath

from hubbub.bridges.xmpp.muc import names as ns
from hubbub.bridges.xmpp.muc.bound import bound_stanzas
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.muc.stanzas import condition_of
from hubbub.bridges.xmpp.proxy.upstream import trust
from hubbub.errors import Failure

RESOURCE = "hubbub"

_START_S = 15.0
_ASK_S = 10.0
_CLOSE_S = 2.0
_KEEPALIVE_S = 60


class NotConnected(Failure):
    """The server is not there, or does not want us."""


class Refused(Failure):
    """A server has answered with an error.

    Attributes:
        condition: Which, as RFC 6120 §8.3.3 calls it.
    """

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


class Connection:
    """One connection, while it lasts.

    Attributes:
        jid: What we are called: the account with its resource, or the component's listener.
        namespace: That of stanzas.
        lost: Done with a reason when the connection is over.
    """

    def __init__(self, settings: XmppBridge) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._settings = settings
        self._results: dict[str, list[Element]] = {}
        make = _component if settings.is_component else _client
        self._xmpp = xmpp = make(settings)
        bound_stanzas(xmpp)
        xmpp.use_aiodns = False
        xmpp.whitespace_keepalive_interval = _KEEPALIVE_S
        # Who is in rooms is no roster, and messages are ours to read.
        for name in ("IM", "IMError", "Presence"):
            xmpp.remove_handler(name)
        self.namespace: str = self._xmpp.default_ns
        self.jid = f"bridge@{settings.domain}/{RESOURCE}" if settings.is_component else ""

    def hear(self, heard: Callable[[Element], None]) -> None:
        """Says who is told of messages and presences, in their order."""

        def take(stanza: Any) -> None:
            xml: Element = stanza.xml
            result = xml.find(f"{{{ns.MAM}}}result")
            if result is None:
                heard(xml)
            elif (results := self._results.get(result.get("queryid", ""))) is not None:
                results.append(result)

        for name in ("message", "presence"):
            self._xmpp.register_handler(Callback(f"hubbub {name}", StanzaPath(name), take))

    def send(self, stanza: Element) -> None:
        """Sends a stanza; what was sent before goes out first."""
        if not self.lost.done():
            self._xmpp.send_xml(stanza)

    @contextlib.contextmanager
    def collecting(self, query_id: str) -> Generator[list[Element]]:
        """Collects the results of a query to an archive (XEP-0313); nobody else hears of them."""
        results: list[Element] = []
        self._results[query_id] = results
        try:
            yield results
        finally:
            del self._results[query_id]

    async def ask(self, to: str, query: Element, kind: str = "get") -> Element:
        """Asks a question (an iq), and returns the whole answer.

        Raises:
            Refused: It is an error.
            NotConnected: No answer came in time.
        """
        iq = self._xmpp.Iq()
        iq["type"], iq["to"] = kind, to
        if self.jid:
            iq["from"] = self.jid
        iq.append(query)
        try:
            answer = await iq.send(timeout=_ASK_S)
        except IqTimeout:
            raise NotConnected(f"{to} does not answer") from None
        except IqError as error:
            refused: Any = error.iq
            found: Element | None = refused.xml.find(f"{{{self.namespace}}}error")
            condition = condition_of(found, ns.STANZAS) if found is not None else ""
            raise Refused(condition or "undefined-condition") from None
        xml: Element = answer.xml
        return xml

    async def start(self) -> None:
        """Connects and logs in.

        Raises:
            NotConnected: It could not be done.
        """
        xmpp = self._xmpp
        events: dict[str, Callable[[Any], None]] = {
            "session_start": lambda _: self._has_started(),
            "disconnected": lambda why: self._has_ended(str(why or "closed")),
            "connection_failed": lambda why: self._has_ended(str(why)),
            "failed_all_auth": lambda _: self._has_ended("the login is refused"),
            "stream_error": lambda error: self._has_ended(str(error["condition"])),
        }
        for name, handler in events.items():
            xmpp.add_event_handler(name, handler)
        xmpp.connect(*self._settings.address)
        try:
            async with asyncio.timeout(_START_S):
                await self._started
        except TimeoutError:
            raise NotConnected("the server does not answer") from None
        finally:
            # An exception that nobody has waited for would be complained about.
            if self._started.done() and not self._started.cancelled():
                self._started.exception()

    async def close(self) -> None:
        """Ends it, with a farewell if it is still open."""
        self._xmpp.cancel_connection_attempt()
        if self._xmpp.is_connected() and not self.lost.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._xmpp.disconnect(wait=_CLOSE_S), 2 * _CLOSE_S)
        self._xmpp.abort()
        sending = self._xmpp._run_out_filters
        if sending is not None:
            # slixmpp ends this task when it is collected, which is later than the loop may end.
            sending.cancel()
            await asyncio.wait([sending])
        self._has_ended("closed")

    def _has_started(self) -> None:
        if not self._started.done():
            self._started.set_result(None)

    def _has_ended(self, reason: str) -> None:
        if not self._started.done():
            self._started.set_exception(NotConnected(reason))
        if not self.lost.done():
            self.lost.set_result(reason)


@contextlib.asynccontextmanager
async def connected(
    settings: XmppBridge, heard: Callable[[Element], None]
) -> AsyncGenerator[Connection]:
    """A connection that is logged in.

    Raises:
        NotConnected: It could not be made.
    """
    connection = Connection(settings)
    connection.hear(heard)
    try:
        await connection.start()
        yield connection
    finally:
        await connection.close()


def _client(settings: XmppBridge) -> Any:
    """An account's."""
    make: Any = ClientXMPP
    xmpp = make(f"{settings.jid}/{RESOURCE}", settings.password)
    server = settings.server
    context = trust(server)
    if context is not None:
        xmpp.ssl_context = context
    xmpp.enable_direct_tls = server.tls == "direct"
    xmpp.enable_starttls = server.tls == "starttls"
    xmpp.enable_plaintext = server.tls == "none"
    # On this machine alone: see `ServerSettings`.
    mechanisms = xmpp.plugin["feature_mechanisms"]
    mechanisms.unencrypted_scram = mechanisms.unencrypted_plain = server.tls == "none"

    def be_there(_: object) -> None:
        # No messages but those of rooms.
        xmpp.send_presence(ppriority=-1)

    xmpp.add_event_handler("session_start", be_there)
    return xmpp


def _component(settings: XmppBridge) -> Any:
    """A component's."""
    make: Any = ComponentXMPP
    return make(settings.domain, settings.password)
