"""A hub in memory: real sessions and rules, transports that keep what they are sent."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any, cast

from hubbub._core import Request
from hubbub.hub.client import Client
from hubbub.hub.dispatch import Dispatch
from hubbub.hub.limits import HubLimits
from hubbub.hub.options import ChannelOptions, ChannelTable
from hubbub.hub.rules import Rules
from hubbub.hub.sessions import Sessions
from hubbub.hub.transports import Listeners

START_S = 1_700_000_000.0


class Pipe:
    """A transport whose other end is a list."""

    def __init__(self, listeners: Listeners) -> None:
        self._listeners = listeners
        self.frames: list[str] = []
        self.closed: tuple[int, str] | None = None

    def send(self, frame: str) -> None:
        self.frames.append(frame)

    def publish(self, frame: str, slow: str, conflate: str | None) -> None:
        self.frames.append(frame)

    def listen(self, topic: str) -> None:
        self._listeners.add(topic, cast("Any", self))

    def ignore(self, topic: str) -> None:
        self._listeners.remove(topic, cast("Any", self))

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def take(self) -> list[Any]:
        """What has arrived since the last time, each line decoded."""
        taken = [json.loads(line) for frame in self.frames for line in frame.split("\n")]
        self.frames.clear()
        return taken


def _nobody(topic: str, message: str, /, *, key: str | None = None) -> int:
    """No WebSocket hears anything: all are pipes."""
    return 0


class World:
    """A hub with as many clients as a test wants, at a time it chooses."""

    def __init__(
        self,
        rules: Rules | None = None,
        limits: HubLimits | None = None,
        **channels: ChannelOptions,
    ) -> None:
        self.now_s = START_S
        self.rules = rules or Rules(allow_anonymous=True)
        self.table = ChannelTable()
        for pattern, options in channels.items():
            self.table.add(pattern, options)
        self.sessions = Sessions(_nobody, self.table, lambda: self.now_s, limits=limits)
        self.spawned: list[asyncio.Task[None]] = []
        self.dispatch = Dispatch(self.sessions, self.rules, self.table, self._spawn, 25)
        self._numbers = iter(range(1, 1_000_000))

    def _spawn(self, client: Client, coroutine: Coroutine[Any, Any, None]) -> object:
        task = asyncio.get_running_loop().create_task(coroutine)
        self.spawned.append(task)
        return task

    def open(self) -> "Peer":
        """A connection that has said nothing."""
        pipe = Pipe(self.sessions.listeners)
        client = self.sessions.open(cast("Request", None), pipe)
        return Peer(self, client, pipe)

    def login(self, user: str) -> "Peer":
        """A connection whose user the rules take from its data."""
        peer = self.open()
        assert "connect" in peer.ask(connect={"data": user})
        return peer

    def connect(self, user: str = "", **request: Any) -> "Peer":
        """A connection that is in."""
        peer = self.open()
        answer = peer.ask(connect=request)
        assert "connect" in answer, answer
        peer.client.user = user
        return peer


class Peer:
    """One client, from the outside."""

    def __init__(self, world: World, client: Client, pipe: Pipe) -> None:
        self.world = world
        self.client = client
        self.pipe = pipe
        self._ids = iter(range(1, 1_000_000))

    def say(self, *commands: dict[str, Any] | str) -> None:
        """Sends commands in one frame."""
        lines = [one if isinstance(one, str) else json.dumps(one) for one in commands]
        self.world.dispatch.receive(self.client, "\n".join(lines))

    def ask(self, **request: Any) -> dict[str, Any]:
        """Sends one command and returns its answer, the only thing that may arrive before it."""
        number = next(self._ids)
        self.say({"id": number, **request})
        answer = self.pipe.frames.pop(0)
        found = json.loads(answer)
        assert found["id"] == number
        return cast("dict[str, Any]", found)

    def leave(self) -> None:
        """The connection is gone."""
        self.world.dispatch.closed(self.client)

    def take(self) -> list[Any]:
        """What has arrived since the last time."""
        return self.pipe.take()
