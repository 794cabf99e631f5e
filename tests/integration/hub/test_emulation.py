"""Without WebSocket: streams of answers, and commands posted beside them."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import pytest

from hubbub import App
from hubbub.hub import Hub
from hubbub.testing import TestServer, serve

pytestmark = pytest.mark.anyio

WAIT_S = 5.0
LINE_LIMIT_BYTES = 1 << 23


def hubbed() -> tuple[App, Hub]:
    app = App()
    hub = Hub(app, allow_anonymous=True)
    hub.channel("room", subscribe="anyone", publish="subscribers", history_limit=10, presence=True)
    return app, hub


class Stream:
    """The client's end of a stream: frames, whatever they are wrapped in."""

    def __init__(self, server: TestServer, reader: asyncio.StreamReader) -> None:
        self._server = server
        self._reader = reader
        self._session = self._node = ""

    async def frame(self) -> Any:
        """The next JSON object; None at the end."""
        async with asyncio.timeout(WAIT_S):
            while line := await self._reader.readline():
                text = line.strip().removeprefix(b"data: ")
                if text.startswith(b"{"):
                    return json.loads(text)
                # The last chunk (RFC 9112 §7.1).
                if text == b"0":
                    return None
        return None

    async def connected(self) -> Any:
        answer = await self.frame()
        self._session, self._node = answer["connect"]["session"], answer["connect"]["node"]
        return answer

    async def say(self, *commands: dict[str, Any]) -> int:
        data = "\n".join(json.dumps(command) for command in commands)
        body = {"session": self._session, "node": self._node, "data": data}
        answer = await self._server.post("/connection/emulation", json=body)
        return answer.status


@asynccontextmanager
async def opened(
    server: TestServer, kind: str, command: object = None, **fields: str
) -> AsyncIterator[Stream]:
    body = json.dumps(command or {"id": 1, "connect": {}})
    if kind == "sse":
        head = f"GET /connection/sse?cf_connect={quote(body)} HTTP/1.1\r\n"
        body = ""
    else:
        head = f"POST /connection/http_stream HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    address = "127.0.0.1", server.port
    reader, writer = await asyncio.open_connection(*address, limit=LINE_LIMIT_BYTES)
    try:
        writer.write(f"{head}Host: 127.0.0.1:{server.port}\r\n\r\n{body}".encode())
        yield Stream(server, reader)
    finally:
        writer.close()


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_a_session_over_a_stream(kind: str) -> None:
    app, hub = hubbed()
    async with serve(app) as server:
        async with opened(server, kind) as stream:
            await stream.connected()
            assert await stream.say({"id": 2, "subscribe": {"channel": "room"}}) == 204
            assert (await stream.frame())["subscribe"]["recoverable"] is True
            hub.publish("room", {"n": 1})
            assert (await stream.frame())["push"]["pub"] == {"data": {"n": 1}, "offset": 1}
            await stream.say({"id": 3, "publish": {"channel": "room", "data": 2}})
            assert (await stream.frame())["push"]["pub"]["data"] == 2
            assert (await stream.frame())["publish"] == {}
            assert hub.presence("room") == (1, 1)
        async with asyncio.timeout(WAIT_S):
            while hub.presence("room") != (0, 0):
                hub.publish("room", "is anybody there?")
                await asyncio.sleep(0.01)
        assert hub.clients() == ()


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_who_has_missed_more_than_may_wait_gets_it(kind: str) -> None:
    app, hub = hubbed()
    hub.channel("long:*", subscribe="anyone", history_limit=1_000)
    places: dict[str, dict[str, Any]] = {}

    def resume(number: int, channel: str) -> dict[str, Any]:
        request = {"channel": channel, "recover": True, **places[channel]}
        return {"id": number, "subscribe": request}

    async with serve(app) as server:
        for channel in ("long:a", "long:b"):
            for _ in range(120):
                _, epoch = await hub.publish(channel, "x" * 10_000)
            places[channel] = {"epoch": epoch, "offset": 0}
        async with opened(server, kind) as stream:
            await stream.connected()
            await stream.say(resume(2, "long:a"), resume(3, "long:b"))
            assert len((await stream.frame())["subscribe"]["publications"]) == 120
            assert (await stream.frame())["push"]["disconnect"]["code"] == 3008
        places["long:a"]["offset"] = 120
        async with opened(server, kind) as stream:
            await stream.connected()
            await stream.say(resume(2, "long:a"), resume(3, "long:b"))
            assert (await stream.frame())["subscribe"]["recovered"]
            assert len((await stream.frame())["subscribe"]["publications"]) == 120
            hub.publish("long:b", "and on")
            assert (await stream.frame())["push"]["pub"]["data"] == "and on"


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_why_a_stream_ends_is_said_in_it(kind: str) -> None:
    app, hub = hubbed()
    async with serve(app) as server, opened(server, kind) as stream:
        await stream.connected()
        (client,) = hub.clients()
        client.disconnect()
        told = {"code": 3503, "reason": "force disconnect", "reconnect": False}
        assert (await stream.frame())["push"]["disconnect"] == told
        assert await stream.frame() is None
        assert await stream.say({"id": 2, "ping": {}}) == 410


async def test_a_session_has_a_secret_that_nobody_is_told() -> None:
    app, _ = hubbed()
    async with serve(app) as server, opened(server, "http_stream") as stream:
        answer = (await stream.connected())["connect"]
        assert answer["session"] != answer["client"]
        for session in ("", answer["client"], answer["session"][:-1]):
            body = {"session": session, "node": answer["node"], "data": '{"id":2,"ping":{}}'}
            assert (await server.post("/connection/emulation", json=body)).status == 410
        stream._node = "another process"
        stream._session = "x"
        assert await stream.say({"id": 2, "ping": {}}) == 404


@pytest.mark.parametrize("kind", ["http_stream", "sse"])
async def test_white_space_between_a_client_s_tokens_breaks_no_frame(kind: str) -> None:
    app, _ = hubbed()
    async with serve(app) as server, opened(server, kind) as stream:
        await stream.connected()
        await stream.say({"id": 2, "subscribe": {"channel": "room"}})
        await stream.frame()
        said = '{"id":3,"publish":{"channel":"room","data":{\r"n"\t:\r1}}}'
        body = {"session": stream._session, "node": stream._node, "data": said}
        await server.post("/connection/emulation", json=body)
        assert (await stream.frame())["push"]["pub"]["data"] == {"n": 1}


async def test_what_is_posted_and_no_utf_8_is_refused() -> None:
    app, _ = hubbed()
    async with serve(app) as server:
        body = b'{"session":"\xff","node":"","data":"{}"}'
        assert (await server.post("/connection/emulation", body=body)).status == 400


async def test_pages_of_other_origins_are_kept_out() -> None:
    app, _ = hubbed()
    async with serve(app) as server:
        headers = {"Origin": "https://evil.example"}
        for target in ("/connection/http_stream", "/connection/emulation"):
            answer = await server.post(target, body=b"{}", headers=headers)
            assert answer.status == 403
        answer = await server.get("/connection/sse?cf_connect={}", headers=headers)
        assert answer.status == 403
        own = {"Origin": f"http://127.0.0.1:{server.port}"}
        async with opened(server, "sse", **own) as stream:
            await stream.connected()


async def test_what_is_no_command_ends_the_stream() -> None:
    app, _ = hubbed()
    async with serve(app) as server, opened(server, "http_stream", {"id": 1}) as stream:
        assert (await stream.frame())["push"]["disconnect"]["code"] == 3501
        assert await stream.frame() is None
