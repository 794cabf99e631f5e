"""Starting and stopping: lifespans, timers, tasks, mounts, addresses, and who is told what."""

import asyncio
import contextlib
import errno
import logging
import re
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import hubbub
from hubbub import (
    App,
    CannotListen,
    Misuse,
    Request,
    ServerSettings,
    Stats,
    WebSocket,
    serve,
    testing,
)
from hubbub.testing.http import ask

pytestmark = pytest.mark.anyio


def echoing() -> App:
    app = App()

    @app.message("/echo")
    def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
        return msg

    return app


async def test_lifespans_run_around_everything() -> None:
    outer, inner, events = App(), App(), list[str]()

    def living(app: App, name: str) -> None:
        @app.lifespan
        async def life() -> AsyncIterator[None]:
            events.append(f"{name} in")
            app.publish("x", "served already")
            yield
            events.append(f"{name} out")

    living(outer, "outer")
    living(inner, "inner")
    outer.mount("/inner", inner)

    @inner.websocket("/")
    async def handler(ws: WebSocket) -> None:
        ws.send("hi")
        async for _ in ws:
            pass
        events.append(f"handler out {ws.close_code}")

    async with serve(outer, port=0) as server:
        ws = await hubbub.connect(server.url + "/inner/")
        assert await ws.recv() == "hi"
    await ws.wait_closed()
    assert ws.close_code == 1001
    assert events == [
        "outer in",
        "inner in",
        "handler out 1001",
        "inner out",
        "outer out",
    ]


async def test_a_lifespan_that_fails_lets_nothing_start() -> None:
    app, events = App(), list[str]()

    @app.lifespan
    async def good() -> AsyncIterator[None]:
        yield
        events.append("good out")

    @app.lifespan
    async def bad() -> AsyncIterator[None]:
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        async with serve(app, port=0):
            raise AssertionError
    assert events == ["good out"]
    app.lifespans.pop()
    async with serve(app, port=0):
        pass


async def test_tasks_and_timers_live_as_long_as_the_app() -> None:
    app, events = App(), list[str]()
    ticked, ticked_later = asyncio.Event(), asyncio.Event()

    @app.every("10ms")
    def tick() -> None:
        ticked.set()

    @app.every(0.01)
    async def tick_later() -> None:
        await asyncio.sleep(0)
        ticked_later.set()

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            events.append("background out")

    @app.lifespan
    async def life() -> AsyncIterator[None]:
        app.spawn(background())
        yield
        events.append("life out")

    async with serve(app, port=0), asyncio.timeout(5):
        await ticked.wait()
        await ticked_later.wait()
    assert events == ["background out", "life out"]
    ticked.clear()
    await asyncio.sleep(0.03)
    assert not ticked.is_set()


async def test_a_failing_timer_is_logged_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    app, calls = App(), list[int]()

    @app.every("5ms")
    def tick() -> None:
        calls.append(1)
        raise ZeroDivisionError

    async with serve(app, port=0), asyncio.timeout(5):
        while len(calls) < 2:
            await asyncio.sleep(0.001)
    assert "tick failed" in caplog.text


async def test_closing_waits_for_handlers_but_not_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, events = App(), list[str]()

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        async for _ in ws:
            pass
        events.append("said goodbye")

    settings = ServerSettings(shutdown_timeout_s=0.2, close_timeout_s=5)
    with socket.socket() as silent:
        async with serve(app, port=0, settings=settings) as server:
            polite = await hubbub.connect(server.url)
            port = int(server.url.rpartition(":")[2])
            # This one shakes hands and then never answers anything.
            silent.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(silent, ("127.0.0.1", port))
            key = "dGhlIHNhbXBsZSBub25jZQ=="
            await loop.sock_sendall(
                silent,
                f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Key: {key}\r\n\r\n".encode(),
            )
            assert b" 101 " in await loop.sock_recv(silent, 4096)
            began = time.monotonic()
        assert 0.1 < time.monotonic() - began < 2
        await polite.wait_closed()
    assert polite.close_code == 1001
    assert "said goodbye" in events
    assert "did not end in time" in caplog.text


async def test_closing_twice_is_closing_once() -> None:
    async with serve(echoing(), port=0) as server:
        await server.close()
        await server.close()
        with pytest.raises(Misuse):
            server.stats()


async def test_mounts() -> None:
    index, chat = App(), App()

    @index.get("/")
    def home(req: Request) -> str:
        return "home"

    @chat.get("/")
    def page(req: Request) -> str:
        return "page"

    @chat.message("/ws")
    def ws(ws: WebSocket, msg: str) -> str:
        return f"{msg} {chat.publish('x', 'y')}"

    index.mount("/chat", chat)
    index.mount("/", echoing())
    async with testing.serve(index) as server:
        assert (await server.get("/")).text == "home"
        assert (await server.get("/chat/")).text == "page"
        redirect = await server.get("/chat?room=x")
        assert (redirect.status, redirect.headers["location"]) == (308, "chat/?room=x")
        async with server.connect("/chat/ws") as client:
            client.send("hi")
            assert await client.receive() == "hi 0"
        async with server.connect("/echo") as client:
            client.send("hi")
            assert await client.receive() == "hi"


async def test_an_app_mounted_twice_lives_once() -> None:
    app, twice, lives = App(), App(), list[int]()

    @twice.lifespan
    async def life() -> AsyncIterator[None]:
        lives.append(1)
        yield

    @twice.get("/x")
    def x(req: Request) -> str:
        return req.path

    app.mount("/a", twice)
    app.mount("/b", twice)
    async with testing.serve(app) as server:
        assert (await server.get("/a/x")).text == "/a/x"
        assert (await server.get("/b/x")).text == "/b/x"
    assert lives == [1]


async def test_routes_that_collide_are_told() -> None:
    app = App()
    app.get("/x/{a}")(lambda req: None)
    app.get("/x/{b}")(lambda req: None)
    with pytest.raises(Misuse, match="/x/"):
        async with serve(app, port=0):
            raise AssertionError


async def test_an_app_is_served_once_at_a_time() -> None:
    app = echoing()
    async with serve(app, port=0):
        with pytest.raises(Misuse, match="already"):
            async with serve(app, port=0):
                raise AssertionError
    async with serve(app, port=0):
        pass


async def test_two_servers_in_one_loop() -> None:
    async with testing.serve(echoing()) as one, testing.serve(echoing()) as two:
        assert one.port != two.port
        for server in (one, two):
            async with server.connect("/echo") as client:
                client.send("hi")
                assert await client.receive() == "hi"


async def test_a_port_that_is_taken() -> None:
    async with serve(echoing(), port=0) as server:
        port = int(server.url.rpartition(":")[2])
        with pytest.raises(CannotListen) as refused:
            async with serve(App(), port=port):
                raise AssertionError
    assert refused.value.errno == errno.EADDRINUSE
    assert str(port) in str(refused.value)


async def test_ipv6() -> None:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    async with serve(echoing(), host="::1", port=0) as server:
        assert server.url.startswith("http://[::1]:")
        async with hubbub.connect(server.ws_url + "/echo") as ws:
            ws.send("hi")
            assert await ws.recv() == "hi"
            assert ws.peer.startswith("[::1]:")


async def test_a_name() -> None:
    async with serve(echoing(), host="localhost", port=0) as server:
        port = server.url.rpartition(":")[2]
        assert all(address.endswith(f":{port}") for address in server.addresses)
        async with hubbub.connect(f"ws://localhost:{port}/echo") as ws:
            ws.send("hi")
            assert await ws.recv() == "hi"


async def test_a_unix_socket(tmp_path: Path) -> None:
    place = tmp_path / "hubbub.sock"
    async with serve(echoing(), uds=str(place)) as server:
        assert server.addresses == (f"unix:{place}",)
        async with hubbub.connect("ws://localhost/echo", uds=str(place)) as ws:
            ws.send("hi")
            assert await ws.recv() == "hi"
            assert ws.peer == "unix"


async def test_an_inherited_descriptor() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with serve(echoing(), fd=listener.fileno()):
            async with hubbub.connect(f"ws://127.0.0.1:{port}/echo") as ws:
                ws.send("hi")
                assert await ws.recv() == "hi"


async def test_stats() -> None:
    async with testing.serve(echoing()) as server:
        async with server.connect("/echo") as client:
            client.send("hi")
            await client.receive()
            stats = server.stats()
            assert isinstance(stats, Stats)
            assert stats.connections >= 1
        assert server.stats().upgraded == 1
        assert server.stats().violations == 0


async def test_access_lines(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "hubbub.access"):
        async with testing.serve(echoing()) as server:
            async with server.connect("/echo?token=secret") as client:
                client.ws.close(4000, "tired\n")
                await client.wait_closed()
    lines = [record.getMessage() for record in caplog.records if record.name == "hubbub.access"]
    assert len(lines) == 2
    assert "open /echo" in lines[0]
    close = (
        r"close /echo 4000 by peer: tired\\x0a; [\d.]+ s, in 0 messages \d+ B, out 0 messages \d+ B"
    )
    assert re.search(close + "$", lines[1])
    assert "secret" not in caplog.text


async def test_what_is_logged_of_a_request_is_escaped(caplog: pytest.LogCaptureFixture) -> None:
    app = App()

    @app.get("/{name}")
    def broken(req: Request, name: str) -> None:
        raise ZeroDivisionError

    async with serve(app, port=0) as server:
        port = int(server.url.rpartition(":")[2])
        with contextlib.suppress(ConnectionError):
            await ask("127.0.0.1", port, "GET", "/%1b[31m%0aforged", {}, b"")
    messages = "".join(record.getMessage() for record in caplog.records)
    assert not any(ord(char) < 32 for char in messages)
