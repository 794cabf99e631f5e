"""From a client's commands to what they do: one after the other, but for remote procedures.

Asks the application's rules, which may take their time; while they do, the client's further
commands wait, and everybody else's go on.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import contextmanager
from typing import Any

import msgspec
from msgspec import Raw

from hubbub.errors import Reject
from hubbub.hub import codes, wire
from hubbub.hub.client import Client, Subscription
from hubbub.hub.codes import Disconnected, Refused
from hubbub.hub.options import ChannelTable
from hubbub.hub.rules import Grant, Hook, Rules, Welcome, as_json, is_awaitable, then
from hubbub.hub.sessions import Sessions, check_name, ttl_s
from hubbub.hub.tokens import Claims
from hubbub.log import logger

WAITING_LIMIT = 1024
"""How many commands of one client may wait for a hook."""

PONG = "{}"
"""What a client says every `ping_s` seconds."""

CALL_LIMIT = 64
"""How many remote procedures of one client may run at a time."""

Spawn = Callable[[Client, Coroutine[Any, Any, None]], object]


_NOTHING = Welcome()


class Dispatch:
    """What the commands of a hub's clients do.

    Args:
        spawn: Runs what has to wait.
    """

    def __init__(
        self, sessions: Sessions, rules: Rules, table: ChannelTable, spawn: Spawn, ping_s: int
    ) -> None:
        self.go_on(sessions, rules, table, spawn, ping_s)
        self._waiting: dict[Client, deque[tuple[int, str, Any]]] = {}
        self._calls: dict[Client, int] = {}
        self._does: dict[str, Callable[[Client, Any], Any]] = {
            name: getattr(self, f"_{name}") for name in wire.REQUESTS
        }

    def go_on(
        self, sessions: Sessions, rules: Rules, table: ChannelTable, spawn: Spawn, ping_s: int
    ) -> None:
        """From now on another version of the hub is meant.

        Also for what was asked before: its answers, and the commands behind it, are that one's.
        """
        self._sessions = sessions
        self._rules = rules
        self._table = table
        self._spawn = spawn
        self._ping_s = ping_s

    def receive(self, client: Client, frame: str | bytes) -> None:
        """Does what a frame says."""
        if frame == PONG or client.is_leaving:
            return
        waiting = self._waiting.get(client)
        if waiting is None:
            answer = self._sessions.go_on(client, frame)
            if answer is not None:
                client.transport.send(answer)
                return
        try:
            commands = wire.commands(frame)
        except wire.BadFrame as error:
            logger.debug("client %s: %s", client.id, error)
            self._sessions.disconnect(client, codes.bad_protocol())
            return
        if waiting is None:
            self._work(client, commands)
            return
        waiting.extend(commands)
        if len(waiting) > WAITING_LIMIT:
            self._sessions.disconnect(client, codes.bad_protocol())

    def closed(self, client: Client) -> None:
        """The connection is gone."""
        if client.is_closed:
            return
        self._waiting.pop(client, None)
        self._calls.pop(client, None)
        self._sessions.leave(client)
        self._farewell(client)

    def _farewell(self, client: Client) -> None:
        """Tells the application that a client is gone, if it has let it in."""
        was_welcome, client.is_welcome = client.is_welcome, False
        if was_welcome and self._rules.on_disconnect is not None:
            try:
                result = self._rules.on_disconnect(client)
                if is_awaitable(result):
                    self._spawn(client, _finish(result))
            except Exception:
                logger.exception("client %s: on_disconnect failed", client.id)

    def _work(self, client: Client, commands: Iterable[tuple[int, str, Any]]) -> None:
        sessions, left = self._sessions, iter(commands)
        for number, name, request in left:
            if client.is_closed or client.is_leaving:
                return
            if not name:
                continue
            if client.is_connected == (name == "connect"):
                sessions.disconnect(client, codes.bad_protocol())
                return
            try:
                sessions.meters.command(client.meter, client.user_meter, name, sessions.clock_s())
                result = self._does[name](client, request)
            except Exception as error:  # noqa: BLE001 - told and logged
                self._failed(client, number, name, error)
                continue
            if result is None or not is_awaitable(result):
                self._answer(client, number, name, request, result)
            elif name == "rpc":
                self._call(client, number, result)
            else:
                self._waiting[client] = deque(left)
                self._spawn(client, self._work_on(client, number, name, request, result))
                return

    async def _work_on(
        self,
        client: Client,
        number: int,
        name: str,
        request: Any,
        waiting: Awaitable[Any],
    ) -> None:
        try:
            result = await waiting
        except Exception as error:  # noqa: BLE001 - told and logged
            self._failed(client, number, name, error)
        else:
            if not client.is_closed:
                self._answer(client, number, name, request, result)
        commands = self._waiting.pop(client, None)
        if commands:
            self._work(client, commands)

    def _call(self, client: Client, number: int, waiting: Awaitable[Any]) -> None:
        self._calls[client] = self._calls.get(client, 0) + 1

        async def call() -> None:
            try:
                result = await waiting
            except Exception as error:  # noqa: BLE001 - told and logged
                self._failed(client, number, "rpc", error)
            else:
                self._answer(client, number, "rpc", None, result)
            finally:
                if client in self._calls:
                    self._calls[client] -= 1

        self._spawn(client, call())

    def _answer(self, client: Client, number: int, name: str, request: Any, result: object) -> None:
        if client.is_closed or name == "send":
            return
        client.transport.send(wire.reply(number, name, result))
        # Whoever hears of it must not hear of it before its own answer.
        if name == "subscribe":
            self._sessions.announce(client, request.channel)
        elif name == "connect":
            for channel in client.channels:
                self._sessions.announce(client, channel)

    def _failed(self, client: Client, number: int, name: str, error: Exception) -> None:
        if isinstance(error, Disconnected | Refused | Reject):
            # One that is kept, as a constant say, would keep each frame it ever passed through.
            error.__traceback__ = None
        if client.is_closed:
            return
        match error:
            case Disconnected():
                self._sessions.disconnect(client, error)
                return
            case Refused():
                refused = error
            case Reject():
                refused = codes.permission_denied()
            case _:
                logger.error("client %s: %s failed", client.id, name, exc_info=error)
                refused = codes.internal()
        if refused.code == codes.PERMISSION_DENIED:
            sessions = self._sessions
            sessions.meters.denial(client.meter, client.user_meter, sessions.clock_s())
        if name != "send":
            told = wire.refusal(number, refused.code, refused.message, refused.temporary)
            client.transport.send(told)
        elif refused.code == codes.TOO_MANY_REQUESTS:
            # Nobody hears of a refusal: only the end can be told.
            self._sessions.disconnect(client, codes.flooding())

    async def recheck(self, client: Client) -> int:
        """Asks again whether a client may hear what it hears; tells how often not.

        What it has by a token or from the server is not asked about.
        """
        ended = 0
        for subscription in tuple(client.subscriptions.values()):
            channel = subscription.channel
            if subscription.is_server_side or subscription.has_token:
                continue
            if await self._may_hear(client, channel):
                continue
            if client.subscriptions.get(channel) is subscription:
                client.unsubscribe(channel, codes.NO_LONGER_ALLOWED)
                ended += 1
        return ended

    async def _may_hear(self, client: Client, channel: str) -> bool:
        authorize = self._rules.permission(channel)
        if authorize is None:
            return self._table.of(channel).subscribe == "anyone"
        try:
            grant = authorize(client, channel)
            return bool(await grant if is_awaitable(grant) else grant)
        except (Refused, Reject) as error:
            error.__traceback__ = None
            return False
        except Disconnected as error:
            error.__traceback__ = None
            self._sessions.disconnect(client, error)
            return False

    # The commands

    def _connect(self, client: Client, request: wire.ConnectRequest) -> Any:
        rules, claims = self._rules, Claims()
        if request.token:
            if rules.tokens is None:
                raise codes.invalid_token()
            claims = rules.tokens.claims(request.token, self._sessions.clock_s())
            if claims.channel:
                raise codes.invalid_token()
            client.user = client.token_user = claims.sub
            client.info = bytes(claims.info)
        elif rules.on_connect is None and not rules.allow_anonymous:
            raise codes.invalid_token()
        if rules.on_connect is None:
            return self._connected(client, request, claims, None)

        def connected(welcome: Welcome | None) -> wire.ConnectResult:
            with self._welcoming(client):
                return self._connected(client, request, claims, welcome)

        return then(rules.on_connect(client, request), connected)

    @contextmanager
    def _welcoming(self, client: Client) -> Generator[None]:
        client.is_welcome = True
        try:
            yield
        finally:
            # It was refused after all, or has gone while the application was asked.
            if not client.is_connected or client.is_closed:
                self._farewell(client)

    def _connected(
        self,
        client: Client,
        request: wire.ConnectRequest,
        claims: Claims,
        welcome: Welcome | None,
    ) -> wire.ConnectResult:
        sessions, now_s = self._sessions, self._sessions.clock_s()
        welcome = welcome or _NOTHING
        if welcome.user is not None:
            client.user = welcome.user
        if welcome.info is not None:
            client.info = as_json(welcome.info)
        expires_at_s = claims.exp if claims.expire_at is None else claims.expire_at
        if welcome.expires_at_s is not None:
            expires_at_s = welcome.expires_at_s
        result = wire.ConnectResult(
            client=client.id,
            version="hubbub",
            ping=self._ping_s,
            pong=True,
            session=client.session,
            node=sessions.node,
        )
        if data := as_json(welcome.data) or bytes(claims.data):
            result.data = Raw(data)
        self._expire(client, expires_at_s, result, now_s)
        if client.is_closed or client.is_leaving:
            return result
        channels = dict.fromkeys((*claims.channels, *claims.subs, *welcome.channels))
        sessions.check_names(channels)
        sessions.enter(client)
        client.is_welcome = True
        sessions.listen_to_pings(client, self._ping_s)
        for channel in channels:
            sub = claims.subs.get(channel)
            subscription = Subscription(channel, is_server_side=True)
            subscription.info = bytes(sub.info) if sub else b""
            wanted = request.subs.get(channel, wire.SubscribeRequest())
            wanted.channel, wanted.join_leave = channel, True
            result.subs[channel] = sessions.subscribe(
                client, subscription, wanted, bytes(sub.data) if sub else b""
            )
        return result

    def _expire(
        self,
        client: Client,
        expires_at_s: float,
        result: wire.ConnectResult | wire.RefreshResult,
        now_s: float,
    ) -> None:
        client.expires_at_s = expires_at_s
        if expires_at_s:
            result.expires = True
            result.ttl = ttl_s(expires_at_s, now_s)

    def _subscribe(self, client: Client, request: wire.SubscribeRequest) -> Any:
        channel = request.channel
        self._sessions.check_subscribe(client, channel)
        if request.type or request.tf:
            # To ignore what it asks for would mean to send what it does not want.
            raise codes.not_available()
        client.asking = bytes(request.data)
        if request.token:
            grant = self._token_grant(client, channel, request.token)
            return self._enter(client, request, grant, has_token=True)
        authorize = self._rules.permission(channel)
        if authorize is None:
            if self._table.of(channel).subscribe != "anyone":
                raise codes.permission_denied()
            return self._enter(client, request, True)
        return then(authorize(client, channel), lambda grant: self._enter(client, request, grant))

    def _token_grant(self, client: Client, channel: str, token: str) -> Grant:
        if self._rules.tokens is None:
            raise codes.permission_denied()
        try:
            claims = self._rules.tokens.claims(token, self._sessions.clock_s())
        except Disconnected:
            raise codes.permission_denied() from None
        if claims.channel != channel or claims.sub != client.subject:
            raise codes.permission_denied()
        expires_at_s = claims.exp if claims.expire_at is None else claims.expire_at
        return Grant(claims.info or None, claims.data or None, expires_at_s)

    def _enter(
        self,
        client: Client,
        request: wire.SubscribeRequest,
        grant: object,
        *,
        has_token: bool = False,
    ) -> Any:
        if not grant:
            raise codes.permission_denied()
        granted = grant if isinstance(grant, Grant) else Grant()
        subscription = Subscription(
            request.channel,
            info=as_json(granted.info),
            expires_at_s=granted.expires_at_s,
            has_token=has_token,
        )

        def enter(_: object) -> wire.SubscribeResult:
            if client.is_closed:
                raise codes.shutdown()
            data = as_json(granted.data)
            self._sessions.check_room(request.channel)
            self._sessions.check_creation(client, request.channel)
            return self._sessions.subscribe(client, subscription, request, data)

        if self._rules.on_subscribe is None:
            return enter(None)
        return then(self._rules.on_subscribe(client, request.channel), enter)

    def _unsubscribe(self, client: Client, request: wire.ChannelRequest) -> object:
        check_name(request.channel)
        self._sessions.unsubscribe(client, request.channel)
        return None

    def _publish(self, client: Client, request: wire.PublishRequest) -> Any:
        channel, asked = request.channel, self._rules.on_publish
        is_subscribed = channel in client.subscriptions
        if not is_subscribed:
            check_name(channel)
        if not request.data:
            raise codes.bad_request()
        if request.type:
            raise codes.not_available()
        allowed = self._table.of(channel).publish
        if (
            allowed == "nobody"
            or (allowed == "subscribers" and not is_subscribed)
            or (allowed == "authorized" and asked is None)
        ):
            raise codes.permission_denied()
        if asked is None:
            return self._published(client, channel, bytes(request.data))
        return self._ask(asked, client, channel, request.data)

    def _ask(self, asked: Hook, client: Client, channel: str, data: Raw) -> Any:
        return then(
            asked(client, channel, msgspec.json.decode(data)),
            lambda instead: self._published(
                client, channel, bytes(data) if instead is None else as_json(instead)
            ),
        )

    def _published(self, client: Client, channel: str, data: bytes) -> Any:
        sessions, options = self._sessions, self._table.of(channel)
        sessions.check_creation(client, channel)
        info = client.author(client.subscriptions.get(channel))
        if not options.persistent:
            sessions.say(channel, options, data, info)
            if options.is_plain and self._rules.on_publish is None:
                sessions.may_go_on(client, channel, options, info)
            return None
        publishing = sessions.publish(channel, data, info=info)
        return None if publishing.is_done else then(publishing, lambda _: None)

    def _presence(self, client: Client, request: wire.ChannelRequest) -> object:
        self._check_present(client, request.channel)
        present = self._sessions.channels.presence(request.channel)
        return {"presence": {name: Raw(about) for name, about in present}}

    def _presence_stats(self, client: Client, request: wire.ChannelRequest) -> object:
        self._check_present(client, request.channel)
        clients, users = self._sessions.channels.counts(request.channel)
        return {"num_clients": clients, "num_users": users}

    def _check_present(self, client: Client, channel: str) -> None:
        check_name(channel)
        # First: who may not enter is not told either what there would be.
        if channel not in client.subscriptions:
            raise codes.permission_denied()
        if not self._table.of(channel).presence:
            raise codes.not_available()

    def _history(self, client: Client, request: wire.HistoryRequest) -> object:
        check_name(request.channel)
        if request.channel not in client.subscriptions:
            raise codes.permission_denied()
        if self._table.of(request.channel).history_limit == 0:
            raise codes.not_available()
        return self._sessions.history(request)

    def _ping(self, client: Client, request: wire.PingRequest) -> object:
        return None

    def _send(self, client: Client, request: wire.SendRequest) -> Any:
        if self._rules.on_message is None:
            raise codes.not_available()
        return self._rules.on_message(client, msgspec.json.decode(request.data or b"null"))

    def _rpc(self, client: Client, request: wire.RpcRequest) -> Any:
        call = self._rules.procedures.get(request.method)
        if call is None:
            raise codes.method_not_found()
        if self._calls.get(client, 0) >= CALL_LIMIT:
            raise codes.too_many_requests()
        return then(call(client, request.data), lambda result: {"data": result})

    def _refresh(self, client: Client, request: wire.RefreshRequest) -> object:
        if self._rules.tokens is None:
            raise codes.not_available()
        now_s = self._sessions.clock_s()
        claims = self._rules.tokens.claims(request.token, now_s)
        if claims.channel or claims.sub != client.subject:
            raise codes.invalid_token()
        result = wire.RefreshResult(client=client.id)
        expires_at_s = claims.exp if claims.expire_at is None else claims.expire_at
        self._expire(client, expires_at_s, result, now_s)
        return result

    def _sub_refresh(self, client: Client, request: wire.SubRefreshRequest) -> object:
        subscription = client.subscriptions.get(request.channel)
        if subscription is None:
            raise codes.permission_denied()
        grant = self._token_grant(client, request.channel, request.token)
        subscription.expires_at_s = grant.expires_at_s
        result = wire.RefreshResult()
        if grant.expires_at_s:
            result.expires = True
            result.ttl = ttl_s(grant.expires_at_s, self._sessions.clock_s())
        return result


async def _finish(waiting: Awaitable[Any]) -> None:
    await waiting
