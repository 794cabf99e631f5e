"""Somebody in a chat: signs in over HTTP, talks by Centrifugo's own Python client."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import centrifuge

from hubbub.apps.chat import Config, app
from hubbub.testing import TestServer, serve

TIMEOUT_S = 10.0
_numbers = itertools.count(1)


class Ear(centrifuge.SubscriptionEventHandler):
    """What somebody hears in a channel."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Any] = asyncio.Queue()
        self.subscribed = asyncio.Event()
        self.out: asyncio.Queue[int] = asyncio.Queue()

    async def on_subscribed(self, ctx: Any) -> None:
        self.subscribed.set()

    async def on_unsubscribed(self, ctx: Any) -> None:
        self.out.put_nowait(ctx.code)

    async def on_publication(self, ctx: Any) -> None:
        self.heard.put_nowait(ctx.pub.data)

    async def next(self, kind: str) -> Any:
        """The next event of a kind; others are passed over."""
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                event = await self.heard.get()
                if event["type"] == kind:
                    return event


class Own(centrifuge.ClientEventHandler):
    """What somebody is told alone."""

    def __init__(self) -> None:
        self.ear = Ear()
        self.ended: asyncio.Queue[int] = asyncio.Queue()

    async def on_publication(self, ctx: Any) -> None:
        await self.ear.on_publication(ctx)

    async def on_disconnected(self, ctx: Any) -> None:
        self.ended.put_nowait(ctx.code)


class Talker:
    """One person with one connection."""

    def __init__(self, server: TestServer, cookie: str, me: dict[str, Any]) -> None:
        self.server, self.cookie, self.me = server, cookie, me
        self.own = Own()
        self.client = self._client()

    def _client(self, token: str = "") -> Any:
        return centrifuge.Client(
            self.server.ws_url + "/connection/websocket",
            events=self.own,
            headers={"Cookie": self.cookie},
            token=token,
        )

    @property
    def user(self) -> str:
        return str(self.me["user"])

    async def connect(self) -> None:
        await self.client.connect()
        await self.client.ready()

    async def call(self, method: str, **params: Any) -> Any:
        return (await self.client.rpc(method, params)).data

    async def say(self, text: str, room: str = "lobby", **more: Any) -> Any:
        more.setdefault("nonce", f"n{next(_numbers)}")
        return (await self.call("say", room=room, text=text, **more))["message"]

    async def refused(self, method: str, **params: Any) -> tuple[int, bool]:
        """The code of the refusal of a call that must fail, and whether it may be tried again."""
        try:
            answer = await self.call(method, **params)
        except centrifuge.ReplyError as error:
            return error.code, error.temporary
        raise AssertionError(f"not refused: {answer}")

    async def listen(self, channel: str) -> Ear:
        ear = Ear()
        await self.client.new_subscription(channel, events=ear).subscribe()
        async with asyncio.timeout(TIMEOUT_S):
            await ear.subscribed.wait()
        return ear


class House:
    """A chat with whoever is in it."""

    def __init__(self, server: TestServer, service: Any) -> None:
        self.server = server
        self.service = service
        self.talkers: list[Talker] = []

    async def sign_in(self, way: str = "guest", **form: Any) -> Talker:
        answer = await self.server.post(f"/api/{way}", json=form)
        assert answer.status == 200, answer.text
        cookie = answer.headers["set-cookie"].partition(";")[0]
        return Talker(self.server, cookie, answer.json())

    async def guest(self, nick: str, *langs: str) -> Talker:
        talker = await self.sign_in(nick=nick, langs=langs or ("en",))
        self.talkers.append(talker)
        await talker.connect()
        return talker

    async def account(self, nick: str) -> Talker:
        talker = await self.sign_in("register", nick=nick, password="correct horse", langs=("en",))
        self.talkers.append(talker)
        await talker.connect()
        return talker


@asynccontextmanager
async def house(folder: Path, **settings: Any) -> AsyncIterator[House]:
    made = app(Config(database=str(folder / "chat.sqlite3"), **settings))
    async with serve(made) as server:
        chat = House(server, made.state.chat)
        try:
            yield chat
        finally:
            for talker in chat.talkers:
                await talker.client.disconnect()
