"""What `centrifuge-python` documents (README, example, hints), in examples of our own."""

import asyncio
from typing import Any

import centrifuge
import pytest

from hubbub.testing import TestServer, serve
from tests.integration.hub.documented import documented, signed
from tests.integration.hub.test_clients import WAIT_S, Events, connected

pytestmark = pytest.mark.anyio


def ada(server: TestServer, events: Events, **options: Any) -> Any:
    options.setdefault("token", signed("ada", 60))
    return connected(server, events, **options)


async def test_its_example_from_the_first_token_to_the_history() -> None:
    app, _ = documented()
    events = Events()
    asked: list[str] = []

    async def client_token() -> str:
        asked.append("client")
        return signed("bob", 60)

    async def subscription_token(channel: str) -> str:
        asked.append(channel)
        return signed("bob", 60, channel=channel)

    async with (
        serve(app) as server,
        ada(server, events, token="", get_token=client_token) as client,
    ):
        assert (await events.next("connected")).data == {"hello": "bob"}
        example = client.new_subscription(
            "private:channel", events=events, get_token=subscription_token
        )
        await example.subscribe()
        await example.ready()
        await example.publish(data={"input": "test"})
        assert (await events.next("publication")).pub.data == {"input": "test"}
        assert (await example.presence_stats()).num_users == 1
        (present,) = (await example.presence()).clients.values()
        assert present.user == "bob"
        history = await example.history(limit=1, reverse=True)
        assert [one.data for one in history.publications] == [{"input": "test"}]
        assert asked == ["client", "private:channel"]


async def test_tokens_of_connection_and_subscription_are_renewed_before_they_run_out() -> None:
    app, _ = documented()
    events = Events()
    asked: list[str] = []
    renewed = asyncio.Event()

    async def client_token() -> str:
        asked.append("client")
        renewed.set()
        return signed("bob", 2)

    async def subscription_token(channel: str) -> str:
        asked.append(channel)
        renewed.set()
        return signed("bob", 2, channel=channel)

    async with (
        serve(app) as server,
        ada(server, events, token="", get_token=client_token) as client,
    ):
        mine = client.new_subscription("private:bob", events=events, get_token=subscription_token)
        await mine.subscribe()
        async with asyncio.timeout(2 * WAIT_S):
            while asked.count("client") < 3 or asked.count("private:bob") < 3:
                renewed.clear()
                await renewed.wait()
        await mine.publish(data="still here")
        assert (await events.next("publication")).pub.data == "still here"
        assert events.queue("connecting").qsize() == 1
        assert events.queue("subscribing").qsize() == 1


async def test_who_has_no_permission_any_more_stays_out() -> None:
    app, _ = documented()
    events, theirs = Events(), Events()

    async def nobody(*_: Any) -> str:
        raise centrifuge.UnauthorizedError

    async with serve(app) as server:
        async with ada(server, events, token="", get_token=nobody):
            assert (await events.next("disconnected")).code == 1
        async with ada(server, theirs) as client:
            private = client.new_subscription("private:x", events=theirs, get_token=nobody)
            await private.subscribe()
            assert (await theirs.next("unsubscribed")).code == 1


async def test_another_token_makes_another_user_of_the_next_connection() -> None:
    app, _ = documented()
    events = Events()
    async with serve(app) as server, ada(server, events) as client:
        assert (await events.next("connected")).data == {"hello": "ada"}
        await client.disconnect()
        client.set_token(signed("bob", 60))
        await client.connect()
        assert (await events.next("connected")).data == {"hello": "bob"}


async def test_what_a_client_says_of_itself_reaches_the_server() -> None:
    app, _ = documented()
    events = Events()
    said = {"data": {"a": 1}, "name": "docs", "version": "1.2"}
    async with serve(app) as server, ada(server, events, **said, headers={"x-one": "1"}) as client:
        seen = (await client.rpc("last_connect", {})).data
        assert {name: seen[name] for name in said} == said
        asks = client.new_subscription("asks:1", events=events, data={"page": 7})
        await asks.subscribe()
        # The first is the server's own.
        await events.next("subscribed")
        assert (await events.next("subscribed")).data == {"asked": {"page": 7}}


async def test_errors_have_codes() -> None:
    app, _ = documented()
    events = Events()
    async with serve(app) as server, ada(server, events) as client:
        bare = client.new_subscription("bare", events=events)
        await bare.subscribe()
        news = client.new_subscription("news", events=events)
        await news.subscribe()
        place = await news.history(limit=0)
        foreign = centrifuge.StreamPosition(offset=1, epoch="another")
        assert place.publications == []
        for code, request in (
            (108, bare.history(limit=1)),
            (108, bare.presence()),
            (103, client.publish("news:other", 1)),
            (103, client.presence_stats("private:y")),
            (104, client.rpc("no.such.method", None)),
            (400, client.rpc("my.method.name", {})),
            (112, news.history(limit=1, since=foreign)),
        ):
            with pytest.raises(centrifuge.ReplyError) as refused:
                await request
            assert refused.value.code == code


async def test_who_comes_and_goes() -> None:
    app, _ = documented()
    events, theirs = Events(), Events()
    async with serve(app) as server, ada(server, events) as client:
        news = client.new_subscription("news", events=events, join_leave=True)
        await news.subscribe()
        await _until(events, "join", "ada")
        async with ada(server, theirs, token=signed("bob", 60)) as other:
            there = other.new_subscription("news", events=theirs)
            await there.subscribe()
            await _until(events, "join", "bob")
        await _until(events, "leave", "bob")


async def test_subscriptions_of_the_server_s() -> None:
    app, hub = documented()
    events = Events()
    async with serve(app) as server, ada(server, events) as client:
        assert (await events.next("subscribed")).channel == "personal:ada"
        await client.rpc("say", {"channel": "personal:ada", "data": 1})
        assert (await events.next("publication")).pub.data == 1
        await client.disconnect()
        assert (await events.next("subscribing")).channel == "personal:ada"
        hub.publish("personal:ada", 2)
        await client.connect()
        again = await events.next("subscribed")
        assert (again.was_recovering, again.recovered) == (True, True)
        assert (await events.next("publication")).pub.data == 2
        await client.rpc("enrol", "private:lobby")
        added = await events.next("subscribed")
        assert (added.channel, added.data) == ("private:lobby", {"reason": "you are welcome"})
        hub.publish("private:lobby", 3)
        assert (await events.next("publication")).channel == "private:lobby"
        await client.rpc("expel", "private:lobby")
        assert (await events.next("unsubscribed")).channel == "private:lobby"


async def test_the_application_s_state_is_loaded_again_only_when_recovery_fails() -> None:
    app, hub = documented()
    events = Events()
    loaded: list[int] = []
    epoch = ""

    async def state(channel: str) -> centrifuge.StreamPosition:
        offset = (await hub.publish(channel, "mark"))[0]
        loaded.append(offset)
        return centrifuge.StreamPosition(offset=offset, epoch=epoch)

    async with serve(app) as server, ada(server, events, token=signed("bob", 60)) as client:
        epoch = (await hub.publish("news", "before"))[1]
        news = client.new_subscription(
            "news", events=events, get_state=state, min_resubscribe_delay=0.01
        )
        await news.subscribe()
        await events.next("subscribed")
        hub.publish("news", "heard")
        assert (await events.next("publication")).pub.data == "heard"
        await client.disconnect()
        hub.publish("news", "missed")
        await client.connect()
        assert (await events.next("publication")).pub.data == "missed"
        assert len(loaded) == 1
        await client.disconnect()
        hub.publish("news", "lost")
        hub.forget("news")
        await client.connect()
        await events.next("subscribed")
        await events.next("subscribed")
        hub.publish("news", "after")
        assert (await events.next("publication")).pub.data == "after"
        assert len(loaded) == 2


async def test_a_cache_and_what_we_do_not_have() -> None:
    app, hub = documented()
    events = Events()
    async with serve(app) as server, ada(server, events, token=signed("bob", 60)) as client:
        price = client.new_subscription("price", events=events)
        await price.subscribe()
        await events.next("subscribed")
        await client.disconnect()
        for number in range(5):
            hub.publish("price", number)
        await client.connect()
        assert (await events.next("publication")).pub.data == 4
        assert (await events.next("subscribed")).recovered
        filtered = client.new_subscription(
            "news:f", events=events, tags_filter=centrifuge.Filter.eq("a", "b")
        )
        await filtered.subscribe()
        assert (await events.next("unsubscribed")).code == 108


async def _until(events: Events, name: str, user: str) -> None:
    while (await events.next(name)).info.user != user:
        pass
