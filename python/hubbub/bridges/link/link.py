"""`Link`: one bridge. Joins a remote to the chat: hears both, keeps the ledger between them."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from hubbub.apps.chat import ChatService
from hubbub.apps.chat import events as ev
from hubbub.apps.chat.events import Heard, RoomEvent
from hubbub.apps.chat.room import Room
from hubbub.bridges.link import places
from hubbub.bridges.link import remote as net
from hubbub.bridges.link.asking import Asking
from hubbub.bridges.link.blocking import Blocks
from hubbub.bridges.link.flow import Flow
from hubbub.bridges.link.incoming import Incoming
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.outgoing import Outgoing
from hubbub.bridges.link.people import People
from hubbub.bridges.link.settings import LinkSettings
from hubbub.config import duration_s
from hubbub.log import logger
from hubbub.stats import BridgeStats

_TICK_S = 1.0
_TICKS_OF_CARE = 60
AWAY_S = 60.0
"""How long people of a remote that is not seen are kept as members, offline."""

CLOSE_S = 2.0
"""How long the end waits for what is underway in either direction."""

_AGAIN_S = 5.0
_MISSED_LIMIT = 10_000


class Link:
    """One bridge.

    Args:
        service: The chat.
        name: What the configuration calls it.
        settings: Its settings.
        remote: The other network.
        ledger: What must not be forgotten; open as long as `run` runs.
    """

    def __init__(
        self,
        service: ChatService,
        name: str,
        settings: LinkSettings,
        remote: net.Remote,
        ledger: Ledger,
    ) -> None:
        self.name = name
        self.state = "starting"
        """"up", "down", "paused", or why it does not run."""

        self._service = service
        self._settings = settings
        self._remote = remote
        self._ledger = ledger
        self._channels: dict[str, str] = {}
        self._rooms: dict[str, str] = {}
        self._blocks = Blocks(settings.blocked)
        label = settings.label or name
        self._people = People(service, name, label, self._rooms, ledger, self._blocks)
        self._incoming = Incoming(
            service,
            name,
            self._rooms,
            self._people,
            ledger,
            self._blocks,
            topics=settings.topics,
        )
        topics = settings.topics
        self._outgoing = Outgoing(service, name, self._people, ledger, topics=topics)
        self._asking = Asking(service, name, self._people, ledger, remote)
        self._flows: dict[str, Flow] = {}
        self._is_active = False
        self._resumed = asyncio.Event()
        self._paused = asyncio.Event()
        self._settling = asyncio.Event()
        self._down_since = 0.0
        self._entered: set[str] = set()
        self._moved: set[str] = set()
        self._counts = dict.fromkeys(
            ("connections", "rejoins", "out", "given_up", "uncertain", "loops"), 0
        )
        service.listen(self._heard)

    # Its life

    async def run(self) -> None:
        """Joins the two until it is cancelled; the ledger is open."""
        self._blocks_from_ledger()
        self._people.open()
        self._asking.open()
        self._rooms.update(await places.found(self._service, self._settings.rooms))
        self._channels = {room: channel for channel, room in self._rooms.items()}
        if not self._remote.remembers:
            self._counts["uncertain"] += self._ledger.take_uncertain(self.name)
        for channel in self._rooms:
            deliver = self._refreshing(channel)
            self._flows[channel] = Flow(self._ledger, self.name, channel, deliver)
        self._catch_up()
        self._remote.join(list(self._rooms))
        if not self._ledger.is_paused(self.name):
            self._resumed.set()
        connecting = asyncio.create_task(self._connect())
        beside = [
            asyncio.create_task(one)
            for one in (self._people.run(), self._incoming.run(), self._care())
        ]
        try:
            done, _ = await asyncio.wait([connecting, *beside], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            # First the remote, so that nothing more comes; then what has come is said.
            connecting.cancel()
            await asyncio.wait([connecting])
            await self._incoming.drain(CLOSE_S)
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            self._is_active = False
            self._people.away()

    async def _connect(self) -> None:
        while True:
            if not self._resumed.is_set():
                self.state = "paused"
                await self._resumed.wait()
            self.state = "down"
            self._paused.clear()
            running = asyncio.create_task(self._remote.run(self._told))
            pausing = asyncio.create_task(self._paused.wait())
            try:
                await asyncio.wait([running, pausing], return_when=asyncio.FIRST_COMPLETED)
            finally:
                await self._hold()
                running.cancel()
                pausing.cancel()
                await asyncio.wait([running, pausing])
                self._down("closed")
            if not running.cancelled() and (error := running.exception()) is not None:
                logger.error("bridge %s: %s", self.name, error, exc_info=error)
                self.state = f"failed: {error}"
            if self._resumed.is_set():
                await asyncio.sleep(_AGAIN_S)

    async def _hold(self) -> None:
        """Gives the remote nothing more, and waits until it has acknowledged what it was given."""
        for flow in self._flows.values():
            flow.hold()
        try:
            async with asyncio.timeout(CLOSE_S):
                while any(flow.underway is not None for flow in self._flows.values()):
                    await self._settling.wait()
                    self._settling.clear()
        except TimeoutError:
            logger.info("bridge %s: not acknowledged in time: said again later", self.name)

    def _catch_up(self) -> None:
        """Takes what has happened since this ended last, and from now on what is heard.

        Nothing is awaited in between: each event is taken once.
        """
        for id_, channel in self._channels.items():
            cursor = self._ledger.cursor(self.name, id_)
            room = self._service.live.room(id_)
            if room is None:
                continue
            if cursor is None:
                stored = self._service.store.here.since(id_, 0, 0, "").seq
                self._ledger.take(self.name, id_, stored, None)
                continue
            missed = self._service.store.here.since(id_, cursor, _MISSED_LIMIT, None)
            if not missed.is_all:
                logger.warning("bridge %s: %s: too much was missed", self.name, channel)
                self._ledger.take(self.name, id_, missed.seq, None)
            for raw in missed.events:
                self._take(room, channel, msgspec.json.decode(raw, type=RoomEvent), None)
        self._is_active = True

    async def _care(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_S)
            ticks += 1
            self._tell_presence()
            is_lost = self.state != "up" and time.monotonic() - self._down_since > AWAY_S
            if is_lost and self._people.roster.visitors:
                for channel in self._rooms:
                    self._people.roster.shut(channel)
                self._people.wake()
            if is_lost or (self.state == "up" and all(f.is_open for f in self._flows.values())):
                await self._people.see_out()
            if ticks % _TICKS_OF_CARE == 1:
                self._shorten()

    def _shorten(self) -> None:
        settings, now = self._settings, self._service.now_ms()
        before = now - int(duration_s(settings.queue_age) * 1000)
        gone = self._ledger.shorten(self.name, settings.queue_limit, before)
        if gone:
            self._counts["given_up"] += gone
            logger.warning("bridge %s: %d messages waited too long", self.name, gone)
            for flow in self._flows.values():
                flow.forget()
        self._ledger.forget_names(now - int(duration_s(settings.names_age) * 1000))

    # What the chat tells

    def _heard(self, room: Room, event: Heard, origin: object) -> None:
        channel = self._channels.get(room.id)
        if channel is None or not self._is_active:
            return
        if isinstance(event, ev.Presence | ev.MemberSet | ev.Parted):
            self._moved.add(channel)
        if isinstance(event, ev.Typing | ev.Presence):
            return
        if isinstance(event, ev.Parted) and event.kind in ("kick", "ban"):
            self._people.put_out(room, event.user)
        self._take(room, channel, event, origin)

    def _take(self, room: Room, channel: str, event: RoomEvent, origin: object) -> None:
        self._incoming.named(channel, event)
        delivery = self._outgoing.delivery(room, channel, event, origin)
        self._ledger.take(self.name, room.id, event.seq, delivery)
        if isinstance(event, ev.Said) and event.message is not None:
            self._asking.heard(channel, event.message)
        if delivery is not None and (flow := self._flows.get(channel)) is not None:
            flow.pump()

    def _refreshing(self, channel: str) -> Callable[[net.Delivery], None]:
        return lambda delivery: self._remote.deliver(self._outgoing.refreshed(delivery))

    def _tell_presence(self) -> None:
        moved, self._moved = self._moved, set()
        for channel in moved:
            room = self._service.live.room(self._rooms[channel])
            if room is not None:
                online = filter(self._service.people.is_online, room.members)
                authors = [
                    self._outgoing.author(user) for user in online if not self._people.is_ours(user)
                ]
                self._remote.present(channel, authors)

    # What the remote tells

    def _told(self, event: net.Told) -> None:
        try:
            self._hear(event)
        except Exception:
            # What one line of theirs does to us, the others must not suffer for.
            logger.exception("bridge %s: %s", self.name, type(event).__name__)

    def _hear(self, event: net.Told) -> None:
        roster = self._people.roster
        match event:
            case net.Sending():
                self._ledger.sending(event.number)
            case net.Acknowledged():
                self._settled(event.number, event.remote_id, is_told=True)
            case net.Rejected():
                logger.info("bridge %s: not taken there: %s", self.name, event.reason)
                self._settled(event.number, "", is_told=False)
            case net.Said() if event.origin and event.origin == self._remote.mark:
                self._counts["loops"] += 1
            case (
                net.Said()
                | net.Edited()
                | net.Retracted()
                | net.Reacted()
                | net.ReactedWith()
                | net.TopicSet()
            ):
                self._incoming.hear(event)
            case net.Came():
                roster.came(event.channel, event.person)
            case net.Went():
                roster.went(event.channel, event.person)
            case net.Quit():
                roster.quit(event.person)
            case net.Renamed():
                roster.renamed(event.before, event.person)
            case net.Asked():
                if event.person not in self._blocks:
                    self._asking.answer(event)
            case net.Up():
                self.state = "up"
                self._counts["connections"] += 1
                logger.info("bridge %s: connected", self.name)
            case net.Down():
                self._down(event.reason)
            case net.Opened():
                self._opened(event)
            case net.Shut():
                logger.warning("bridge %s: out of %s: %s", self.name, event.channel, event.reason)
                roster.shut(event.channel)
                if (flow := self._flows.get(event.channel)) is not None:
                    flow.shut()
        if roster.dirty:
            self._people.wake()

    def _opened(self, event: net.Opened) -> None:
        flow = self._flows.get(event.channel)
        if flow is None:
            return
        self._people.roster.opened(event.channel, event.people)
        if event.channel in self._entered:
            self._counts["rejoins"] += 1
        self._entered.add(event.channel)
        self._moved.add(event.channel)
        if event.topic:
            self._incoming.hear(net.TopicSet(event.channel, None, event.topic))
        flow.open()

    def _down(self, reason: str) -> None:
        if self.state == "up":
            logger.warning("bridge %s: the connection is lost: %s", self.name, reason)
            self.state, self._down_since = "down", time.monotonic()
        for flow in self._flows.values():
            flow.shut()
        self._people.away()

    def _settled(self, number: int, remote_id: str, *, is_told: bool) -> None:
        self._ledger.done(number)
        for flow in self._flows.values():
            delivery = flow.settled(number)
            if delivery is None:
                continue
            self._counts["out" if is_told else "given_up"] += 1
            if remote_id and isinstance(delivery.what, net.Say | net.Edit):
                now = self._service.now_ms()
                self._ledger.name(self.name, delivery.channel, remote_id, delivery.message, now)
            flow.pump()
            self._settling.set()
            return

    # What is ordered, and told

    def pause(self) -> None:
        """Leaves the remote; what is said in the chat meanwhile waits."""
        self._ledger.pause(self.name, on=True)
        self._resumed.clear()
        self._paused.set()

    def resume(self) -> None:
        """Comes back."""
        self._ledger.pause(self.name, on=False)
        self._resumed.set()

    def block(self, who: str) -> None:
        """Does not hear somebody, or a domain, any more, and shows them out."""
        self._ledger.block(self.name, who)
        self._blocks.add(who)
        self._look_again()

    def unblock(self, who: str) -> None:
        """Hears them again."""
        self._ledger.unblock(self.name, who)
        self._blocks.remove(who)
        self._look_again()

    def _look_again(self) -> None:
        roster = self._people.roster
        roster.dirty.update(dict.fromkeys(roster.visitors.values()))
        self._people.wake()

    def _blocks_from_ledger(self) -> None:
        for who in self._ledger.blocks(self.name):
            self._blocks.add(who)

    def stats(self) -> BridgeStats:
        """What it has done, and how it is."""
        counts = self._counts
        queue, oldest_ms = self._ledger.length(self.name) if self._is_active else (0, 0)
        lag_s = max(0.0, (self._service.now_ms() - oldest_ms) / 1000) if queue else 0.0
        return BridgeStats(
            int(self.state == "up"),
            queue,
            lag_s,
            sum(flow.is_open for flow in self._flows.values()),
            self._people.count,
            counts["rejoins"],
            counts["connections"],
            self._incoming.taken,
            counts["out"],
            self._incoming.given_up,
            counts["given_up"],
            counts["uncertain"],
            counts["loops"],
        )

    def report(self) -> dict[str, Any]:
        """How it is, for people."""
        blocked = self._ledger.blocks(self.name) if self._is_active else []
        channels = {
            channel: {"open": flow.is_open, "room": self._rooms[channel]}
            for channel, flow in self._flows.items()
        }
        return {"state": self.state, "channels": channels, "blocked": blocked}
