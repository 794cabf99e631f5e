"""`MucRemote`: rooms on XMPP servers, as a bridge needs them (`link.remote.Remote`)."""

import asyncio
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element

from hubbub.bridges.link.remote import (
    Acknowledged,
    Asked,
    Author,
    Delivery,
    Down,
    Opened,
    Rejected,
    Retract,
    Sending,
    SetTopic,
    Shut,
    Told,
    Up,
    Whisper,
)
from hubbub.bridges.xmpp.muc.compose import Composer
from hubbub.bridges.xmpp.muc.connection import Connection, NotConnected, connected
from hubbub.bridges.xmpp.muc.marks import Marks
from hubbub.bridges.xmpp.muc.puppets import Puppets
from hubbub.bridges.xmpp.muc.room import NotIn, Room
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.muc.speech import Speech
from hubbub.bridges.xmpp.muc.stanzas import read_message, read_presence
from hubbub.log import logger

_AGAIN_S = 0.5
_AGAIN_LIMIT_S = 8.0
_FINAL_S = 60.0
_PUPPET_S = 5.0


class MucRemote:
    """An account or a component in rooms.

    Args:
        settings: Which, and where.
        is_known: Whether the chat has heard what a room calls so.
    """

    def __init__(
        self,
        settings: XmppBridge,
        is_known: Callable[[str, str], bool] = lambda channel, remote_id: False,
    ) -> None:
        self._is_known = is_known
        self._settings = settings
        self._marks = Marks(f"{settings.jid} {settings.password}")
        self._channels: tuple[str, ...] = ()
        self._rooms: dict[str, Room] = {}
        self._puppets: dict[str, Puppets] = {}
        self._present: dict[str, tuple[Author, ...]] = {}
        self._connection: Connection | None = None
        self._tell: Callable[[Told], None] = lambda _: None
        self._underway: set[asyncio.Task[None]] = set()

    @property
    def mark(self) -> str:
        """What the ids of our messages bear."""
        return self._marks.mark

    @property
    def remembers(self) -> bool:
        """Whether archives tell what was said meanwhile."""
        return self._settings.archive

    async def run(self, tell: Callable[[Told], None]) -> None:
        """Connects, and stays connected until it is cancelled."""
        self._tell = tell
        wait_s = _AGAIN_S
        try:
            while True:
                try:
                    async with connected(self._settings, self._heard) as connection:
                        wait_s = _AGAIN_S
                        await self._stay(connection)
                except NotConnected as failure:
                    logger.info("xmpp: %s: %s", self._settings.jid, failure)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, _AGAIN_LIMIT_S)
        finally:
            self._tell = lambda _: None

    def join(self, channels: Sequence[str]) -> None:
        """Says in which rooms to be."""
        self._channels = tuple(channels)

    def deliver(self, delivery: Delivery) -> None:
        """Says something in a room."""
        connection, room = self._connection, self._rooms.get(delivery.channel)
        if connection is None or room is None or not room.is_open:
            return
        puppets = self._puppets.get(delivery.channel)
        if puppets is None:
            self._send(delivery, room, connection, "", is_relayed=True)
            return
        task = asyncio.create_task(self._by_puppet(delivery, room, connection, puppets))
        self._underway.add(task)
        task.add_done_callback(self._underway.discard)

    def present(self, channel: str, authors: Sequence[Author]) -> None:
        """Says who of the chat is there."""
        self._present[channel] = tuple(authors)
        self._bring(channel)

    def whisper(self, whisper: Whisper) -> None:
        """Tells somebody in a room something in private."""
        connection = self._connection
        if connection is None:
            return
        for room in self._rooms.values():
            nick = room.occupants.nick_of(whisper.person) if room.is_open else ""
            if nick and whisper.channel in {"", room.channel}:
                composer = Composer(connection.namespace)
                to = f"{room.channel}/{nick}"
                bodies = {whisper.lang: whisper.text}
                if whisper.original is not None and whisper.original[1] not in bodies:
                    # The original beside it: whoever reads only what nobody has translated has it.
                    bodies[whisper.original[1]] = whisper.original[0]
                is_translation = whisper.channel and whisper.lang
                translated = {whisper.lang} if is_translation else frozenset[str]()
                connection.send(composer.whisper(connection.jid, to, bodies, translated))
                return

    # The connection

    async def _stay(self, connection: Connection) -> None:
        """Is in all rooms until the connection is lost."""
        settings = self._settings
        self._connection = connection
        if settings.is_component and settings.puppets:
            for channel in self._channels:
                limit = settings.puppets_limit
                puppets = self._puppets.setdefault(
                    channel, Puppets(channel, settings.domain, limit)
                )
                puppets.clear()
        self._tell(Up())
        rooms = [asyncio.create_task(self._keep(channel, connection)) for channel in self._channels]
        reason = "closed"
        try:
            reason = await connection.lost
        finally:
            self._connection = None
            for task in (*rooms, *self._underway):
                task.cancel()
            await asyncio.gather(*rooms, *self._underway, return_exceptions=True)
            self._tell(Down(reason))
        raise NotConnected(reason)

    async def _keep(self, channel: str, connection: Connection) -> None:
        """Is in one room, and comes back to it."""
        room = self._rooms.get(channel)
        if room is None:
            ours = self._puppets.get(channel, frozenset[str]())
            room = Room(channel, self._settings, self._marks, ours, self._told, self._is_known)
            self._rooms[channel] = room
        wait_s = _AGAIN_S
        while True:
            is_final = False
            try:
                await room.stay(connection)
            except (NotIn, NotConnected) as failure:
                reason = str(failure)
                is_final = isinstance(failure, NotIn) and failure.is_final
            if room.was_open:
                wait_s = _AGAIN_S
            self._tell(Shut(channel, reason))
            if (puppets := self._puppets.get(channel)) is not None:
                puppets.clear()
            await asyncio.sleep(_FINAL_S if is_final else wait_s)
            wait_s = min(2 * wait_s, _AGAIN_LIMIT_S)

    def _told(self, event: Told) -> None:
        self._tell(event)
        if isinstance(event, Opened):
            self._bring(event.channel)

    def _bring(self, channel: str) -> None:
        puppets, connection = self._puppets.get(channel), self._connection
        room = self._rooms.get(channel)
        if puppets is not None and connection is not None and room is not None and room.is_open:
            puppets.present(self._present.get(channel, ()), connection)

    # What is heard

    def _heard(self, stanza: Element) -> None:
        connection = self._connection
        sender, to = stanza.get("from", ""), stanza.get("to", "")
        channel = sender.partition("/")[0]
        room = self._rooms.get(channel)
        if connection is None or room is None:
            return
        is_message = stanza.tag.endswith("}message")
        if connection.jid and to != connection.jid:
            if is_message and stanza.get("type") == "error":
                # What a puppet has said was refused.
                room.take(stanza)
            elif not is_message and (puppets := self._puppets.get(channel)) is not None:
                puppets.hear(to, read_presence(stanza), connection)
            return
        if is_message and stanza.get("type") == "chat" and sender != channel:
            body, _ = read_message(stanza).body()
            person = room.occupants.person(sender.partition("/")[2])
            if body and sender.partition("/")[2] != room.occupants.nick:
                self._tell(Asked(person, body))
            return
        room.take(stanza)

    # What is said

    async def _by_puppet(
        self, delivery: Delivery, room: Room, connection: Connection, puppets: Puppets
    ) -> None:
        was_there = puppets.has(delivery.author.user)
        puppet = puppets.bring(delivery.author, connection)
        is_in = False
        if puppet is not None:
            # The future belongs to the puppet: who waits for it and gives up does not cancel it.
            await asyncio.wait([puppet.joined], timeout=_PUPPET_S)
            is_in = puppet.joined.done() and puppet.joined.result()
        sender = puppet.jid if puppet is not None and is_in else connection.jid
        self._send(delivery, room, connection, sender, is_relayed=not is_in)
        if isinstance(delivery.what, Retract) and not was_there:
            # Whoever has come but to take a message back, because somebody took it away, goes.
            self._bring(delivery.channel)

    def _send(
        self,
        delivery: Delivery,
        room: Room,
        connection: Connection,
        sender: str,
        *,
        is_relayed: bool,
    ) -> None:
        if connection is not self._connection or not room.is_open:
            return
        speech = Speech(Composer(connection.namespace), room, self._marks)
        stanzas = speech.stanzas(delivery, sender, is_relayed=is_relayed)
        if isinstance(stanzas, str):
            self._tell(Rejected(delivery.number, stanzas))
            return
        topic = delivery.what.topic if isinstance(delivery.what, SetTopic) else None
        if topic is not None and topic == room.topic:
            # Of what changes nothing some services tell nothing.
            self._tell(Acknowledged(delivery.number))
            return
        self._tell(Sending(delivery.number))
        for stanza in stanzas:
            connection.send(stanza)
        room.underway.sent(delivery.number, is_topic=topic is not None)
