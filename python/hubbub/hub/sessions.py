"""Sessions: what each command of a client does, and what a session leaves when it ends.

Knows the protocol's rules and the hub's tables; who may do what is asked of `Rules`, frames leave
by a `Transport`. Nothing here waits: where a hook has to, the caller does (see `dispatch`).
"""

import itertools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection
from typing import Protocol

from msgspec import Raw

from hubbub._core import Authors, Channels, Request
from hubbub.errors import Misuse
from hubbub.hub import codes, wire
from hubbub.hub.client import Client, Subscription
from hubbub.hub.codes import Disconnected, End
from hubbub.hub.deltas import Deltas, as_text
from hubbub.hub.limits import HubLimits, Meters
from hubbub.hub.options import ChannelOptions, ChannelTable
from hubbub.hub.publishing import Place, Publishing
from hubbub.hub.storage import Entry, HistoryStore
from hubbub.hub.storms import Later, Storms
from hubbub.hub.transports import Listeners, Transport
from hubbub.log import logger
from hubbub.stats import HubStats

CHANNEL_LIMIT_BYTES = 255
HISTORY_LIMIT = 1_000
"""How many publications one answer holds at most."""


class Publish(Protocol):
    """Sends a frame to all WebSockets that hear a topic."""

    def __call__(self, topic: str, message: str, /, *, key: str | None = None) -> int:
        """Tells to how many; under a key it may replace one that waits."""
        ...


# Bytes that no channel's name has: topics of one hub, of another and of the app's own endpoints
# never meet.
_ALL, _JOINS, _WHOLE, _CHANGES, _PINGS = "\x01", "\x02", "\x03", "\x04", "\x05"
_END = "\x06"

# Invisible, but no word of Persian and no family of emoji is spelled without them.
_JOINERS = {ord(one): None for one in "\u200c\u200d"}


class Sessions:
    """All clients of one hub, and the channels they are in.

    Args:
        publish: How WebSockets are reached.
        table: What channels do.
        clock_s: Seconds since the epoch of Unix.
        store: Where persistent channels are kept; they need one.
        limits: How much each client and each user may do.
        scope: Tells this hub from others of the module, and stays the same when it is reloaded.
        later: Calls something so many seconds from now; without it, each who comes and goes is
            told at once, however many they are.
    """

    def __init__(
        self,
        publish: Publish,
        table: ChannelTable,
        clock_s: Callable[[], float] = time.time,
        store: HistoryStore | None = None,
        limits: HubLimits | None = None,
        scope: str = "",
        later: Later | None = None,
    ) -> None:
        self.meters = Meters(limits or HubLimits())
        self.full = 0
        """Subscriptions that were refused because memory was full."""

        self.storms = Storms(self._tell_gathered, later)
        self._all, self._joins, whole, changes, self._pings = (
            f"{kind}{scope}{_END}" for kind in (_ALL, _JOINS, _WHOLE, _CHANGES, _PINGS)
        )
        self.deltas = Deltas(self._tell, whole, changes)
        self.channels = Channels(secrets.randbits(64))
        self.authors = Authors()
        """Who may go on publishing where they have: forgotten when something changes that."""

        self.listeners = Listeners()
        self.clients: dict[str, Client] = {}
        self.users: dict[str, dict[Client, None]] = {}
        self.clock_s = clock_s
        self.node = secrets.token_hex(4)
        self._publish = publish
        self._table = table
        self._store = store
        self._numbers = itertools.count(1)
        self._declare()

    def _declare(self) -> None:
        for pattern, options in self._table.declared():
            self.channels.set_options(
                pattern,
                self.clock_s(),
                history_limit=options.history_limit,
                history_age_s=options.history_age_s,
                history_limit_bytes=options.history_bytes,
                resumable_s=options.resumable_s,
                presence=options.presence,
                numbered=options.is_numbered,
            )

    def take_over(self, other: "Sessions") -> None:
        """Goes on with the clients and channels of another, which must not be used any more."""
        self.channels, self.listeners = other.channels, other.listeners
        self.clients, self.users, self.node = other.clients, other.users, other.node
        self._numbers = other._numbers
        self.deltas.take_over(other.deltas)
        self.meters.take_over(other.meters)
        other.storms.calm_all()
        self.full = other.full
        for client in self.clients.values():
            client.sessions = self
        self._declare()

    # Comings and goings

    def open(self, request: Request, transport: Transport) -> Client:
        """A connection that has not said who it is yet."""
        name = secrets.token_urlsafe(12)
        return Client(name, next(self._numbers), request, transport, self)

    def enter(self, client: Client) -> None:
        """The client is who it says.

        Raises:
            Disconnected: Its user has too many connections.
        """
        client.user_meter = self.meters.enter(client.user, self.clock_s())
        client.is_connected = True
        self.clients[client.id] = client
        if client.user:
            self.users.setdefault(client.user, {})[client] = None

    def leave(self, client: Client) -> None:
        """The connection is gone: so are its subscriptions and its presence."""
        if client.is_connected and not client.is_closed:
            self.meters.leave(client.user, self.clock_s())
        client.is_closed = True
        self.authors.forget(client.number)
        for subscription in tuple(client.subscriptions.values()):
            self._forget(client, subscription)
        self.clients.pop(client.id, None)
        others = self.users.get(client.user)
        if others is not None:
            others.pop(client, None)
            if not others:
                del self.users[client.user]

    def disconnect(self, client: Client, why: Disconnected) -> None:
        """Sends a client away."""
        if not client.is_closed and not client.is_leaving:
            client.is_leaving = True
            client.transport.close(why.code, why.reason)

    # Subscriptions

    def check_subscribe(self, client: Client, channel: str) -> None:
        """Whether the client could subscribe, were it allowed to.

        Raises:
            Refused: It could not.
        """
        check_name(channel)
        if channel in client.subscriptions:
            raise codes.already_subscribed()
        limit = self.meters.limits.subscriptions
        if limit and len(client.subscriptions) >= limit:
            raise codes.limit_exceeded()

    def check_names(self, channels: Collection[str]) -> None:
        """Whether somebody could hear as many channels of these names.

        Raises:
            Refused: He could not.
        """
        for channel in channels:
            check_name(channel)
        limit = self.meters.limits.subscriptions
        if limit and len(channels) > limit:
            raise codes.limit_exceeded()

    def check_room(self, channel: str) -> None:
        """Whether there is memory for one more in a channel.

        Raises:
            Refused: There is none, and nothing left to forget.
        """
        if self.channels.is_full and self._is_remembered(channel):
            self.full += 1
            raise codes.limit_exceeded()

    def check_creation(self, client: Client, channel: str) -> None:
        """Whether the client may call a channel into being, if it is not there.

        Raises:
            Refused: It may not.
        """
        if channel not in self.channels and self._is_remembered(channel):
            self.meters.creation(
                client.meter, client.user_meter, len(self.channels), self.clock_s()
            )

    def _is_remembered(self, channel: str) -> bool:
        options = self._table.of(channel)
        return options.is_numbered or options.presence

    def enrol(self, client: Client, channel: str, *, info: bytes = b"", data: bytes = b"") -> None:
        """Subscribes a client that has not asked, and tells it.

        Raises:
            Refused: The name is none, or it has too many subscriptions.
        """
        if client.is_closed or channel in client.subscriptions:
            return
        subscription = Subscription(channel, is_server_side=True, info=info)
        wanted = wire.SubscribeRequest(channel, join_leave=True)
        result = self.subscribe(client, subscription, wanted, data)
        client.transport.send(wire.push(channel, "subscribe", result))
        self.announce(client, channel)

    def refresh(self, client: Client, expires_at_s: float) -> None:
        """Changes when a client has to refresh, and tells it; 0: never."""
        client.expires_at_s = expires_at_s
        told: dict[str, object] = {}
        if expires_at_s:
            told = {"expires": True, "ttl": ttl_s(expires_at_s, self.clock_s())}
        client.transport.send(wire.push("", "refresh", told))

    def subscribe(
        self,
        client: Client,
        subscription: Subscription,
        request: wire.SubscribeRequest,
        data: bytes = b"",
    ) -> wire.SubscribeResult:
        """Subscribes; between what was missed and what comes now there is no gap.

        Raises:
            Refused: It is subscribed already, or by now has too many subscriptions.
        """
        channel, now_s = subscription.channel, self.clock_s()
        # Again: while a hook was asked, another command may have done it.
        self.check_subscribe(client, channel)
        options = self._table.of(channel)
        subscription.wants_join_leave = request.join_leave and options.join_leave
        subscription.wants_delta = request.delta == "fossil" and options.delta
        result = wire.SubscribeResult(delta=subscription.wants_delta)
        if data:
            result.data = Raw(data)
        if subscription.expires_at_s:
            result.expires = True
            result.ttl = ttl_s(subscription.expires_at_s, now_s)
        self._load(channel, options)
        place = self.channels.position(channel, now_s)
        if place is not None:
            result.epoch, result.offset = place
            result.recoverable = result.positioned = options.history_limit > 0
            if request.recover and result.recoverable:
                self._recover(options.cache, request, result, now_s)
        if subscription.wants_delta:
            try:
                result.publications = [as_text(one) for one in result.publications]
            except RecursionError:
                # Nested too deeply to be taken apart: it goes out as it is, and what follows too.
                subscription.wants_delta = result.delta = False
        client.subscriptions[channel] = subscription
        subscription.is_counted = self.channels.hear(channel, now_s)
        self.authors.forget(client.number)
        self._listen(client, subscription, result)
        if options.presence:
            about = client.about(subscription)
            self.channels.join(channel, client.number, client.id, client.user, about, now_s)
        return result

    def announce(self, client: Client, channel: str) -> None:
        """Tells the others of a new subscription, once the client has its answer."""
        subscription = client.subscriptions.get(channel)
        if subscription is not None and self._table.of(channel).join_leave:
            self.storms.tell(channel, "join", client.id, client.about(subscription))

    def unsubscribe(self, client: Client, channel: str) -> None:
        """Ends a subscription because the client wants that; none is no mistake."""
        subscription = client.subscriptions.get(channel)
        if subscription is not None:
            self._forget(client, subscription)

    def end(self, client: Client, channel: str, end: End) -> None:
        """Ends a subscription and tells the client why."""
        subscription = client.subscriptions.get(channel)
        if subscription is not None:
            self._forget(client, subscription)
            told = {"code": end.code, "reason": end.reason}
            client.transport.send(wire.push(channel, "unsubscribe", told))

    # What is said

    def publish(
        self,
        channel: str,
        data: bytes,
        *,
        info: bytes | None = None,
        tags: bytes | None = None,
        key: str | None = None,
        conflate: str | None = None,
    ) -> Publishing:
        """Publishes JSON to all who hear a channel: at once, or when it is on disk.

        Args:
            channel: Its name.
            data: JSON.
            info: JSON: who publishes it.
            tags: JSON: what else is said.
            key: A publication with the same key within two minutes is left out.
            conflate: Of those that wait for a slow reader, the newest of each stays, where the
                channel says so.

        Raises:
            Misuse: It is no UTF-8.
        """
        data = _fit(data)
        if info is not None:
            info = _fit(info)
        options = self._table.of(channel)
        if not options.persistent or self._store is None:
            return Publishing(self.say(channel, options, data, info, tags, key, conflate))
        self._load(channel, options)
        now_s = self.clock_s()
        epoch, stands = self.channels.position(channel, now_s) or ("", 0)
        limit, age_s = options.history_limit, options.history_age_s
        entry = Entry(channel, epoch, stands, now_s, data, info, tags, key, limit, age_s)
        publishing = Publishing()

        def done(offset: int, is_new: bool, failure: Exception | None) -> None:
            if failure is not None:
                publishing.fail(failure)
                return
            if not is_new:
                publishing.settle((offset, epoch))
                return
            try:
                self._catch_up(channel, options, (epoch, offset - 1))
                # Without the key: the disk has decided, and its memory is the longer one.
                publishing.settle(self.say(channel, options, data, info, tags))
            except Exception as error:
                publishing.fail(error)
                raise

        self._store.append(entry, done)
        return publishing

    def say(
        self,
        channel: str,
        options: ChannelOptions,
        data: bytes,
        info: bytes | None = None,
        tags: bytes | None = None,
        key: str | None = None,
        conflate: str | None = None,
    ) -> Place:
        """Publishes what need not be stored, or is: everybody hears it now. See `publish`."""
        frame, offset, epoch = self.channels.publish(
            channel, data, self.clock_s(), info=info, tags=tags, key=key
        )
        if frame is not None:
            topic = self._all + channel
            self._publish(topic, frame, key=conflate)
            self.listeners.tell(topic, frame, options.slow, conflate)
            self.deltas.tell(channel, data, offset, info, tags)
        return offset, epoch

    def may_go_on(self, client: Client, channel: str, options: ChannelOptions, info: bytes) -> None:
        """A client has published, and nobody need be asked whether it may again."""
        if channel in self.deltas:
            # Declared otherwise since somebody began to hear it so.
            return
        self.authors.allow(
            client.number,
            channel,
            self._all + channel,
            options.is_numbered or options.presence,
            client.user,
            client.info,
            info,
            self.meters.of_publication(client.meter, client.user_meter),
        )

    def go_on(self, client: Client, frame: str | bytes) -> str | None:
        """Publishes what a client says where it may go on; tells its answer, None: not done."""
        return self.authors.publish(
            client.number,
            frame,
            client.user,
            client.info,
            self.channels,
            self.clock_s(),
            self._tell,
        )

    def _load(self, channel: str, options: ChannelOptions) -> None:
        """Brings a persistent channel back that nobody has asked for yet."""
        if not options.persistent or self._store is None or channel in self.channels:
            return
        stream = self._store.load(channel, options.history_limit)
        if stream is not None:
            self.channels.restore(
                channel, stream.epoch, stream.offset, stream.publications, self.clock_s()
            )

    def _catch_up(self, channel: str, options: ChannelOptions, place: tuple[str, int]) -> None:
        """Lets memory stand where the disk stood before a publication that is to be said."""
        now_s = self.clock_s()
        if self._store is None or self.channels.position(channel, now_s) == place:
            return
        epoch, offset = place
        stream = self._store.load(channel, options.history_limit, until=offset)
        is_same = stream is not None and (stream.epoch, stream.offset) == place
        kept = stream.publications if stream is not None and is_same else []
        logger.warning("history: %s stood elsewhere in memory than on disk: %d", channel, offset)
        self.channels.restore(channel, epoch, offset, kept, now_s)

    def _read_again(self, channel: str, place: tuple[str, int]) -> bool:
        """Brings back from the disk what had to be forgotten, unless more is on its way there."""
        options = self._table.of(channel)
        if not options.persistent or self._store is None:
            return False
        stream = self._store.load(channel, options.history_limit)
        if stream is None or (stream.epoch, stream.offset) != place:
            return False
        self.channels.restore(channel, *place, stream.publications, self.clock_s())
        return True

    def history(self, request: wire.HistoryRequest) -> dict[str, object]:
        """What a channel remembers.

        Raises:
            Refused: The position is of another stream.
        """
        now_s = self.clock_s()
        self._load(request.channel, self._table.of(request.channel))
        epoch, offset = self.channels.position(request.channel, now_s) or ("", 0)
        since = request.since
        if since is not None and since.epoch not in ("", epoch):
            raise codes.unrecoverable_position()
        limit = HISTORY_LIMIT if request.limit < 0 else min(request.limit, HISTORY_LIMIT)
        found = self.channels.history(
            request.channel,
            now_s,
            limit=limit,
            since=since.offset if since is not None else None,
            reverse=request.reverse,
        )
        return {"publications": [Raw(one) for one in found], "epoch": epoch, "offset": offset}

    def stats(self) -> HubStats:
        """What has been counted."""
        histories, publications = self.channels.given_up
        meters, listeners = self.meters, self.listeners
        return HubStats(
            clients=len(self.clients),
            users=len(self.users),
            channels=len(self.channels),
            held_bytes=self.channels.held_bytes,
            streams_held_bytes=listeners.held_bytes,
            histories_shrunk=histories,
            publications_forgotten=publications,
            full=self.full,
            over_rate=meters.refused,
            sent_away=meters.sent_away,
            over_user_connections=meters.over_connections,
            denied=meters.denied,
            streams_dropped=listeners.dropped,
            streams_conflated=listeners.conflated,
            streams_slow_closed=listeners.slow_closed,
        )

    def heard(self, pattern: str) -> dict[str, int]:
        """How many clients hear each channel: of this name, or that begins so before a star."""
        prefix = pattern.removesuffix("*")
        is_prefix = prefix != pattern
        return Counter(
            channel
            for client in self.clients.values()
            for channel in client.subscriptions
            if (channel.startswith(prefix) if is_prefix else channel == pattern)
        )

    def forget(self, channel: str) -> None:
        """Forgets what was published to a channel, on disk too."""
        options = self._table.of(channel)
        self._load(channel, options)
        self.channels.forget(channel)
        if options.persistent and self._store is not None:
            self._store.forget(channel)

    def everybody(self, frame: str, part: int) -> None:
        """Sends a frame to one part of all clients (see `part`)."""
        self._tell(f"{self._pings}{part}", frame)

    def listen_to_pings(self, client: Client, parts: int) -> None:
        """Puts a client into one of as many parts."""
        client.transport.listen(f"{self._pings}{client.number % parts}")

    # Inside

    def _recover(
        self,
        is_cache: bool,
        request: wire.SubscribeRequest,
        result: wire.SubscribeResult,
        now_s: float,
    ) -> None:
        result.was_recovering = True
        if is_cache:
            newest = self.channels.history(request.channel, now_s, limit=1, reverse=True)
            has_it = (request.epoch, request.offset) == (result.epoch, result.offset)
            result.recovered = bool(newest) or has_it
            result.publications = [] if has_it else [Raw(one) for one in newest]
            return
        place = request.channel, request.epoch, request.offset
        missed = self.channels.after(*place, now_s)
        if missed is None and self._read_again(request.channel, (result.epoch, result.offset)):
            missed = self.channels.after(*place, now_s)
        if missed is None:
            if request.rejects_gaps:
                raise codes.unrecoverable_position()
            return
        result.recovered = True
        result.publications = [Raw(one) for one in missed]
        # Each publication moves the client's position from here to where the stream stands.
        result.offset = request.offset

    def _listen(
        self, client: Client, subscription: Subscription, result: wire.SubscribeResult
    ) -> None:
        channel, transport = subscription.channel, client.transport
        if subscription.wants_join_leave:
            transport.listen(self._joins + channel)
        if not subscription.wants_delta:
            transport.listen(self._all + channel)
            return
        # Who knows the newest publication can take the next change.
        self.deltas.enter(channel, client, knows_newest=bool(result.publications))

    def _forget(self, client: Client, subscription: Subscription) -> None:
        channel, transport = subscription.channel, client.transport
        del client.subscriptions[channel]
        self.authors.forget(client.number)
        if subscription.wants_delta:
            self.deltas.leave(channel, client)
        if not client.is_closed:
            if subscription.wants_join_leave:
                transport.ignore(self._joins + channel)
            if not subscription.wants_delta:
                transport.ignore(self._all + channel)
        now_s = self.clock_s()
        if subscription.is_counted:
            self.channels.ignore(channel, now_s)
        self.channels.leave(channel, client.number, now_s)
        if self._table.of(channel).join_leave:
            self.storms.tell(channel, "leave", client.id, client.about(subscription))

    def _tell(self, topic: str, frame: str) -> None:
        self._publish(topic, frame)
        self.listeners.tell(topic, frame)

    def _tell_gathered(self, channel: str, frame: str) -> None:
        self._tell(self._joins + channel, frame)


def topic_of(channel: str, scope: str) -> str:
    """The engine's topic of a channel, or of channels whose names begin alike."""
    return f"{_ALL}{scope}{_END}{channel}"


def check_name(channel: str) -> None:
    """Refuses what is no channel's name.

    Raises:
        Refused: It is not.
    """
    if (
        not channel
        or len(channel) > CHANNEL_LIMIT_BYTES
        or not (channel.isprintable() or channel.translate(_JOINERS).isprintable())
        or len(channel.encode()) > CHANNEL_LIMIT_BYTES
    ):
        raise codes.bad_request()


def _fit(json: bytes) -> bytes:
    """JSON as it may stand in a frame and in a history, whatever `Raw` it was made of."""
    if not json.isascii():
        try:
            json.decode()
        except UnicodeDecodeError:
            raise Misuse("a publication is JSON, which is UTF-8") from None
    # A frame's line ends with it; in JSON it stands between tokens only.
    return json.replace(b"\n", b" ")


def ttl_s(expires_at_s: float, now_s: float) -> int:
    """Whole seconds until something expires, at least one."""
    return max(1, int(expires_at_s - now_s))
