"""`IrcRemote`: a network of IRC, as a bridge needs it: one nick that speaks for all, or puppets."""

import asyncio
import hashlib
import random
import ssl
import time
from collections.abc import Callable, Sequence

from hubbub.bridges.irc.client.connection import Connection, Lost
from hubbub.bridges.irc.client.delivering import Delivering
from hubbub.bridges.irc.client.hearing import Hearing, Recent
from hubbub.bridges.irc.client.puppets import Puppets
from hubbub.bridges.irc.client.registration import CannotRegister, Identity
from hubbub.bridges.irc.client.sending import Bucket, Out
from hubbub.bridges.irc.client.session import Session
from hubbub.bridges.irc.client.settings import IrcBridge
from hubbub.bridges.irc.client.tls import context_of
from hubbub.bridges.irc.formatting import to_irc
from hubbub.bridges.irc.line import Line
from hubbub.bridges.link import remote as net
from hubbub.config.bind import parse_tcp
from hubbub.log import logger

AGAIN_S = 1.0
"""How soon a lost connection is tried again, the first time; then twice as long each time."""

AGAIN_LIMIT_S = 15.0
"""How long at most, so that a server that is back is rejoined within half a minute."""

REFUSED_LIMIT_S = 300.0
"""The same for a server that does not take us."""

_WHISPER_BYTES = 350


class IrcRemote:
    """One network.

    Args:
        name: The bridge's name.
        settings: Its settings.
        place: What tells this chat from others: the path of its database.
    """

    remembers = False

    def __init__(self, name: str, settings: IrcBridge, place: str) -> None:
        self.mark = hashlib.sha256(f"{place}\0{name}".encode()).hexdigest()[:16]
        self._name = name
        self._settings = settings
        self._tell: Callable[[net.Told], None] = _nobody
        self._channels: list[str] = []
        self._delivering = Delivering()
        self._recent = Recent()
        self._session: Session | None = None
        self._puppets = Puppets(settings, self.mark, self._told) if self._has_puppets else None

    @property
    def _has_puppets(self) -> bool:
        return self._settings.mode == "puppets"

    async def run(self, tell: Callable[[net.Told], None]) -> None:
        """Connects, and comes back, until it is cancelled."""
        self._tell = tell
        tls = context_of(self._settings)
        failures = 0
        try:
            while True:
                limit_s, was_up = AGAIN_LIMIT_S, False
                try:
                    was_up = await self._live(tls)
                except CannotRegister as failure:
                    limit_s = REFUSED_LIMIT_S
                    logger.warning("bridge %s: not taken: %s", self._name, failure)
                failures = 0 if was_up else failures + 1
                bound_s = min(limit_s, AGAIN_S * float(1 << min(failures, 12)))
                await asyncio.sleep(bound_s * (0.5 + random.random() / 2))  # noqa: S311 - no secret
        finally:
            if self._puppets is not None:
                await self._puppets.close()

    async def _live(self, tls: ssl.SSLContext | None) -> bool:
        """One connection; returns whether it was up."""
        settings = self._settings
        bucket = Bucket(settings.burst_lines, settings.lines_per_s)
        server = parse_tcp(settings.server)
        try:
            connection = await Connection.open(server.host, server.port, tls, bucket, self._sending)
        except Lost as lost:
            logger.info("bridge %s: %s", self._name, lost)
            return False
        identity = Identity(
            settings.nick,
            settings.username,
            settings.realname,
            settings.password,
            settings.sasl_user,
            settings.sasl_password,
        )
        session = Session(
            connection,
            identity,
            self._channels,
            self._delivering,
            self.mark,
            self._told,
            munge=settings.munge,
        )
        hearing = Hearing(session, self.mark, self._recent, self._told)
        session.hear_message = hearing.hear
        self._session = session
        was_up, reason = False, "closed"
        try:
            await session.run()
        except Lost as lost:
            reason = str(lost)
        except asyncio.CancelledError:
            if self._puppets is not None:
                await self._puppets.close()
            await session.quit()
            raise
        finally:
            was_up = session.registration.is_done
            self._session = None
            connection.close()
            if self._puppets is not None:
                self._puppets.pause()
            self._told(net.Down(reason))
        return was_up

    def _sending(self, out: Out) -> None:
        self._delivering.wrote(out.number, time.monotonic())
        if out.is_first:
            self._told(net.Sending(out.number))

    def _told(self, event: net.Told) -> None:
        if isinstance(event, net.Up) and self._puppets is not None and self._session is not None:
            self._puppets.resume(self._session)
        self._tell(event)

    # What is asked of it

    def join(self, channels: Sequence[str]) -> None:
        """Says in which channels to be."""
        self._channels = list(channels)
        if self._session is not None:
            self._session.join(channels)

    def deliver(self, delivery: net.Delivery) -> None:
        """Tells something in a channel that is open."""
        puppet = self._puppets.session(delivery) if self._puppets is not None else None
        session = puppet or self._session
        if session is None:
            return
        lines = session.deliver(delivery)
        if puppet is None:
            for line in lines:
                if line.command in ("PRIVMSG", "NOTICE"):
                    self._recent.add(line.params[-1])

    def present(self, channel: str, authors: Sequence[net.Author]) -> None:
        """Says who of the chat is online in a channel."""
        if self._puppets is not None:
            self._puppets.present(channel, authors)

    def whisper(self, whisper: net.Whisper) -> None:
        """Tells somebody something in private."""
        session = self._session
        if session is None or not session.is_up:
            return
        where = f"{whisper.channel} " if whisper.channel else ""
        marked = f"[{whisper.lang}] " if whisper.lang else ""
        lines = [
            Line("NOTICE", (whisper.person, f"{marked}{where}{piece}"))
            for piece in to_irc(whisper.text, _WHISPER_BYTES)
        ]
        session.notice(whisper.person, lines)


def _nobody(event: net.Told) -> None:
    """Nobody listens yet."""
