"""Centrifugo's client protocol v2 in JSON: commands in, replies and pushes out (pure).

A frame holds one or more JSON objects, each on a line of its own. `PROTOCOL.md` beside this file
says what of it is spoken. What applications say travels as it is: `data` is never decoded here.
"""

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import astuple

from hubbub.params import NOT_JSON

T = TypeVar("T")

_MISSING = Raw(b"")

# Without `gc`: nothing here can be part of a cycle, so the collector need not know of it.


class SubscribeRequest(Struct, omit_defaults=True, gc=False):
    """A client wants to hear a channel, perhaps from where it left off."""

    channel: str = ""
    token: str = ""
    recover: bool = False
    epoch: str = ""
    offset: int = 0
    data: Raw = _MISSING
    positioned: bool = False
    recoverable: bool = False
    join_leave: bool = False
    delta: str = ""
    flag: int = 0
    type: int = 0
    tf: Raw = _MISSING

    @property
    def rejects_gaps(self) -> bool:
        """Whether it would rather have an error than a stream with a gap."""
        return bool(self.flag & 2)


class ConnectRequest(Struct, omit_defaults=True, gc=False):
    """The first command of a connection."""

    token: str = ""
    data: Raw = _MISSING
    name: str = ""
    version: str = ""
    subs: dict[str, SubscribeRequest] = {}
    headers: dict[str, str] = {}


class ChannelRequest(Struct, omit_defaults=True, gc=False):
    """Unsubscribe, presence, presence_stats: only the channel matters."""

    channel: str = ""


class PublishRequest(Struct, omit_defaults=True, gc=False):
    """A client publishes."""

    channel: str = ""
    data: Raw = _MISSING
    type: int = 0


class Since(Struct, omit_defaults=True, gc=False):
    """A position in a stream."""

    epoch: str = ""
    offset: int = 0


class HistoryRequest(Struct, omit_defaults=True, gc=False):
    """What a channel remembers; with `limit` 0 only where it stands, negative: all."""

    channel: str = ""
    limit: int = 0
    since: Since | None = None
    reverse: bool = False


class RpcRequest(Struct, omit_defaults=True, gc=False):
    """A call of a remote procedure."""

    method: str = ""
    data: Raw = _MISSING


class SendRequest(Struct, omit_defaults=True, gc=False):
    """A message that nobody answers."""

    data: Raw = _MISSING


class RefreshRequest(Struct, omit_defaults=True, gc=False):
    """A new token for the connection."""

    token: str = ""


class SubRefreshRequest(Struct, omit_defaults=True, gc=False):
    """A new token for a subscription."""

    channel: str = ""
    token: str = ""


class PingRequest(Struct, gc=False):
    """A client asks for a sign of life."""


Request = (
    ConnectRequest
    | SubscribeRequest
    | ChannelRequest
    | PublishRequest
    | HistoryRequest
    | RpcRequest
    | SendRequest
    | RefreshRequest
    | SubRefreshRequest
    | PingRequest
)


class Command(Struct, gc=False):
    """One command: an id and exactly one request. Without either it is the answer to a ping."""

    id: int = 0
    # The first ones are the first to be looked for.
    publish: PublishRequest | None = None
    subscribe: SubscribeRequest | None = None
    connect: ConnectRequest | None = None
    unsubscribe: ChannelRequest | None = None
    presence: ChannelRequest | None = None
    presence_stats: ChannelRequest | None = None
    history: HistoryRequest | None = None
    ping: PingRequest | None = None
    send: SendRequest | None = None
    rpc: RpcRequest | None = None
    refresh: RefreshRequest | None = None
    sub_refresh: SubRefreshRequest | None = None


class SubscribeResult(Struct, omit_defaults=True, gc=False):
    """Where a subscription begins, and what was missed before."""

    expires: bool = False
    ttl: int = 0
    recoverable: bool = False
    epoch: str = ""
    publications: list[Raw] = []
    recovered: bool = False
    offset: int = 0
    positioned: bool = False
    data: Raw | UnsetType = UNSET
    was_recovering: bool = False
    delta: bool = False


class ConnectResult(Struct, omit_defaults=True, gc=False):
    """What a client learns about its connection."""

    client: str
    version: str = ""
    expires: bool = False
    ttl: int = 0
    data: Raw | UnsetType = UNSET
    subs: dict[str, SubscribeResult] = {}
    ping: int = 0
    pong: bool = False
    session: str = ""
    node: str = ""


class RefreshResult(Struct, omit_defaults=True, gc=False):
    """How long the new token is good."""

    client: str = ""
    expires: bool = False
    ttl: int = 0


_NAMES: tuple[str, ...] = Command.__struct_fields__
REQUESTS = _NAMES[1:]
_OTHERS = len(REQUESTS) - 1
_IDS = 2**32

_decode = msgspec.json.Decoder(Command).decode_lines
_encode = msgspec.json.Encoder().encode


COMMANDS_LIMIT = 1024
"""How many commands one frame may hold."""


class BadFrame(ValueError):
    """A frame that is none of the protocol's."""


def commands(frame: str | bytes) -> list[tuple[int, str, Any]]:
    """The commands of one frame: id, name and request; the name "" is the answer to a ping.

    Raises:
        BadFrame: One of them is no command.
    """
    # What is shorter has not so many lines.
    if len(frame) >= COMMANDS_LIMIT:
        lines = 1 + (frame.count("\n") if isinstance(frame, str) else frame.count(b"\n"))
        if lines > COMMANDS_LIMIT:
            raise BadFrame(f"{lines} commands in one frame")
    try:
        decoded = _decode(frame)
    except NOT_JSON as error:
        raise BadFrame(str(error)) from None
    found: list[tuple[int, str, Any]] = []
    for command in decoded:
        values = astuple(command)
        number: int = values[0]
        missing = values.count(None)
        if missing != _OTHERS:
            if number or missing < _OTHERS:
                raise BadFrame("a command has one request")
            found.append((0, "", None))
            continue
        at = 1
        while values[at] is None:
            at += 1
        name = _NAMES[at]
        # Only `send` is not answered.
        if not ((0 < number < _IDS) if name != "send" else number == 0):
            raise BadFrame(f"{name} with id {number}")
        found.append((number, name, values[at]))
    return found


def decode(json: bytes | Raw, kind: type[T]) -> T:
    """JSON that came otherwise than in a client's frame; what of it is `Raw` may stand in one.

    Raises:
        msgspec.DecodeError: It is no JSON, or another.
    """
    try:
        # `Raw` is not looked at more closely than to find its end: it may be no UTF-8.
        text = bytes(json).decode()
        found = msgspec.json.decode(text, type=kind)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None
    if "\n" in text:
        # It is JSON: its line feeds stand between tokens, and in a frame would end a line.
        return msgspec.json.decode(text.replace("\n", " "), type=kind)
    return found


def encode(value: object) -> bytes:
    """A value as JSON."""
    return _encode(value)


def reply(number: int, name: str, result: object) -> str:
    """The answer to a command; None: done, with nothing to tell."""
    told = "{}" if result is None else _encode(result).decode()
    return f'{{"id":{number},"{name}":{told}}}'


def refusal(number: int, code: int, message: str, temporary: bool) -> str:
    """The answer to a command that was refused."""
    error: dict[str, object] = {"code": code, "message": message}
    if temporary:
        error["temporary"] = True
    return f'{{"id":{number},"error":{_encode(error).decode()}}}'


def push(channel: str, name: str, what: object) -> str:
    """Something that nobody asked for; `channel` may be empty."""
    where = f'"channel":{_encode(channel).decode()},' if channel else ""
    return f'{{"push":{{{where}"{name}":{_encode(what).decode()}}}}}'


def client_info(user: str, client: str, conn_info: bytes, chan_info: bytes) -> bytes:
    """Who a client is, as others are shown."""
    info: dict[str, object] = {"user": user, "client": client}
    if conn_info:
        info["conn_info"] = Raw(conn_info)
    if chan_info:
        info["chan_info"] = Raw(chan_info)
    return _encode(info)
