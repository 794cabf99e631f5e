"""Opens the chat to IRC: a front on the sockets that the settings name, while the chat runs."""

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hubbub.app import App
from hubbub.apps.chat import ChatService
from hubbub.bridges.irc.chat.house import House
from hubbub.bridges.irc.chat.settings import IrcSettings
from hubbub.bridges.irc.front import Front, FrontInfo, FrontOptions
from hubbub.config.bind import parse_tcp
from hubbub.errors import BadCertificate, Failure
from hubbub.log import logger

_AGAIN_S = 1.0
"""How soon an address is tried again that is in use: by the version of the code before, mostly."""


class CannotListenForIrc(Failure):
    """An address cannot be listened at."""


def add_irc(app: App[Any], service: ChatService, settings: IrcSettings) -> Front:
    """Opens a chat to IRC, from its start to its end.

    Args:
        app: Where the chat stands.
        service: The chat.
        settings: Where and how.
    """
    house = House(service)
    front = Front(
        house,
        FrontInfo(settings.server, settings.network, motd=settings.motd),
        FrontOptions(
            burst_lines=settings.burst_lines,
            lines_per_s=settings.lines_per_s,
            connection_limit=settings.connection_limit,
            address_connection_limit=settings.address_connection_limit,
            exempt_networks=settings.exempt_networks,
        ),
        tuple(one.gateway() for one in settings.gateways),
    )
    house.tell = front.tell
    if settings.websocket:
        options = {"origins": settings.origins} if settings.origins else {}
        front.install(app, settings.websocket, **options)
    app.lifespan(_Entrance(house, front, settings).open)
    return front


class _Entrance:
    def __init__(self, house: House, front: Front, settings: IrcSettings) -> None:
        self._house = house
        self._front = front
        self._settings = settings
        self._chain = Chain(settings) if settings.tls_bind else None

    async def open(self) -> AsyncIterator[None]:
        """Listens, and at the end takes leave."""
        settings = self._settings
        places: list[tuple[str, ssl.SSLContext | None]] = [(one, None) for one in settings.bind]
        context = self._chain.context if self._chain is not None else None
        places += [(one, context) for one in settings.tls_bind]
        later: list[asyncio.Task[None]] = []
        try:
            for address, tls in places:
                if not await self._listen(address, tls):
                    later.append(asyncio.create_task(self._listen_later(address, tls)))
            if self._chain is not None:
                later.append(asyncio.create_task(self._chain.watch()))
            yield
        finally:
            for task in later:
                task.cancel()
            if later:
                await asyncio.wait(later)
            self._house.is_closing = True
            await self._front.close()

    async def _listen(self, address: str, tls: ssl.SSLContext | None) -> bool:
        """Listens; False: somebody else does.

        Raises:
            CannotListenForIrc: It cannot be listened there at all.
        """
        try:
            where = parse_tcp(address)
            host, port = await self._front.listen(where.host, where.port, tls=tls)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise CannotListenForIrc(f"irc: {address}: {error.strerror or error}") from None
        logger.info("irc: listening on %s port %d%s", host, port, " with TLS" if tls else "")
        return True

    async def _listen_later(self, address: str, tls: ssl.SSLContext | None) -> None:
        logger.warning("irc: %s is in use: it is tried again until it is free", address)
        try:
            is_listening = False
            while not is_listening:
                await asyncio.sleep(_AGAIN_S)
                is_listening = await self._listen(address, tls)
        except CannotListenForIrc as failure:
            logger.error("%s", failure)


class Chain:
    """A certificate with its key, read again when the files change.

    Args:
        settings: Which files.

    Raises:
        BadCertificate: They cannot be used.
    """

    LOOK_INTERVAL_S = 5.0

    def __init__(self, settings: IrcSettings) -> None:
        self._files = Path(settings.certificate), Path(settings.key)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._seen = self._looks()
        try:
            self.context.load_cert_chain(*self._files)
        except OSError as error:
            raise BadCertificate(str(self._files[0]), str(error)) from None

    async def watch(self) -> None:
        """Looks at the files until it is cancelled; handshakes to come get what is new."""
        while True:
            await asyncio.sleep(self.LOOK_INTERVAL_S)
            self.look()

    def look(self) -> None:
        """Reads the files again if they have changed; what cannot be used is not."""
        looks = self._looks()
        if looks == self._seen:
            return
        self._seen = looks
        try:
            # First elsewhere: a key that does not fit would spoil the context.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*self._files)
            self.context.load_cert_chain(*self._files)
            logger.info("irc: the certificate was read again")
        except OSError as error:
            logger.error("irc: the certificate stays as it was: %s: %s", self._files[0], error)

    def _looks(self) -> list[tuple[int, int]]:
        try:
            return [(at.st_mtime_ns, at.st_size) for at in (one.stat() for one in self._files)]
        except OSError:
            return []
