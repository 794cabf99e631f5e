"""The hub's server API over HTTP: for programs that are not Python, in Centrifugo's shape.

`POST {path}/{method}` with the key in `X-API-Key`; answers are `{"result": …}` or `{"error": …}`
with status 200, as Centrifugo's libraries expect. `batch` takes several commands in one request.
"""

import hmac
import inspect
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from hubbub._core import Request
from hubbub.app import App
from hubbub.errors import Misuse, Reject
from hubbub.hub import codes, wire
from hubbub.hub.client import Client
from hubbub.hub.codes import Disconnected, End, Refused
from hubbub.hub.sessions import Sessions, check_name
from hubbub.hub.storage import StorageFailure

_KEY_BYTES_MIN = 16
_BATCH_LIMIT = 1_000


class Publish(Struct):
    """Publishes to a channel."""

    channel: str = ""
    data: Raw = Raw()
    tags: dict[str, str] = {}
    idempotency_key: str = ""
    conflate: str = ""


class Broadcast(Struct):
    """Publishes the same to several channels."""

    channels: list[str] = []
    data: Raw = Raw()
    tags: dict[str, str] = {}
    idempotency_key: str = ""
    conflate: str = ""


class Channel(Struct):
    """Presence, presence_stats: only the channel matters."""

    channel: str = ""


class Channels(Struct):
    """Which channels: a whole name, or a beginning and a star."""

    pattern: str = "*"


class Subscribe(Struct):
    """Lets a user's clients hear a channel."""

    user: str = ""
    channel: str = ""
    client: str = ""
    info: Raw = Raw()
    data: Raw = Raw()


class Refresh(Struct):
    """Changes when a user's clients have to refresh; with `expired` they must go."""

    user: str = ""
    client: str = ""
    expired: bool = False
    expire_at: float = 0


class Unsubscribe(Struct):
    """Ends a user's subscriptions to a channel."""

    user: str = ""
    channel: str = ""
    client: str = ""


class Farewell(Struct):
    """Code and reason of a disconnect."""

    code: int = 3503
    reason: str = "force disconnect"


class Disconnect(Struct):
    """Sends a user's clients away."""

    user: str = ""
    client: str = ""
    disconnect: Farewell = msgspec.field(default_factory=Farewell)


class Nothing(Struct):
    """Methods that take nothing."""


class Api:
    """The methods, by name.

    Args:
        keys: Who knows one of them may do everything; at least 16 bytes each.
        sessions: The running hub's.

    Raises:
        Misuse: A key is too short.
    """

    def __init__(
        self, app: App, path: str, keys: tuple[str, ...], sessions: Callable[[], Sessions]
    ) -> None:
        if not keys or any(len(key.encode()) < _KEY_BYTES_MIN for key in keys):
            raise Misuse(f"an API key has at least {_KEY_BYTES_MIN} bytes")
        self._keys = tuple(key.encode() for key in keys)
        self._sessions = sessions
        self._methods: dict[str, tuple[type[Struct], Callable[[Any], Any]]] = {
            "publish": (Publish, self._publish),
            "broadcast": (Broadcast, self._broadcast),
            "subscribe": (Subscribe, self._subscribe),
            "unsubscribe": (Unsubscribe, self._unsubscribe),
            "refresh": (Refresh, self._refresh),
            "disconnect": (Disconnect, self._disconnect),
            "presence": (Channel, self._presence),
            "presence_stats": (Channel, self._presence_stats),
            "history": (wire.HistoryRequest, self._history),
            "history_remove": (Channel, self._history_remove),
            "channels": (Channels, self._channels),
            "info": (Nothing, self._info),
        }
        app.post(path + "/{method}")(self._answer)

    async def _answer(self, request: Request, method: str) -> dict[str, Any]:
        self._check(request)
        body = request.body or b"{}"
        if method == "batch":
            return await self._batch(body)
        return await self._do(method, body)

    def _check(self, request: Request) -> None:
        header = request.headers.get("x-api-key") or ""
        scheme, _, token = (request.headers.get("authorization") or "").partition(" ")
        if scheme.lower() == "apikey":
            header = token
        given = header.encode("latin-1", "replace")
        # All are compared, and in constant time: how long it takes tells nothing.
        matching = sum(hmac.compare_digest(given, key) for key in self._keys)
        if not matching:
            raise Reject(401, "unauthorized")

    async def _do(self, method: str, body: bytes | Raw) -> dict[str, Any]:
        known = self._methods.get(method)
        if known is None:
            raise Reject(404, "no such method")
        kind, act = known
        try:
            result = act(wire.decode(body, kind))
            return {"result": await result if inspect.isawaitable(result) else result}
        except msgspec.DecodeError as error:
            refused = Refused(107, f"bad request: {error}")
        except Refused as error:
            refused = error
        except StorageFailure:
            refused = codes.internal()
        return {"error": {"code": refused.code, "message": refused.message}}

    async def _batch(self, body: bytes) -> dict[str, Any]:
        try:
            batch = wire.decode(body, dict[str, list[dict[str, Raw]]])
        except msgspec.DecodeError as error:
            raise Reject(400, f"bad request: {error}") from None
        commands = batch.get("commands", [])
        if len(commands) > _BATCH_LIMIT or any(len(command) != 1 for command in commands):
            raise Reject(400, f"expected up to {_BATCH_LIMIT} commands of one method each")
        replies: list[dict[str, Any]] = []
        for command in commands:
            ((method, params),) = command.items()
            answer = await self._do(method, params)
            replies.append(answer if "error" in answer else {method: answer["result"]})
        return {"replies": replies}

    # The methods

    async def _publish(self, params: Publish) -> dict[str, Any]:
        check_name(params.channel)
        if not params.data:
            raise codes.bad_request()
        offset, epoch = await self._sessions().publish(
            params.channel,
            bytes(params.data),
            tags=wire.encode(params.tags) if params.tags else None,
            key=params.idempotency_key or None,
            conflate=params.conflate or None,
        )
        return {"offset": offset, "epoch": epoch} if epoch else {}

    async def _broadcast(self, params: Broadcast) -> dict[str, Any]:
        for channel in params.channels:
            check_name(channel)
        one = (params.data, params.tags, params.idempotency_key, params.conflate)
        results = [await self._publish(Publish(channel, *one)) for channel in params.channels]
        return {"responses": [{"result": result} for result in results]}

    def _clients(self, params: Subscribe | Unsubscribe | Refresh | Disconnect) -> list[Client]:
        clients = self._sessions().users.get(params.user, ())
        return [client for client in clients if params.client in ("", client.id)]

    def _subscribe(self, params: Subscribe) -> dict[str, Any]:
        check_name(params.channel)
        for client in self._clients(params):
            self._sessions().enrol(
                client, params.channel, info=bytes(params.info), data=bytes(params.data)
            )
        return {}

    def _unsubscribe(self, params: Unsubscribe) -> dict[str, Any]:
        for client in self._clients(params):
            client.unsubscribe(params.channel, End(2000, "server unsubscribe"))
        return {}

    def _refresh(self, params: Refresh) -> dict[str, Any]:
        for client in self._clients(params):
            if params.expired:
                client.disconnect(codes.session_expired())
            else:
                self._sessions().refresh(client, params.expire_at)
        return {}

    def _disconnect(self, params: Disconnect) -> dict[str, Any]:
        farewell = params.disconnect
        if not 3000 <= farewell.code < 5000:
            raise codes.bad_request()
        for client in self._clients(params):
            client.disconnect(Disconnected(farewell.code, farewell.reason))
        return {}

    def _presence(self, params: Channel) -> dict[str, Any]:
        check_name(params.channel)
        present = self._sessions().channels.presence(params.channel)
        return {"presence": {name: Raw(about) for name, about in present}}

    def _presence_stats(self, params: Channel) -> dict[str, Any]:
        check_name(params.channel)
        clients, users = self._sessions().channels.counts(params.channel)
        return {"num_clients": clients, "num_users": users}

    def _history(self, params: wire.HistoryRequest) -> dict[str, Any]:
        check_name(params.channel)
        return self._sessions().history(params)

    def _history_remove(self, params: Channel) -> dict[str, Any]:
        check_name(params.channel)
        self._sessions().forget(params.channel)
        return {}

    def _channels(self, params: Channels) -> dict[str, Any]:
        heard = self._sessions().heard(params.pattern)
        return {"channels": {name: {"num_clients": count} for name, count in heard.items()}}

    def _info(self, params: Nothing) -> dict[str, Any]:
        sessions = self._sessions()
        node = {
            "uid": sessions.node,
            "num_clients": len(sessions.clients),
            "num_users": len(sessions.users),
            "num_channels": len(sessions.channels),
        }
        return {"nodes": [node]}
