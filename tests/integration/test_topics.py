"""Topics: who hears what is published."""

import asyncio
import random
from typing import Any

import pytest
import websockets
from msgspec import Struct

from hubbub import App, ServerSettings, WebSocket
from hubbub.testing import Client, serve

from ..waiting import until

pytestmark = pytest.mark.anyio


class Said(Struct, tag="said"):
    text: str


def joining(topic: str) -> Any:
    """An `on_open` hook."""

    def join(ws: WebSocket) -> None:
        ws.subscribe(topic)

    return join


def fan() -> App:
    app = App()

    @app.message("/all", on_open=joining("fan"))
    def to_all(ws: WebSocket, msg: str | bytes) -> str:
        return f"to {app.publish('fan', msg)}"

    @app.message("/others", on_open=joining("fan"))
    def to_others(ws: WebSocket, msg: str | bytes) -> str:
        return f"to {ws.publish('fan', msg)}"

    @app.message("/self", on_open=joining("fan"))
    def to_self_too(ws: WebSocket, msg: str | bytes) -> str:
        return f"to {ws.publish('fan', msg, include_self=True)}"

    return app


async def heard(client: Client, count: int) -> list[str | bytes]:
    return [await client.receive() for _ in range(count)]


@pytest.mark.parametrize("message", ["hello", "ünï", b"\x00\x01", "x" * 100_000])
async def test_everybody_hears_what_is_published(message: str | bytes) -> None:
    async with serve(fan()) as server:
        async with server.connect("/all") as a, server.connect("/all") as b:
            a.send(message)
            assert sorted(map(str, await heard(a, 2))) == sorted([str(message), "to 2"])
            assert await b.receive() == message


async def test_a_connection_leaves_itself_out() -> None:
    async with serve(fan()) as server:
        async with server.connect("/others") as a, server.connect("/others") as b:
            a.send("x")
            assert await a.receive() == "to 1"
            assert await b.receive() == "x"


async def test_or_in() -> None:
    async with serve(fan()) as server, server.connect("/self") as a:
        a.send("x")
        assert await heard(a, 2) == ["x", "to 1"]


async def test_who_leaves_hears_no_more() -> None:
    app = fan()
    async with serve(app) as server:
        async with server.connect("/all") as stays:
            stays.send("x")
            await heard(stays, 2)
            async with server.connect("/all") as leaves:
                leaves.send("y")
                await heard(leaves, 2)
                assert app.subscribers("fan") == 2
            # By threads, the application hears of it later than the client.
            await until(lambda: app.subscribers("fan") == 1)
            stays.send("z")
            assert "to 1" in await heard(stays, 3)
        await asyncio.sleep(0)
        assert app.publish("nobody", "x") == 0


async def test_subscriptions_of_one_connection() -> None:
    app = App()

    @app.message("/")
    def handler(ws: WebSocket, msg: str) -> str:
        verb, topic = msg.split()
        done = ws.subscribe(topic) if verb == "+" else ws.unsubscribe(topic)
        return f"{done} {sorted(ws.topics)}"

    async with serve(app) as server, server.connect("/") as client:
        for message, answer in [
            ("+ a", "True ['a']"),
            ("+ a", "False ['a']"),
            ("+ b", "True ['a', 'b']"),
            ("- a", "True ['b']"),
            ("- a", "False ['b']"),
        ]:
            client.send(message)
            assert await client.receive() == answer


async def test_a_struct_is_published_as_json() -> None:
    app = App()

    @app.message("/", on_open=joining("x"))
    def handler(ws: WebSocket, msg: str) -> None:
        app.publish("x", Said(msg))

    async with serve(app) as server, server.connect("/") as client:
        client.send("hi")
        assert await client.receive_json(Said) == Said("hi")


async def test_hundreds_hear_thousands() -> None:
    async with serve(fan()) as server:
        clients = [await server.connect("/others").__aenter__() for _ in range(100)]
        for number in range(50):
            clients[0].send(str(number))
        expected = [str(number) for number in range(50)]
        for client in clients[1:]:
            assert await heard(client, 50) == expected
        for client in clients:
            client.ws.close()
            await client.wait_closed()


async def test_what_is_commanded_in_between_keeps_its_place_among_hundreds() -> None:
    app = App()
    members: dict[str, WebSocket] = {}

    def join(ws: WebSocket) -> None:
        name = ws.params["name"]
        members[name] = ws
        if name != "late":
            ws.subscribe("all")
        if name.startswith("few"):
            ws.subscribe("few")

    @app.message("/{name}", on_open=join)
    def command(ws: WebSocket, msg: str) -> str:
        counts = [app.publish("all", "1")]
        members["told"].send("apart")
        members["closed"].close(4000, "enough")
        members["leaves"].unsubscribe("all")
        members["late"].subscribe("all")
        app.publish("few", "among few")
        counts.append(ws.publish("all", "2"))
        members["leaves"].send("end")
        return str(counts)

    names = ["commands", "told", "closed", "leaves", "late", "few1", "few2", "few3"]
    names += [f"other{number}" for number in range(200)]
    async with serve(app) as server:
        clients = {name: await server.connect(f"/{name}").__aenter__() for name in names}
        clients["commands"].send("go")
        assert await heard(clients["commands"], 2) == ["1", "[207, 206]"]
        assert await heard(clients["told"], 3) == ["1", "apart", "2"]
        assert await clients["closed"].receive() == "1"
        await clients["closed"].wait_closed()
        assert clients["closed"].ws.close_code == 4000
        assert await heard(clients["leaves"], 2) == ["1", "end"]
        assert await clients["late"].receive() == "2"
        for name in names[5:8]:
            assert await heard(clients[name], 3) == ["1", "among few", "2"]
        for name in names[8:]:
            assert await heard(clients[name], 2) == ["1", "2"]


@pytest.mark.parametrize("policy", ["drop-newest", "drop-oldest", "conflate"])
async def test_what_is_dropped_does_not_spoil_what_is_compressed_after_it(policy: Any) -> None:
    """With a window of its own, a peer reads each message by those before it."""
    app = App()
    app.topic("news", policy=policy)
    app.message("/", on_open=joining("news"))(lambda ws, message: None)
    dice = random.Random(1)

    settings = ServerSettings(compression="dedicated", outbox_limit_bytes=65_536)
    async with serve(app, settings=settings) as server:
        async with websockets.connect(server.ws_url, max_queue=1, ping_interval=None) as slow:
            assert "permessage-deflate" in slow.response.headers["sec-websocket-extensions"]
            await until(lambda: app.subscribers("news") == 1)
            told, before = set[str](), ""

            def are_missing() -> bool:
                stats = server.stats()
                return stats.dropped + stats.conflated > 0

            # Until all buffers on the way are full, and for a while after that.
            while len(told) < 2000 or not are_missing():
                # Each repeats a part of the one before it, so that windows matter.
                text = f"{len(told)} " + dice.randbytes(1000).hex() + before[:500]
                app.publish("news", text, key=str(len(told) % 7))
                told.add(before := text)
                if len(told) % 50 == 0:
                    await asyncio.sleep(0)
            app.publish("news", "the last", key="last")
            while (message := await asyncio.wait_for(slow.recv(), 10)) != "the last":
                assert message in told
                if policy == "drop-newest":
                    # It may have found no room.
                    app.publish("news", "the last", key="last")
