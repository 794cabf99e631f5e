"""The server API over HTTP: what a program that is not Python can do."""

import time
from typing import Any

import msgspec
import pytest

from hubbub import App
from hubbub.errors import Misuse
from hubbub.hub import Hub
from hubbub.testing import TestServer, serve

pytestmark = pytest.mark.anyio

KEY = "0123456789abcdef"


def app() -> App:
    app = App()
    hub = Hub(app, allow_anonymous=True, api_keys=("another key of 16+", KEY))
    hub.channel("news", subscribe="anyone", history_limit=10, presence=True)

    @hub.on_connect
    def welcome(client: Any, request: Any) -> Any:
        from hubbub.hub import Welcome

        return Welcome(user="ada")

    return app


async def call(server: TestServer, method: str, params: object, key: str = KEY) -> Any:
    answer = await server.post(f"/connection/api/{method}", json=params, headers={"X-API-Key": key})
    assert answer.status == 200, answer.body
    return answer.json()


async def test_who_does_not_know_a_key_may_nothing() -> None:
    async with serve(app()) as server:
        for headers in ({}, {"X-API-Key": ""}, {"X-API-Key": KEY[:-1]}, {"X-API-Key": "ä" * 16}):
            answer = await server.post("/connection/api/info", json={}, headers=headers)
            assert answer.status == 401
        answer = await server.post(
            "/connection/api/info", json={}, headers={"Authorization": f"apikey {KEY}"}
        )
        assert answer.status == 200


def test_keys_are_long() -> None:
    with pytest.raises(Misuse):
        Hub(App(), api_keys=("short",))


async def test_a_program_publishes_and_asks() -> None:
    async with serve(app()) as server, server.connect("/connection/websocket") as client:
        client.send_json({"id": 1, "connect": {}})
        await client.receive_json()
        client.send_json({"id": 2, "subscribe": {"channel": "news"}})
        await client.receive_json()
        first = await call(server, "publish", {"channel": "news", "data": {"n": 1}})
        assert first["result"]["offset"] == 1
        repeated = {"channel": "news", "data": {"n": 2}, "idempotency_key": "k"}
        assert await call(server, "publish", repeated) == await call(server, "publish", repeated)
        many = await call(server, "broadcast", {"channels": ["news", "other"], "data": 3})
        assert many["result"]["responses"][0]["result"]["offset"] == 3
        heard = [await client.receive_json() for _ in range(3)]
        assert [one["push"]["pub"]["data"] for one in heard] == [{"n": 1}, {"n": 2}, 3]
        history = await call(server, "history", {"channel": "news", "limit": -1})
        assert [one["offset"] for one in history["result"]["publications"]] == [1, 2, 3]
        stats = await call(server, "presence_stats", {"channel": "news"})
        assert stats["result"] == {"num_clients": 1, "num_users": 1}
        present = await call(server, "presence", {"channel": "news"})
        assert [one["user"] for one in present["result"]["presence"].values()] == ["ada"]
        info = await call(server, "info", {})
        assert info["result"]["nodes"][0]["num_clients"] == 1


async def test_several_commands_in_one_request() -> None:
    async with serve(app()) as server:
        commands = [
            {"publish": {"channel": "news", "data": 1}},
            {"publish": {"channel": "", "data": 1}},
            {"presence_stats": {"channel": "news"}},
        ]
        published, refused, stats = (await call(server, "batch", {"commands": commands}))["replies"]
        assert published["publish"]["offset"] == 1
        assert refused["error"]["code"] == 107
        assert stats["presence_stats"] == {"num_clients": 0, "num_users": 0}
        for wrong in ({"commands": [{}]}, {"commands": 5}, [], {"commands": [{}] * 1001}):
            answer = await server.post(
                "/connection/api/batch", json=wrong, headers={"X-API-Key": KEY}
            )
            assert answer.status == 400


async def test_what_is_no_utf_8_is_refused_and_harms_nobody() -> None:
    async with serve(app()) as server, server.connect("/connection/websocket") as client:
        client.send_json({"id": 1, "connect": {}})
        await client.receive_json()
        client.send_json({"id": 2, "subscribe": {"channel": "news"}})
        await client.receive_json()
        headers = {"X-API-Key": KEY}
        for method, said in (
            ("publish", b'"channel":"news","data":"\xff\xfe"'),
            ("broadcast", b'"channels":["news"],"data":"\xff\xfe"'),
            ("subscribe", b'"user":"ada","channel":"other","info":"\xff\xfe"'),
            ("publish", b'"channel":"\xff","data":1'),
            ("publish", b'"channel":"news","data":' + b"[" * 100_000),
        ):
            body = b"{%s}" % said
            answer = await server.post(f"/connection/api/{method}", body=body, headers=headers)
            assert answer.json()["error"]["code"] == 107
            body = b'{"commands":[{"%s":%s}]}' % (method.encode(), body)
            answer = await server.post("/connection/api/batch", body=body, headers=headers)
            assert answer.status == 400
        await call(server, "publish", {"channel": "news", "data": "good"})
        assert (await client.receive_json())["push"]["pub"] == {"data": "good", "offset": 1}
        client.send_json({"id": 3, "history": {"channel": "news", "limit": -1}})
        kept = (await client.receive_json())["history"]["publications"]
        assert kept == [{"data": "good", "offset": 1}]


async def test_what_is_published_over_several_lines_goes_out_in_one() -> None:
    async with serve(app()) as server, server.connect("/connection/websocket") as client:
        client.send_json({"id": 1, "connect": {}})
        await client.receive_json()
        client.send_json({"id": 2, "subscribe": {"channel": "news"}})
        await client.receive_json()
        body = b'{\n "channel": "news",\n "data": {\n  "text": "a\\nb"\n }\n}'
        headers = {"X-API-Key": KEY}
        await server.post("/connection/api/publish", body=body, headers=headers)
        frame = await client.receive()
        assert "\n" not in frame  # type: ignore[operator]
        assert msgspec.json.decode(frame)["push"]["pub"]["data"] == {"text": "a\nb"}


async def test_users_are_sent_away() -> None:
    async with serve(app()) as server, server.connect("/connection/websocket") as client:
        client.send_json({"id": 1, "connect": {}})
        await client.receive_json()
        client.send_json({"id": 2, "subscribe": {"channel": "news"}})
        await client.receive_json()
        await call(server, "unsubscribe", {"user": "ada", "channel": "news"})
        push = await client.receive_json()
        assert push["push"]["unsubscribe"]["code"] == 2000
        farewell = {"code": 4500, "reason": "go"}
        refused = await call(server, "disconnect", {"user": "ada", "disconnect": {"code": 1000}})
        assert refused["error"]["code"] == 107
        await call(server, "disconnect", {"user": "ada", "disconnect": farewell})
        assert await client.wait_closed() == 4500
        assert client.ws.close_reason == "go"


async def test_a_program_subscribes_a_user_and_looks_who_hears_what() -> None:
    async with serve(app()) as server, server.connect("/connection/websocket") as client:
        client.send_json({"id": 1, "connect": {}})
        await client.receive_json()
        for channel in ("news", "private"):
            await call(server, "publish", {"channel": channel, "data": 1})
            await call(server, "subscribe", {"user": "ada", "channel": channel, "data": "hello"})
            told = (await client.receive_json())["push"]
            assert (told["channel"], told["subscribe"]["data"]) == (channel, "hello")
        heard = await call(server, "channels", {})
        assert heard["result"]["channels"] == {
            "news": {"num_clients": 1},
            "private": {"num_clients": 1},
        }
        some = await call(server, "channels", {"pattern": "pri*"})
        assert list(some["result"]["channels"]) == ["private"]
        await call(server, "publish", {"channel": "private", "data": 2})
        assert (await client.receive_json())["push"]["pub"]["data"] == 2
        assert (await call(server, "subscribe", {"channel": ""}))["error"]["code"] == 107


async def test_a_program_removes_a_history_and_says_when_a_user_has_to_refresh() -> None:
    async with serve(app()) as server, server.connect("/connection/websocket") as client:
        client.send_json({"id": 1, "connect": {}})
        await client.receive_json()
        await call(server, "publish", {"channel": "news", "data": 1})
        assert await call(server, "history_remove", {"channel": "news"}) == {"result": {}}
        history = (await call(server, "history", {"channel": "news", "limit": -1}))["result"]
        assert (history["publications"], history["offset"]) == ([], 1)
        soon = time.time() + 60
        await call(server, "refresh", {"user": "ada", "expire_at": soon})
        told = (await client.receive_json())["push"]["refresh"]
        assert told["expires"]
        assert 50 < told["ttl"] <= 60
        await call(server, "refresh", {"user": "ada", "expire_at": 0})
        assert await client.receive_json() == {"push": {"refresh": {}}}
        await call(server, "refresh", {"user": "ada", "expired": True})
        assert await client.wait_closed() == 3005
