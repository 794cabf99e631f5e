"""A secured connection with an XMPP server, up to where the browser's stream begins.

Whatever somebody in between has added in plain text to the answer about TLS is met here, or by TLS
itself, and never by the browser's stream.
"""

import asyncio
import ssl
from typing import cast

from hubbub.bridges.xmpp.proxy import features, names
from hubbub.bridges.xmpp.proxy.names import STREAM, TLS
from hubbub.bridges.xmpp.proxy.settings import ServerSettings
from hubbub.bridges.xmpp.proxy.splitter import Element, Splitter
from hubbub.bridges.xmpp.proxy.violation import Violation
from hubbub.errors import Failure

_ANSWER_LIMIT_BYTES = 65_536

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class NotSecured(Failure):
    """The server does not start TLS."""


def trust(settings: ServerSettings) -> ssl.SSLContext | None:
    """Whom to believe; None: the connection is not secured.

    Raises:
        OSError: The file of certificates cannot be used.
    """
    if settings.tls == "none":
        return None
    context = ssl.create_default_context(cafile=settings.ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.tls == "direct":
        context.set_alpn_protocols(["xmpp-client"])
    return context


async def connect(domain: str, settings: ServerSettings, context: ssl.SSLContext | None) -> Streams:
    """Connects with the server of a domain.

    Args:
        domain: Whose certificate it must show (RFC 6120 §13.7.1.2), whatever its host is called.
        settings: Where it is, and how the connection is secured.
        context: Whom to believe.

    Raises:
        OSError: It cannot be reached, or its certificate is another's.
        NotSecured: It does not start TLS.
        Violation: It speaks no XMPP.
    """
    host, port = settings.address(domain)
    if settings.tls != "starttls":
        name = domain if context is not None else None
        return await asyncio.open_connection(host, port, ssl=context, server_hostname=name)
    loop = asyncio.get_running_loop()
    agreement = _Agreement(domain)
    plain, _ = await loop.create_connection(lambda: agreement, host, port)
    try:
        await agreement.reached
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        assert context is not None  # noqa: S101 - `trust` makes one
        secured = await loop.start_tls(plain, protocol, context, server_hostname=domain)
    except BaseException:
        plain.abort()
        raise
    if secured is None:
        raise NotSecured("it hung up")
    protocol.connection_made(secured)
    return reader, asyncio.StreamWriter(secured, protocol, reader, loop)


class _Agreement(asyncio.Protocol):
    """Agrees on TLS (RFC 6120 §5): its handshake is what must come next, and nothing else.

    Attributes:
        reached: Done when the server is ready for it.
    """

    def __init__(self, domain: str) -> None:
        self.reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._domain = domain
        self._splitter = Splitter(_ANSWER_LIMIT_BYTES)
        self._transport: asyncio.Transport | None = None
        self._has_asked = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins a stream."""
        # uvloop's transports are not of asyncio's classes.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(names.header({"to": self._domain, "version": "1.0"}).encode())

    def data_received(self, data: bytes) -> None:
        """Hears the server, as long as it speaks in plain text."""
        if self.reached.done():
            return
        try:
            parts = self._splitter.feed(data)
            for part in parts:
                if isinstance(part, Element):
                    self._hear(part, is_last=part is parts[-1] and self._splitter.is_between)
        except (NotSecured, Violation) as failure:
            self.reached.set_exception(failure)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, one way or the other."""
        if not self.reached.done():
            self.reached.set_exception(NotSecured("it hung up"))

    def _hear(self, part: Element, *, is_last: bool) -> None:
        assert self._transport is not None  # noqa: S101 - it has been connected
        if part.is_a(STREAM, "features") and not self._has_asked:
            if not features.offers_starttls(part.text):
                raise NotSecured("it offers no STARTTLS")
            self._has_asked = True
            self._transport.write(names.STARTTLS.encode())
        elif part.is_a(TLS, "proceed") and self._has_asked and is_last:
            # What comes now is for TLS to read.
            self._transport.pause_reading()
            self.reached.set_result(None)
        else:
            raise NotSecured(f"it answered with <{part.name}/>")
