"""The hub and an unmodified client of Centrifugo's: what its documentation shows, against us."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import centrifuge
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from hubbub import App
from hubbub.hub import Client, Hub
from hubbub.testing import TestServer, serve

pytestmark = pytest.mark.anyio

SECRET = "a secret of more than sixteen bytes"
WAIT_S = 5.0


def token(user: str = "ada", lifetime_s: int = 60, **claims: object) -> str:
    claims = {"sub": user, "exp": int(time.time()) + lifetime_s, **claims}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


class Events(centrifuge.ClientEventHandler, centrifuge.SubscriptionEventHandler):
    """Keeps what happens, by name."""

    def __init__(self) -> None:
        self.queues: dict[str, asyncio.Queue[Any]] = {}

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        async def keep(context: Any) -> None:
            self.queue(name[3:]).put_nowait(context)

        return keep

    def queue(self, name: str) -> "asyncio.Queue[Any]":
        return self.queues.setdefault(name, asyncio.Queue())

    async def next(self, name: str) -> Any:
        async with asyncio.timeout(WAIT_S):
            return await self.queue(name).get()


def hubbed() -> tuple[App, Hub]:
    app = App()
    hub = Hub(app, secret=SECRET)
    hub.channel("room:*", history_limit=100, presence=True, join_leave=True, publish="subscribers")

    @hub.authorize("room:*")
    async def may_enter(client: Client, channel: str) -> bool:
        return client.user == "ada"

    @hub.rpc
    def add(client: Client, params: list[int]) -> int:
        return sum(params)

    return app, hub


@asynccontextmanager
async def connected(server: TestServer, events: Events, **options: Any) -> AsyncIterator[Any]:
    options.setdefault("token", token())
    url = server.ws_url + "/connection/websocket"
    client = centrifuge.Client(url, events=events, min_reconnect_delay=0.01, **options)
    try:
        await client.connect()
        yield client
    finally:
        await client.disconnect()


async def test_a_client_subscribes_publishes_asks_and_calls() -> None:
    app, hub = hubbed()
    events = Events()
    async with serve(app) as server, connected(server, events) as client:
        room = client.new_subscription("room:a", events=events, join_leave=True)
        await room.subscribe()
        await events.next("subscribed")
        assert (await events.next("join")).info.user == "ada"
        await room.publish({"text": "mine"})
        hub.publish("room:a", {"text": "ours"})
        first, second = await events.next("publication"), await events.next("publication")
        assert (first.pub.data, first.pub.info.user) == ({"text": "mine"}, "ada")
        assert (second.pub.data, second.pub.offset) == ({"text": "ours"}, 2)
        assert (await room.presence_stats()).num_clients == 1
        (present,) = (await room.presence()).clients.values()
        assert present.user == "ada"
        history = await room.history(limit=1, reverse=True)
        assert [one.data for one in history.publications] == [{"text": "ours"}]
        assert (await client.rpc("add", [1, 2, 3])).data == 6
        await room.unsubscribe()
        hub.publish("room:a", {"text": "nobody hears it"})
        assert events.queue("publication").empty()


async def test_what_was_missed_while_the_line_was_cut_is_recovered() -> None:
    app, hub = hubbed()
    events = Events()
    async with serve(app) as server, connected(server, events) as client:
        room = client.new_subscription("room:a", events=events)
        await room.subscribe()
        await events.next("subscribed")
        hub.publish("room:a", 1)
        assert (await events.next("publication")).pub.data == 1
        await client.disconnect()
        hub.publish("room:a", 2)
        hub.publish("room:a", 3)
        await client.connect()
        again = await events.next("subscribed")
        assert (again.was_recovering, again.recovered) == (True, True)
        hub.publish("room:a", 4)
        assert [(await events.next("publication")).pub.data for _ in range(3)] == [2, 3, 4]


async def test_who_may_not_enter_is_told_and_who_has_no_token_stays_out() -> None:
    app, _ = hubbed()
    events = Events()
    async with serve(app) as server:
        async with connected(server, events, token=token("bob")) as client:
            room = client.new_subscription("room:a", events=events)
            await room.subscribe()
            assert (await events.next("unsubscribed")).code == 103
        strangers = Events()
        async with connected(server, strangers, token="forged"):
            assert (await strangers.next("disconnected")).code == 3500


async def test_a_token_that_runs_out_is_renewed() -> None:
    app, _ = hubbed()
    events = Events()
    asked: list[str] = []

    async def fresh() -> str:
        asked.append("again")
        return token(lifetime_s=60)

    async with (
        serve(app) as server,
        connected(server, events, token=token(lifetime_s=2), get_token=fresh) as client,
    ):
        await events.next("connected")
        async with asyncio.timeout(WAIT_S):
            while not asked:
                await asyncio.sleep(0.05)
        assert (await client.rpc("add", [1])).data == 1


async def test_a_subscription_has_a_token_of_its_own() -> None:
    app, hub = hubbed()
    hub.channel("private:*", history_limit=1)
    events = Events()

    async def subscription_token(context: Any) -> str:
        return token(channel=context)

    async with serve(app) as server, connected(server, events) as client:
        private = client.new_subscription(
            "private:ada", events=events, get_token=subscription_token
        )
        await private.subscribe()
        await events.next("subscribed")
        hub.publish("private:ada", "for you")
        assert (await events.next("publication")).pub.data == "for you"


async def test_deltas_arrive_as_what_was_published() -> None:
    app, hub = hubbed()
    hub.channel("doc", subscribe="anyone", delta=True, history_limit=50)
    events = Events()
    async with serve(app) as server, connected(server, events) as client:
        doc = client.new_subscription("doc", events=events, delta=centrifuge.DeltaType.FOSSIL)
        await doc.subscribe()
        await events.next("subscribed")
        texts = [{"text": f"{'ä so ' * 30}{number}{'€ on ' * 30}"} for number in range(5)]
        for text in texts[:3]:
            hub.publish("doc", text)
        assert [(await events.next("publication")).pub.data for _ in range(3)] == texts[:3]
        await client.disconnect()
        hub.publish("doc", texts[3])
        await client.connect()
        await events.next("subscribed")
        hub.publish("doc", texts[4])
        assert [(await events.next("publication")).pub.data for _ in range(2)] == texts[3:]


async def test_the_server_ends_subscriptions_and_connections() -> None:
    app, hub = hubbed()
    events = Events()
    async with serve(app) as server, connected(server, events) as client:
        room = client.new_subscription("room:a", events=events)
        await room.subscribe()
        await events.next("subscribed")
        hub.unsubscribe("ada", "room:a")
        assert (await events.next("unsubscribed")).code == 2000
        assert hub.presence("room:a") == (0, 0)
        hub.disconnect("ada")
        assert (await events.next("disconnected")).code == 3503
        assert hub.clients() == ()
