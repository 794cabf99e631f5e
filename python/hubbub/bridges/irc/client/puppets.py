"""`Puppets`: a connection for each of the chat's people who is online, by which they speak.

What a puppet was given and cannot tell any more, the bridge itself tells: nothing waits for one.
"""

import asyncio
import hashlib
import ipaddress
import random
import time
from collections.abc import Callable, Sequence

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.chat.spelling import host_of, nick_of
from hubbub.bridges.irc.client.connection import Connection, Lost
from hubbub.bridges.irc.client.delivering import Delivering
from hubbub.bridges.irc.client.registration import CannotRegister, Identity
from hubbub.bridges.irc.client.saying import is_redacted
from hubbub.bridges.irc.client.sending import Bucket, Out
from hubbub.bridges.irc.client.session import Session
from hubbub.bridges.irc.client.settings import IrcBridge
from hubbub.bridges.irc.client.tls import context_of
from hubbub.bridges.link import remote as net
from hubbub.config.bind import parse_tcp
from hubbub.log import logger

LINGER_S = 30.0
"""How long somebody who has gone offline stays on IRC: pages are loaded anew all the time."""

AGAIN_S = 2.0
AGAIN_LIMIT_S = 60.0


class Puppet:
    """One person's connection.

    Args:
        author: Whose.
        owner: All of them.
    """

    def __init__(self, author: net.Author, owner: "Puppets") -> None:
        self.author = author
        self.channels: set[str] = set()
        self.session: Session | None = None
        self.underway: dict[int, net.Delivery] = {}
        self._owner = owner
        self._nick = ""
        self._delivering = Delivering()
        self.task = asyncio.create_task(self._run())

    def told(self, event: net.Told) -> None:
        """What its session tells; of others the bridge's own hears."""
        match event:
            case net.Up() if self.session is not None:
                self._nick = folded(self.session.crowd.nick, self.session.support.casemapping)
                self._owner.nicks.add(self._nick)
            case net.Acknowledged() | net.Rejected():
                if self.underway.pop(event.number, None) is not None:
                    self._owner.tell(event)
            case net.Shut():
                self.give_back(event.channel)
            case _:
                pass

    def give_back(self, channel: str = "") -> None:
        """What it was to tell is told by the bridge."""
        for number, delivery in list(self.underway.items()):
            if not channel or delivery.channel == channel:
                del self.underway[number]
                self._owner.fall_back(delivery)

    def _sending(self, out: Out) -> None:
        self._delivering.wrote(out.number, time.monotonic())
        if out.is_first:
            self._owner.tell(net.Sending(out.number))

    async def _run(self) -> None:
        failures = 0
        while True:
            was_up = False
            try:
                was_up = await self._live()
            except (Lost, CannotRegister) as error:
                logger.info("irc: the puppet of %s: %s", self.author.nick, error)
            failures = 0 if was_up else failures + 1
            bound_s = min(AGAIN_LIMIT_S, AGAIN_S * float(1 << min(failures, 12)))
            await asyncio.sleep(bound_s * (0.5 + random.random() / 2))  # noqa: S311 - no secret

    async def _live(self) -> bool:
        settings = self._owner.settings
        server = parse_tcp(settings.server)
        bucket = Bucket(settings.burst_lines, settings.lines_per_s)
        tls = context_of(settings)
        connection = await Connection.open(server.host, server.port, tls, bucket, self._sending)
        session = self.session = Session(
            connection,
            identity_of(self.author, settings),
            sorted(self.channels),
            self._delivering,
            self._owner.mark,
            self.told,
            is_puppet=True,
        )
        try:
            await session.run()
        except asyncio.CancelledError:
            await session.quit()
            raise
        finally:
            self.session = None
            connection.close()
            self._owner.nicks.discard(self._nick)
            self.give_back()
        return True


class Puppets:
    """All of them.

    Args:
        settings: The bridge's.
        mark: By which what they say is known.
        tell: Told what becomes of deliveries.

    Attributes:
        nicks: Theirs, folded.
    """

    def __init__(self, settings: IrcBridge, mark: str, tell: Callable[[net.Told], None]) -> None:
        self.settings = settings
        self.mark = mark
        self.tell = tell
        self.nicks: set[str] = set()
        self._relay: Session | None = None
        self._wanted: dict[str, dict[str, net.Author]] = {}
        self._puppets: dict[str, Puppet] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}

    def resume(self, relay: Session) -> None:
        """The bridge itself is there: now they may come."""
        self._relay = relay
        # One set for all: the bridge's session knows whom not to listen to.
        relay.crowd.own = self.nicks
        self._follow()

    def pause(self) -> None:
        """The bridge itself is not there."""
        self._relay = None

    def present(self, channel: str, authors: Sequence[net.Author]) -> None:
        """Says who is online in a channel."""
        accounts_only = self.settings.puppets.accounts_only
        self._wanted[channel] = {
            one.user: one for one in authors if one.nick and not (one.guest and accounts_only)
        }
        if self._relay is not None:
            self._follow()

    def session(self, delivery: net.Delivery) -> Session | None:
        """By which session something is told; None: by the bridge's own."""
        puppet = self._puppets.get(delivery.author.user)
        session = puppet.session if puppet is not None else None
        if isinstance(what := delivery.what, net.Retract) and what.by is not None:
            caps = session.registration.caps if session is not None else frozenset[str]()
            if not is_redacted(what, caps):
                # That it was taken away is said by who has done so.
                puppet = self._puppets.get(what.by.user)
                session = puppet.session if puppet is not None else None
        if puppet is None or session is None or not session.is_open(delivery.channel):
            return None
        if isinstance(delivery.what, net.SetTopic):
            return None
        puppet.underway[delivery.number] = delivery
        return session

    def fall_back(self, delivery: net.Delivery) -> None:
        """What a puppet could not tell."""
        if self._relay is not None:
            self._relay.deliver(delivery)

    async def close(self) -> None:
        """All take leave."""
        for handle in self._leaving.values():
            handle.cancel()
        self._leaving.clear()
        tasks = [puppet.task for puppet in self._puppets.values()]
        self._puppets.clear()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _follow(self) -> None:
        wanted: dict[str, net.Author] = {}
        places: dict[str, set[str]] = {}
        for channel, authors in self._wanted.items():
            for user, author in authors.items():
                wanted[user] = author
                places.setdefault(user, set()).add(channel)
        for user, author in wanted.items():
            if (handle := self._leaving.pop(user, None)) is not None:
                handle.cancel()
            puppet = self._puppets.get(user)
            if puppet is None:
                if len(self._puppets) >= self.settings.puppets.limit:
                    continue
                puppet = self._puppets[user] = Puppet(author, self)
            self._place(puppet, author, places[user])
        for user in self._puppets.keys() - wanted.keys() - self._leaving.keys():
            loop = asyncio.get_running_loop()
            self._leaving[user] = loop.call_later(LINGER_S, self._leave, user)

    def _place(self, puppet: Puppet, author: net.Author, channels: set[str]) -> None:
        session = puppet.session
        is_renamed = puppet.author.nick != author.nick
        gone, puppet.channels, puppet.author = puppet.channels - channels, channels, author
        if session is None:
            return
        if is_renamed:
            session.call(identity_of(author, self.settings).nick)
        for channel in gone:
            session.part(channel)
        session.join(sorted(channels))

    def _leave(self, user: str) -> None:
        self._leaving.pop(user, None)
        puppet = self._puppets.pop(user, None)
        if puppet is not None:
            puppet.task.cancel()


def identity_of(author: net.Author, settings: IrcBridge) -> Identity:
    """How somebody of the chat makes themselves known on IRC."""
    options = settings.puppets
    webirc: tuple[str, ...] = ()
    if options.webirc_password:
        host, address = host_of(author.user), address_of(author.user)
        webirc = (options.webirc_password, options.webirc_gateway, host, address)
    nick = f"{nick_of(author.nick, author.user)}{options.suffix}"
    realname = " ".join(author.nick.split())
    return Identity(nick, settings.username, realname, settings.password, webirc=webirc)


def address_of(user: str) -> str:
    """An address that stands for somebody: a private one, always the same, of IPv6 (RFC 4193)."""
    hashed = hashlib.sha256(user.encode()).digest()
    return str(ipaddress.IPv6Address(b"\xfd" + hashed[:15]))
