"""`Room`: a visit to one room, from the way in to the way out.

Stanzas are taken one after the other, in the order in which they came; while the archive is asked,
those that come wait.
"""

import asyncio
from collections.abc import Callable, Container
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NoReturn
from xml.etree.ElementTree import Element, SubElement

from hubbub.bridges.link.remote import Acknowledged, Opened, Rejected, Said, Told
from hubbub.bridges.xmpp.muc import archive
from hubbub.bridges.xmpp.muc import names as ns
from hubbub.bridges.xmpp.muc.compose import Composer
from hubbub.bridges.xmpp.muc.connection import Connection, NotConnected, Refused
from hubbub.bridges.xmpp.muc.hearing import hear
from hubbub.bridges.xmpp.muc.marks import Marks
from hubbub.bridges.xmpp.muc.memory import Memory
from hubbub.bridges.xmpp.muc.occupants import SELF, Occupants, Out
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.muc.stanzas import Message, read_message, read_presence
from hubbub.bridges.xmpp.muc.underway import Underway
from hubbub.config import duration_s
from hubbub.errors import Failure

_CLOCKS = timedelta(minutes=5)
"""How much the server's clock may differ from ours."""

_JOIN_S = 10.0
_SUBJECT_S = 3.0
_NEW = 201
_NICKS_LIMIT = 5
# XEP-0410 §3.3: these mean that we are there, though nobody answered the ping itself.
_STILL_HERE = frozenset({"service-unavailable", "feature-not-implemented", "item-not-found"})


class NotIn(Failure):
    """We are not, or no longer, in a room.

    Attributes:
        is_final: Whether there is no sense in coming back soon.
    """

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


class Room:
    """One room, during all visits.

    Args:
        channel: Its address.
        settings: The bridge's.
        marks: The ids of our own messages.
        ours: Nicks of puppets in it.
        tell: Told what happens.
        is_known: Whether the chat has heard what a room calls so.
    """

    def __init__(
        self,
        channel: str,
        settings: XmppBridge,
        marks: Marks,
        ours: Container[str],
        tell: Callable[[Told], None],
        is_known: Callable[[str, str], bool],
    ) -> None:
        self.channel = channel
        self.memory = Memory()
        self.visit = 0
        """The number of this visit."""

        self.is_open = False
        self.was_open = False
        """Whether the last visit has come as far as that."""

        self.occupants = Occupants(channel, settings.nick, ours)
        self._settings = settings
        self._marks = marks
        self._ours = ours
        self._tell = tell
        self._is_known = is_known
        self._addresses: dict[str, str] = {}
        self._features: frozenset[str] = frozenset()
        self._stanzas: asyncio.Queue[Element | None] = asyncio.Queue()
        self.underway = Underway(self.leave, self._give_up)
        self.topic: str | None = None
        """What it is about; None: that was not told yet."""

        self._seen_at = datetime.now(UTC) - timedelta(seconds=duration_s(settings.archive_age))

    def take(self, stanza: Element) -> None:
        """Takes a stanza that has come from the room."""
        self._stanzas.put_nowait(stanza)

    def leave(self) -> None:
        """Takes the room for left, when its turn comes among what has been heard."""
        self._stanzas.put_nowait(None)

    def _give_up(self, number: int) -> None:
        self._tell(Rejected(number, "the room does not show it"))

    async def stay(self, connection: Connection) -> NoReturn:
        """Enters, and stays as long as it can.

        Raises:
            NotIn: We are out; why.
            NotConnected: The room does not answer.
        """
        self.visit += 1
        self.was_open = False
        self._stanzas = asyncio.Queue()
        self.topic = None
        composer = Composer(connection.namespace)
        await self._learn(connection)
        try:
            await self._enter(connection, composer)
            if self._settings.archive and ns.MAM in self._features:
                await self._catch_up(connection)
            await self._hear_until_subject()
            self.is_open = self.was_open = True
            self._tell(Opened(self.channel, self.occupants.people(), self.topic))
            await self._listen(connection)
        finally:
            self.is_open = False
            self.underway.clear()

    async def _learn(self, connection: Connection) -> None:
        """Asks what the room can."""
        try:
            answer = await connection.ask(self.channel, Element(f"{{{ns.DISCO}}}query"))
        except Refused:
            self._features = frozenset()
            return
        found = answer.iterfind(f"{{{ns.DISCO}}}query/{{{ns.DISCO}}}feature")
        self._features = frozenset(one.get("var", "") for one in found)

    async def _enter(self, connection: Connection, composer: Composer) -> None:
        """Joins, with another nick where ours is taken."""
        has_archive = self._settings.archive and ns.MAM in self._features
        since = "" if has_archive or self.visit == 1 else self._seen_at.strftime(archive.STAMP)
        password = self._settings.passwords.get(self.channel, "")
        for number in range(_NICKS_LIMIT):
            nick = self._settings.nick + "_" * number
            self.occupants = Occupants(
                self.channel,
                nick,
                self._ours,
                is_identifying=ns.OCCUPANT_ID in self._features,
                addresses=self._addresses,
            )
            to = f"{self.channel}/{nick}"
            connection.send(composer.join(connection.jid, to, password, since))
            if await self._is_entered(connection):
                return
        raise NotIn("all nicks are taken")

    async def _is_entered(self, connection: Connection) -> bool:
        """Waits until the room lets us in; False: the nick is somebody else's."""
        try:
            async with asyncio.timeout(_JOIN_S):
                while True:
                    stanza = await self._next()
                    if not stanza.tag.endswith("}presence"):
                        continue
                    presence = read_presence(stanza)
                    if presence.type == "error":
                        if presence.error == "conflict":
                            return False
                        is_final = presence.error in {"forbidden", "registration-required"}
                        raise NotIn(presence.error, is_final=is_final)
                    self._hear_presence(stanza, is_told=False)
                    if SELF not in presence.codes:
                        continue
                    if _NEW in presence.codes:
                        await self._unlock(connection)
                        await self._learn(connection)
                    return True
        except TimeoutError:
            raise NotIn("the room does not let us in") from None

    async def _unlock(self, connection: Connection) -> None:
        """Takes a new room as it is (XEP-0045 §10.1.2)."""
        query = Element(f"{{{ns.MUC_OWNER}}}query")
        SubElement(query, f"{{{ns.FORM}}}x", {"type": "submit"})
        try:
            await connection.ask(self.channel, query, "set")
        except Refused as refused:
            raise NotIn(f"the new room stays locked: {refused.condition}") from None

    async def _catch_up(self, connection: Connection) -> None:
        """Hears what was said while we were not there."""

        def is_known(stanza_id: str) -> bool:
            return stanza_id in self.memory or self._is_known(self.channel, stanza_id)

        start = self._seen_at - _CLOCKS
        async for message in archive.since(connection, self.channel, start, is_known):
            # What the room is about is told at the end, and once.
            if message.subject is None:
                self._hear_message(message, is_past=True)

    async def _hear_until_subject(self) -> None:
        """Takes what comes up to the subject: what is behind it is news (XEP-0045 §7.2.15)."""
        try:
            async with asyncio.timeout(_SUBJECT_S):
                while self.topic is None:
                    self._hear(await self._next())
        except TimeoutError:
            # Older services tell none where there is none.
            self.topic = ""

    async def _listen(self, connection: Connection) -> NoReturn:
        while True:
            try:
                async with asyncio.timeout(self._settings.ping_interval_s):
                    stanza = await self._next()
            except TimeoutError:
                await self._ping(connection)
            else:
                self._hear(stanza)

    async def _ping(self, connection: Connection) -> None:
        """Makes sure that we are still there (XEP-0410)."""
        to = f"{self.channel}/{self.occupants.nick}"
        try:
            await connection.ask(to, Element(f"{{{ns.PING}}}ping"))
        except Refused as refused:
            if refused.condition not in _STILL_HERE:
                raise NotIn(f"no longer there: {refused.condition}") from None
        except NotConnected:
            raise NotIn("the room does not answer") from None

    async def _next(self) -> Element:
        """The next stanza that the room has sent.

        Raises:
            NotIn: We have left.
        """
        stanza = await self._stanzas.get()
        if stanza is None:
            raise NotIn("what was said is not shown")
        return stanza

    def _hear(self, stanza: Element) -> None:
        if stanza.tag.endswith("}presence"):
            self._hear_presence(stanza, is_told=True)
        else:
            self._hear_message(read_message(stanza))

    def _hear_presence(self, stanza: Element, *, is_told: bool) -> None:
        presence = read_presence(stanza)
        if presence.type == "error":
            return
        for event in self.occupants.hear(presence):
            if isinstance(event, Out):
                raise NotIn(event.reason, is_final=event.is_banned)
            if is_told and self.is_open:
                self._tell(event)

    def _hear_message(self, message: Message, *, is_past: bool = False) -> None:
        nick = message.sender.partition("/")[2]
        if message.type not in {"groupchat", "error"}:
            return
        self._seen_at = datetime.now(UTC)
        is_topic = message.subject is not None and not is_past and not message.error
        if is_topic:
            self.topic = message.subject
            if not self.is_open and not message.said_at:
                return
        is_ours = nick == self.occupants.nick or nick in self._ours
        person = self.occupants.person(nick, message.occupant)
        events = hear(message, self.channel, person, self._marks, self.memory, self.visit)
        if is_topic and is_ours and self.underway.topic is not None:
            # Some services tell a subject in words of their own, without the id that it came with.
            events = [Acknowledged(self.underway.topic)]
        for event in events:
            if is_ours and not isinstance(event, Acknowledged) and not message.error:
                continue
            if isinstance(event, Acknowledged | Rejected):
                self.underway.settled(event.number)
            if is_past and isinstance(event, Said):
                self._tell(replace(event, is_past=True))
            else:
                self._tell(event)
