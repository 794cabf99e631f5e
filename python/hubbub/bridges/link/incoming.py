"""`Incoming`: what people of a remote say and do, done in the chat by its own procedures.

Each channel has a worker, so that one channel does not hold up another, and in it people have
their turns. What a flood brings beyond what the chat takes is given up, and counted.
"""

import asyncio
import hashlib
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress

from hubbub.apps.chat import ChatService, wire
from hubbub.apps.chat.commands import Configure, Delete
from hubbub.apps.chat.commands import Person as Commander
from hubbub.apps.chat.events import RoomEvent
from hubbub.apps.chat.events import Said as Spoken
from hubbub.apps.chat.message import NONCE_LIMIT, Via
from hubbub.apps.chat.nick import folded
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import TOPIC_LIMIT, Room
from hubbub.bridges.link import remote as net
from hubbub.bridges.link.blocking import Blocks
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.people import LinkCaller, People
from hubbub.bridges.link.turns import Heard, Turn, Turns
from hubbub.bridges.link.visitor import Visitor
from hubbub.bridges.wording import addressed
from hubbub.errors import Failure
from hubbub.log import logger

CHANNEL_LIMIT = 2_000
"""How much may wait for the chat in one channel."""

VISITOR_LIMIT = 100
"""How much of one person may."""


class _Channel:
    """What one channel has to do."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.past = 0
        self.changed = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()


class Incoming:
    """Does in the chat what is told by one remote.

    Args:
        service: The chat.
        bridge: The bridge's name.
        rooms: The room of each channel.
        people: Who is who.
        ledger: What is called how.
        blocks: Who is not heard.
        topics: Whether topics are taken over.
    """

    def __init__(
        self,
        service: ChatService,
        bridge: str,
        rooms: dict[str, str],
        people: People,
        ledger: Ledger,
        blocks: Blocks,
        *,
        topics: bool,
    ) -> None:
        self._service = service
        self._bridge = bridge
        self._rooms = rooms
        self._people = people
        self._ledger = ledger
        self._blocks = blocks
        self._topics = topics
        self._channels: dict[str, _Channel] = defaultdict(_Channel)
        self._doing: dict[type[Heard], Callable[[Room, Visitor, Heard], Awaitable[None]]] = {
            net.Said: self._say,
            net.Edited: self._edit,
            net.Retracted: self._retract,
            net.Reacted: self._react,
            net.ReactedWith: self._react_with,
        }
        self.taken = 0
        """Messages that were said in the chat."""

        self.given_up = 0
        """What was not: blocked, too much, or refused."""

    def hear(self, event: Heard) -> None:
        """Takes what was told; it is done in its turn."""
        if event.channel not in self._rooms:
            return
        if self._is_known(event):
            # Told again, as by a replay of history: who is quoted there does not flood.
            return
        channel = self._channels[event.channel]
        visitor: Visitor | None = None
        if event.person is not None:
            if event.person in self._blocks:
                self.given_up += 1
                return
            # Nobody speaks before they are there, though coming may be told later.
            visitor = self._people.roster.came(event.channel, event.person)
        if _is_past(event):
            channel.past += 1
        elif len(channel.turns) - channel.past >= CHANNEL_LIMIT or _is_flood(visitor):
            self.given_up += 1
            return
        if visitor is not None:
            visitor.speaking[event.channel] += 1
            visitor.past += _is_past(event)
        channel.turns.put(visitor, event)
        channel.changed.set()
        channel.idle.clear()

    async def run(self) -> None:
        """Does what was told until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for name in self._rooms:
                group.create_task(self._work(self._channels[name]))

    async def drain(self, within_s: float) -> None:
        """Waits until all that was told is done, if that is soon."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await asyncio.gather(*(one.idle.wait() for one in self._channels.values()))

    async def _work(self, channel: _Channel) -> None:
        while True:
            channel.changed.clear()
            turn = channel.turns.next(time.monotonic(), self._wait_s)
            if not isinstance(turn, Turn):
                with suppress(TimeoutError):
                    async with asyncio.timeout(turn):
                        await channel.changed.wait()
                continue
            try:
                await self._do(turn.visitor, turn.event)
            except (Refused, Failure) as error:
                self.given_up += 1
                logger.debug("bridge %s: not in the chat: %s", self._bridge, error)
            finally:
                channel.turns.done(turn)
                channel.past -= _is_past(turn.event)
                if not channel.turns:
                    channel.idle.set()
                if turn.visitor is not None:
                    self._has_spoken(turn.visitor, turn.event)

    def _wait_s(self, turn: Turn) -> float:
        """How long the chat's limits have somebody wait; others speak meanwhile."""
        if turn.visitor is None or isinstance(turn.event, net.TopicSet):
            # The remote's own rules let somebody do this, and ours do not count it.
            return 0.0
        user, room = turn.visitor.user, self._rooms[turn.event.channel]
        return self._service.talking.wait_s(user, room, is_past=_is_past(turn.event))

    def _has_spoken(self, visitor: Visitor, event: Heard) -> None:
        channel = event.channel
        visitor.past -= _is_past(event)
        visitor.speaking[channel] -= 1
        if not visitor.speaking[channel]:
            del visitor.speaking[channel]
            if channel not in visitor.wanted:
                self._people.roster.dirty[visitor] = None
                self._people.wake()

    async def _do(self, visitor: Visitor | None, event: Heard) -> None:
        room = self._service.live.room(self._rooms[event.channel])
        if room is None:
            return
        if isinstance(event, net.TopicSet):
            await self._topic(room, visitor, event)
            return
        if visitor is None:
            if isinstance(event, net.Retracted):
                await self._take_away(room, None, event)
            return
        is_moving = visitor in self._people.roster.dirty or visitor.lock.locked()
        if is_moving or not visitor.user or event.channel not in visitor.present:
            # What they say they say under the name, and in the place, that they have now.
            await self._people.settle(visitor)
        if not visitor.user:
            self.given_up += 1
            return
        await self._doing[type(event)](room, visitor, event)

    def _is_known(self, event: Heard) -> bool:
        """Whether the chat has it already."""
        if not isinstance(event, net.Said) or not event.remote_id:
            return False
        return bool(self._ledger.message(self._bridge, event.channel, event.remote_id))

    def _caller(self, visitor: Visitor) -> LinkCaller:
        return LinkCaller(visitor.user, self._bridge)

    async def _say(self, room: Room, visitor: Visitor, event: Heard) -> None:
        assert isinstance(event, net.Said)  # noqa: S101 - by the table
        ledger, bridge, channel = self._ledger, self._bridge, event.channel
        if self._is_known(event):
            # It came twice before the first of them had its turn.
            return
        talking = self._service.talking
        await talking.may_speak(visitor.user, room.id, is_past=event.is_past)
        text = event.text[: self._service.config.text_limit]
        if event.kind == "text":
            text = addressed(text, lambda nick: _nick_of(room, nick))
        params = wire.SayParams(
            room.id,
            text,
            self._nonce(event),
            event.kind,
            self._message_of(room, channel, event.reply_to),
            event.lang,
        )
        caller, via = self._caller(visitor), Via(bridge, visitor.person.name)
        try:
            sent = await talking.say_for(caller, params, via, is_past=event.is_past)
        except Refused as refused:
            if refused.code != 400 or not event.lang:
                raise
            # A language that is none is the sender's mistake, and no reason to be silent.
            retried = wire.SayParams(
                room.id,
                params.text,
                params.nonce,
                params.kind,
                params.reply_to,
            )
            sent = await talking.say_for(caller, retried, via, is_past=event.is_past)
        self.taken += 1
        message = sent.message.id
        visitor.last[channel] = message
        if event.remote_id:
            ledger.name(bridge, channel, event.remote_id, message, self._service.now_ms())

    def named(self, channel: str, event: RoomEvent) -> None:
        """Notes what the remote calls a message of its own that the chat has.

        Before anything else is done about it: a process that is killed right behind finds it told,
        whoever its author is by then.
        """
        if not isinstance(event, Spoken) or event.message is None:
            return
        via, prefix = event.message.via, f"{self._bridge}:"
        if via is not None and via.bridge == self._bridge and event.nonce.startswith(prefix):
            remote_id, now = event.nonce.removeprefix(prefix), self._service.now_ms()
            self._ledger.name(self._bridge, channel, remote_id, event.message.id, now)

    def _nonce(self, event: net.Said) -> str:
        if not event.remote_id:
            return ""
        written = f"{self._bridge}:{event.remote_id}"
        if len(written) <= NONCE_LIMIT:
            return written
        return hashlib.sha256(written.encode()).hexdigest()

    def _message_of(self, room: Room, channel: str, remote_id: str) -> str:
        """The chat's id of what a remote means; empty: it is not known, or gone."""
        if not remote_id:
            return ""
        found = self._ledger.message(self._bridge, channel, remote_id)
        try:
            return self._service.live.message(room, found).id if found else ""
        except Refused:
            return ""

    async def _edit(self, room: Room, visitor: Visitor, event: Heard) -> None:
        assert isinstance(event, net.Edited)  # noqa: S101
        channel = event.channel
        message = (
            self._message_of(room, channel, event.before)
            if event.before
            else visitor.last.get(channel, "")
        )
        if not message or self._service.live.message(room, message).user != visitor.user:
            said = net.Said(channel, event.person, event.text, event.remote_id, lang=event.lang)
            await self._say(room, visitor, said)
            return
        await self._service.talking.may_speak(visitor.user, room.id)
        text = event.text[: self._service.config.text_limit]
        params = wire.EditParams(room.id, message, text, event.lang)
        await self._service.talking.edit(self._caller(visitor), params)
        if event.remote_id:
            now = self._service.now_ms()
            self._ledger.name(self._bridge, channel, event.remote_id, message, now)

    async def _retract(self, room: Room, visitor: Visitor, event: Heard) -> None:
        assert isinstance(event, net.Retracted)  # noqa: S101
        id_ = self._message_of(room, event.channel, event.remote_id)
        if not id_:
            return
        if self._service.live.message(room, id_).user == visitor.user:
            params = wire.MessageParams(room.id, id_)
            await self._service.talking.may_speak(visitor.user, room.id)
            await self._service.talking.delete(self._caller(visitor), params)
        else:
            await self._take_away(room, visitor, event)

    async def _take_away(self, room: Room, visitor: Visitor | None, event: net.Retracted) -> None:
        """The remote's moderators rule over what the remote's people have said."""
        id_ = self._message_of(room, event.channel, event.remote_id)
        if not id_ or not event.is_vouched:
            return
        message = self._service.live.message(room, id_)
        if message.via is not None and message.via.bridge == self._bridge:
            await self._rule(room, visitor, Delete(message))

    async def _react(self, room: Room, visitor: Visitor, event: Heard) -> None:
        assert isinstance(event, net.Reacted)  # noqa: S101
        id_ = self._message_of(room, event.channel, event.remote_id)
        if id_:
            params = wire.ReactParams(room.id, id_, event.emoji, event.on)
            await self._service.talking.may_speak(visitor.user, room.id)
            await self._service.talking.react(self._caller(visitor), params)

    async def _react_with(self, room: Room, visitor: Visitor, event: Heard) -> None:
        assert isinstance(event, net.ReactedWith)  # noqa: S101
        id_ = self._message_of(room, event.channel, event.remote_id)
        if not id_:
            return
        had = self._service.live.message(room, id_).reactions
        mine = {emoji for emoji, users in had.items() if visitor.user in users}
        for emoji in sorted(mine ^ set(event.emojis)):
            params = wire.ReactParams(room.id, id_, emoji, emoji in event.emojis)
            await self._service.talking.may_speak(visitor.user, room.id)
            await self._service.talking.react(self._caller(visitor), params)

    async def _topic(self, room: Room, visitor: Visitor | None, event: net.TopicSet) -> None:
        topic = " ".join(event.topic.split())[:TOPIC_LIMIT]
        if self._topics and topic != room.topic:
            await self._rule(room, visitor, Configure(topic=topic))

    async def _rule(self, room: Room, visitor: Visitor | None, command: Configure | Delete) -> None:
        """Does what the remote's rules let somebody do, though the chat's might not."""
        user = visitor.user if visitor is not None else ""
        name = visitor.person.name if visitor is not None else self._bridge
        commander = Commander(user or self._bridge, name, is_owner=True)
        caller = LinkCaller(commander.user, self._bridge)
        await self._service.live.carry_out(room, command, commander, origin=caller)


def _is_past(event: Heard) -> bool:
    """Whether it was said while we were away: what a remote remembers is bounded by the remote."""
    return isinstance(event, net.Said) and event.is_past


def _is_flood(visitor: Visitor | None) -> bool:
    return visitor is not None and visitor.speaking.total() - visitor.past >= VISITOR_LIMIT


def _nick_of(room: Room, nick: str) -> str | None:
    """How the chat writes the nick of a member."""
    member = room.members.get(room.nicks.get(folded(nick), ""))
    return member.nick if member is not None else None
