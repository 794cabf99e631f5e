"""`Hub`: channels with history, presence and permissions, for Centrifugo's clients.

Declares hooks and options, and is how an application publishes. What a client's commands do is
`dispatch`'s; the wire is described in `PROTOCOL.md`.
"""

import asyncio
import os
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar, Unpack, overload

from hubbub._core import WebSocket
from hubbub.app import App, TopicPattern
from hubbub.config import size_bytes
from hubbub.errors import Misuse
from hubbub.hub import codes
from hubbub.hub.api import Api
from hubbub.hub.client import Client
from hubbub.hub.codes import Disconnected, End
from hubbub.hub.dispatch import Dispatch
from hubbub.hub.emulation import Emulation
from hubbub.hub.limits import HubLimits
from hubbub.hub.options import ChannelOptions, ChannelTable
from hubbub.hub.publishing import Publishing
from hubbub.hub.rules import Authorize, Rules, as_json, described, hook, procedure
from hubbub.hub.sessions import Sessions, topic_of
from hubbub.hub.storage import SqliteHistory
from hubbub.hub.tokens import Tokens
from hubbub.hub.transports import SocketTransport
from hubbub.routing import Endpoint, EndpointOptions
from hubbub.stats import HubStats

F = TypeVar("F", bound=Callable[..., Any])

_GRACE_S = 25.0
"""How long a client may be late with its refresh."""
_CONNECT_S = 10.0
"""When the first command must have come."""
_STALE = codes.stale()


class Hub:
    """Channels below one path of an app.

    For example::

        hub = Hub(app, secret=os.environ["TOKEN_SECRET"])
        hub.channel("room:*", history_limit=1000, presence=True)

        @hub.authorize("room:*")
        def may_enter(client: Client, channel: str) -> bool:
            return client.user != ""

    Clients connect to `path` + "/websocket".

    Args:
        app: Where its endpoints stand.
        path: Below which path.
        tokens: Who is believed; `secret` is short for `Tokens(secret=…)`.
        secret: See `tokens`.
        allow_anonymous: Whether clients without a token may connect when there is no `on_connect`.
        ping_s: How often a client is pinged, in seconds.
        api_keys: Who may use the server API at `path` + "/api"; without keys there is none.
        storage: The file in which persistent channels are kept; made when there are any. Two hubs
            of a server cannot have one together: they would hear each other's channels.
        limits: How much each client and each user may do.
        memory_limit: How much histories and presence may hold together, and how much may wait for
            readers of streams; None: an eighth of the machine's memory each.
        **options: Of the WebSocket endpoint: origins, limits, compression.

    Raises:
        Misuse: The path is no pattern, a key no key, or a size no size.
    """

    def __init__(
        self,
        app: App,
        path: str = "/connection",
        *,
        tokens: Tokens | None = None,
        secret: str | None = None,
        allow_anonymous: bool = False,
        ping_s: int = 25,
        api_keys: tuple[str, ...] = (),
        storage: str | Path = "hubbub-data/history.sqlite3",
        limits: HubLimits | None = None,
        memory_limit: str | int | None = None,
        **options: Unpack[EndpointOptions],
    ) -> None:
        if tokens is not None and secret is not None:
            raise Misuse("give tokens or a secret, not both")
        if ping_s < 1:
            raise Misuse(f"expected a second or more: ping_s={ping_s}")
        try:
            self._memory_limit = None if memory_limit is None else size_bytes(memory_limit)
        except ValueError as error:
            raise Misuse(str(error)) from None
        self._app = app
        self._path = path
        self._limits = limits or HubLimits()
        self._table = ChannelTable()
        self._rules = Rules(
            tokens=Tokens(secret=secret) if secret is not None else tokens,
            allow_anonymous=allow_anonymous,
        )
        self._ping_s = ping_s
        self._storage = Path(storage)
        self._beat = 0
        self._sessions: Sessions | None = None
        self._dispatch: Dispatch | None = None
        self._strangers: dict[Client, float] = {}
        # Whom it has taken over from; nobody, once it is itself taken over from.
        self._before: weakref.ref[Hub] | None = None
        if api_keys:
            Api(app, path + "/api", api_keys, self._live_sessions)
        origins = Endpoint.of(options).origins
        self._emulation = Emulation(app, path, self._running, self._expect, origins)
        if path in app.hubs:
            raise Misuse(f"there is a hub already: {path!r}")
        app.hubs[path] = self
        app.handover(lambda old: self._take_over(old.hubs.get(path)))
        app.lifespan(self._live)
        app.every(1.0)(self._tick)
        app.message(
            path + "/websocket",
            on_open=self._opened,
            on_close=self._closed,
            **options,
        )(self._received)

    # Declarations

    def channel(self, pattern: str, **options: Any) -> ChannelOptions:
        """Declares what channels do: a whole name, or a beginning and a star; the longest decides.

        Args:
            pattern: "news", "room:*", "*".
            **options: The fields of `ChannelOptions`.

        Raises:
            Misuse: An option is none, or the pattern is declared already.
        """
        try:
            declared = ChannelOptions(**options)
        except TypeError as error:
            raise Misuse(f"channel {pattern!r}: {error}") from None
        self._table.add(pattern, declared)
        self._changed()
        return declared

    def authorize(self, pattern: str) -> Callable[[F], F]:
        """Decides who may subscribe: `(client, channel)` returns True, a `Grant`, or False.

        May be `async def`. Raising `Refused` answers with an error of its own. A subscription with
        a good token of its own is not asked about.
        """

        def declare(function: F) -> F:
            decides: Authorize = hook(function, 2, "authorize(client, channel)")
            self._rules.authorize.append((pattern, decides))
            return function

        return declare

    @overload
    def rpc(self, method: str) -> Callable[[F], F]: ...

    @overload
    def rpc(self, method: F) -> F: ...

    def rpc(self, method: str | Callable[..., Any]) -> Any:
        """A remote procedure: `(client)` or `(client, params)`; params are decoded by annotation.

        What it returns becomes JSON. It may be `async def`; a client's calls run side by side.

        Raises:
            Misuse: Its signature is another, or the method is declared already.
        """
        if not isinstance(method, str):
            return self.rpc(method.__name__)(method)

        def declare(function: F) -> F:
            if method in self._rules.procedures:
                raise Misuse(f"declared twice: rpc {method!r}")
            self._rules.procedures[method] = procedure(function)
            self._app.procedures.append(described(method, function))
            return function

        return declare

    def on_connect(self, function: F) -> F:
        """Asked before a client is in: `(client, request)` returns a `Welcome` or None."""
        self._rules.on_connect = hook(function, 2, "on_connect(client, request)")
        return function

    def on_subscribe(self, function: F) -> F:
        """Told before an allowed subscription begins: `(client, channel)`; may raise `Refused`."""
        self._rules.on_subscribe = hook(function, 2, "on_subscribe(client, channel)")
        return function

    def on_publish(self, function: F) -> F:
        """Asked before a client publishes: `(client, channel, data)`.

        What it returns is published instead; None: what the client sent.
        """
        self._rules.on_publish = hook(function, 3, "on_publish(client, channel, data)")
        self._changed()
        return function

    def on_message(self, function: F) -> F:
        """Gets what clients send outside channels: `(client, data)`."""
        self._rules.on_message = hook(function, 2, "on_message(client, data)")
        return function

    def on_disconnect(self, function: F) -> F:
        """Told when a client is gone that was in, or that `on_connect` has let in: `(client)`.

        Exactly once for each welcome, also if the hub refuses the client after it (its user has
        too many connections, say) or its connection ends while `on_connect` is still awaited.
        """
        self._rules.on_disconnect = hook(function, 1, "on_disconnect(client)")
        return function

    # The server's side

    def publish(
        self,
        channel: str,
        data: object,
        *,
        tags: dict[str, str] | None = None,
        key: str | None = None,
        conflate: str | None = None,
    ) -> Publishing:
        """Publishes to all who hear a channel; persistent ones once it is on disk.

        Args:
            channel: Its name.
            data: Becomes JSON.
            tags: What else is said.
            key: A publication with the same key within two minutes is left out.
            conflate: Where the channel is `slow="conflate"`: for a slow reader only the newest
                publication of each waits.

        Returns:
            What became of it: await it for offset and epoch (0 and "" where nothing is remembered).

        Raises:
            Misuse: The app is not being served.
        """
        return self._live_sessions().publish(
            channel,
            as_json(data) or b"null",
            tags=as_json(tags) or None,
            key=key,
            conflate=conflate,
        )

    @property
    def place(self) -> str:
        """Its whole path, with the place of its app while that is served."""
        return self._app.place.rstrip("/") + self._path

    def topics(self) -> Iterator[TopicPattern]:
        """What is special about its topics, for the assembly."""
        for pattern, options in self._table.declared():
            yield topic_of(pattern, self.place), options.slow, False

    @property
    def is_served(self) -> bool:
        """Whether its app is being served."""
        return self._sessions is not None

    def stats(self) -> HubStats:
        """What it has counted.

        Raises:
            Misuse: The app is not being served.
        """
        return self._live_sessions().stats()

    def broadcast(self, channels: Iterable[str], data: object) -> None:
        """Publishes the same to several channels."""
        for channel in channels:
            self.publish(channel, data)

    def clients(self, user: str | None = None) -> tuple[Client, ...]:
        """All clients that are connected, or those of one user."""
        sessions = self._live_sessions()
        if user is None:
            return tuple(sessions.clients.values())
        return tuple(sessions.users.get(user, ()))

    def presence(self, channel: str) -> tuple[int, int]:
        """How many clients and how many different users are in a channel."""
        return self._live_sessions().channels.counts(channel)

    def channels(self, pattern: str = "*") -> dict[str, int]:
        """How many clients hear each channel that somebody hears; looks at all subscriptions.

        Args:
            pattern: A whole name, or a beginning and a star.
        """
        return self._live_sessions().heard(pattern)

    def forget(self, channel: str) -> None:
        """Forgets a channel's history; its stream goes on where it stands."""
        self._live_sessions().forget(channel)

    def subscribe(
        self, user: str, channel: str, *, info: object = None, data: object = None
    ) -> None:
        """Lets all clients of a user hear a channel without their asking; see `Client`."""
        for client in self.clients(user):
            client.subscribe(channel, info=info, data=data)

    async def recheck(self, user: str | None = None) -> int:
        """Asks `authorize` again about what a user's clients hear, or everybody's.

        To be called when rights have changed: subscriptions that are no longer allowed end (2003).
        Those made by a token stay until it expires, those made by the server until it ends them.

        Returns:
            How many subscriptions were ended.
        """
        _, dispatch = self._running()
        return sum([await dispatch.recheck(client) for client in self.clients(user)])

    def unsubscribe(self, user: str, channel: str, end: End = codes.UNSUBSCRIBED) -> None:
        """Ends the subscriptions of all of a user's clients to a channel."""
        for client in self.clients(user):
            client.unsubscribe(channel, end)

    def disconnect(self, user: str, why: Disconnected | None = None) -> None:
        """Sends all clients of a user away; without a reason, for good."""
        for client in self.clients(user):
            client.disconnect(why)

    # Inside

    async def _live(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        store = self._open_store(loop)
        sessions = Sessions(
            self._app.publish,
            self._table,
            store=store,
            limits=self._limits,
            scope=self.place,
            later=loop.call_later,
        )
        held_limit = self._memory_limit or _memory_bytes() // 8
        sessions.channels.set_held_limit(held_limit)
        sessions.listeners.held_limit_bytes = held_limit
        self._sessions = sessions
        self._dispatch = Dispatch(sessions, self._rules, self._table, self._spawn, self._ping_s)
        try:
            yield
        finally:
            self._give_back()
            self._sessions = self._dispatch = None
            sessions.storms.end()
            if store is not None:
                store.close()
                _KEEPING.discard(self)

    def _open_store(self, loop: asyncio.AbstractEventLoop) -> SqliteHistory | None:
        if not any(options.persistent for _, options in self._table.declared()):
            return None
        file = self._storage.resolve()
        for other in _KEEPING:
            # An older version of this one keeps the same channels there.
            if other.place != self.place and other._storage.resolve() == file:
                raise Misuse(
                    f"two hubs would keep their channels in one file: {self._storage} of "
                    f"{other.place} and {self.place}: give one a storage= of its own"
                )
        store = SqliteHistory(self._storage, loop)
        _KEEPING.add(self)
        return store

    def _take_over(self, old: "Hub | None") -> None:
        """A newer version of the app goes on with its clients; streams have to come back."""
        if old is None or old._sessions is None or self._sessions is None:
            return
        self._before, old._before = weakref.ref(old), None
        old._emulation.end_all()
        held_limit = self._sessions.listeners.held_limit_bytes
        self._sessions.take_over(old._sessions)
        self._sessions.channels.set_held_limit(held_limit)
        self._sessions.listeners.held_limit_bytes = held_limit
        self._strangers, old._strangers = old._strangers, {}
        for client in self._strangers:
            client.sessions = self._sessions
        # The very same: hooks and procedures that are under way find their clients here.
        self._dispatch = old._dispatch
        if self._dispatch is not None:
            self._dispatch.go_on(
                self._sessions, self._rules, self._table, self._spawn, self._ping_s
            )
        self._changed()

    def _give_back(self) -> None:
        """This version was refused after it had taken over: the one before goes on."""
        before = self._before() if self._before is not None else None
        if before is not None and before.is_served:
            before._take_over(self)

    def _changed(self) -> None:
        """Somebody who may publish may not any more, perhaps."""
        if self._sessions is not None:
            self._sessions.authors.clear()

    def _live_sessions(self) -> Sessions:
        if self._sessions is None:
            raise Misuse("the app is not being served")
        return self._sessions

    def _running(self) -> tuple[Sessions, Dispatch]:
        if self._sessions is None or self._dispatch is None:
            raise Misuse("the app is not being served")
        return self._sessions, self._dispatch

    def _spawn(self, client: Client, coroutine: Coroutine[Any, Any, None]) -> object:
        return self._app.finish(coroutine)

    def _opened(self, ws: WebSocket[Any]) -> None:
        ws.data = self._live_sessions().open(ws.request, SocketTransport(ws))
        self._expect(ws.data)

    def _expect(self, client: Client) -> None:
        self._strangers[client] = self._live_sessions().clock_s() + _CONNECT_S

    def _received(self, ws: WebSocket[Any], message: str) -> None:
        if self._dispatch is not None:
            self._dispatch.receive(ws.data, message)

    def _closed(self, ws: WebSocket[Any]) -> None:
        self._strangers.pop(ws.data, None)
        if self._dispatch is not None:
            self._dispatch.closed(ws.data)

    def _tick(self) -> None:
        sessions = self._live_sessions()
        now_s = sessions.clock_s()
        self._beat = (self._beat + 1) % self._ping_s
        # Each second one part of the clients, so that no second is worse than the others.
        sessions.everybody("{}", self._beat)
        sessions.channels.sweep(now_s)
        sessions.meters.sweep(now_s)
        for client, until_s in tuple(self._strangers.items()):
            if client.is_connected:
                del self._strangers[client]
            elif until_s <= now_s:
                del self._strangers[client]
                client.disconnect(_STALE)
        self._expire(sessions, now_s - _GRACE_S)

    def _expire(self, sessions: Sessions, before_s: float) -> None:
        for client in tuple(sessions.clients.values()):
            if 0 < client.expires_at_s < before_s:
                client.disconnect(codes.session_expired())
                continue
            for subscription in tuple(client.subscriptions.values()):
                if 0 < subscription.expires_at_s < before_s:
                    client.unsubscribe(subscription.channel, codes.SUBSCRIPTION_EXPIRED)


_KEEPING: "weakref.WeakSet[Hub]" = weakref.WeakSet()
"""Hubs of this process that keep channels in a file."""


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
