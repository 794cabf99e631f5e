"""`threads=2`: sockets are served by threads that run no Python, handlers by one loop as ever.

What an application sees is the same as without; the other files of this folder check that
(`threads` in `conftest.py`). Here stands what only threads can do, and where they could go wrong.
"""

import asyncio
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import hubbub
from hubbub import App, WebSocket
from hubbub.config import ServerSettings
from hubbub.loop import EventLoop
from hubbub.server import Stats

from ..wire import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    close_frame,
    frame,
    open_websocket,
    receive_frame,
)

BLOCKED_S = 1.5
PATIENCE_S = 10.0


@dataclass(frozen=True)
class Beside:
    """A server in another thread.

    Attributes:
        address: Its `host:port`.
        stats: What it has counted; waits while a handler blocks.
    """

    address: str
    stats: Callable[[], Stats]


@contextmanager
def beside(app: App, settings: ServerSettings) -> Iterator[Beside]:
    """Serves in a thread of its own, so that a test can look on while a handler blocks."""
    started: Future[tuple[Beside, Callable[[], object]]] = Future()

    async def main() -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        async with hubbub.serve(app, port=0, settings=settings) as server:

            async def stats() -> Stats:
                return server.stats()

            def stats_from_outside() -> Stats:
                return asyncio.run_coroutine_threadsafe(stats(), loop).result(PATIENCE_S)

            there = Beside(server.addresses[0].removeprefix("tcp://"), stats_from_outside)
            started.set_result((there, lambda: loop.call_soon_threadsafe(end.set)))
            await end.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: hubbub.new_event_loop(settings)) as runner:
            runner.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    there, end = started.result(PATIENCE_S)
    try:
        yield there
    finally:
        end()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert serving_threads([]) == []


def serving_threads(expected: list[str]) -> list[str]:
    """The names of the threads that serve; Python knows nothing of them.

    A thread names itself when it begins, and is gone a little after it has ended.
    """
    end = time.monotonic() + PATIENCE_S
    while True:
        names: list[str] = []
        for task in Path("/proc/self/task").iterdir():
            with suppress(FileNotFoundError, ProcessLookupError):
                names.append((task / "comm").read_text().strip())
        found = sorted(name for name in names if name.startswith("hubbub-"))
        if found == expected or time.monotonic() > end:
            return found
        time.sleep(0.01)


def say(client: socket.socket, text: str) -> None:
    client.sendall(frame(TEXT, text.encode()))


def hear(client: socket.socket) -> str:
    """The next message; pings before it are answered."""
    while True:
        received = receive_frame(client)
        if received.opcode != PING:
            assert received.opcode == TEXT, received
            return received.payload.decode()
        client.sendall(frame(PONG, received.payload))


def talkative() -> App:
    """Everybody hears what is published; a text beginning with "*" is, any other comes back."""
    app = App()

    def counted() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, EventLoop)
        return loop.host.engine.stats()["messages_in"]

    @app.websocket("/talk")
    async def talk(ws: WebSocket) -> None:
        ws.subscribe("all")
        ws.send(str(ws.id >> 56))
        async for text in ws.text():
            if text == "block":
                app.publish("all", "before")
                time.sleep(BLOCKED_S)  # noqa: ASYNC251 - the fault that is tested
                app.publish("all", "after")
                ws.send(str(counted()))
            elif text.startswith("*"):
                app.publish("all", text)
                ws.send(f"own {text}")
            else:
                ws.send(text)

    return app


def test_connections_are_spread_and_publications_keep_their_order() -> None:
    with beside(talkative(), ServerSettings(threads=2)) as server:
        assert serving_threads(["hubbub-1", "hubbub-2"]) == ["hubbub-1", "hubbub-2"]
        clients = [open_websocket(server.address, "/talk") for _ in range(10)]
        assert Counter(map(hear, clients)) == {"1": 5, "2": 5}
        # One read, one batch; the replies stand between the publications as they were sent.
        burst = [f"*{number}" for number in range(500)]
        clients[0].sendall(b"".join(frame(TEXT, text.encode()) for text in burst))
        for client in clients[1:]:
            assert [hear(client) for _ in burst] == burst
        expected = [part for text in burst for part in (text, f"own {text}")]
        assert [hear(clients[0]) for _ in expected] == expected
        for client in clients:
            client.sendall(close_frame(4000, "done"))
            assert receive_frame(client).close_code == 4000
            client.close()


def test_a_blocked_handler_holds_up_nobody_s_sockets() -> None:
    settings = ServerSettings(threads=2, ping_interval_s=0.2)
    with beside(talkative(), settings) as server:
        clients = [open_websocket(server.address, "/talk") for _ in range(4)]
        for client in clients:
            hear(client)
        blocker, pinger, closer, listener = clients
        say(blocker, "block")
        began = time.monotonic()
        for client in clients:
            assert hear(client) == "before"
        pinger.sendall(frame(PING, b"there?"))
        while (received := receive_frame(pinger)).opcode == PING:
            pinger.sendall(frame(PONG, received.payload))
        assert received.opcode == PONG
        assert received.payload == b"there?"
        while receive_frame(listener).opcode != PING:
            pass
        say(closer, "will be read later")
        closer.sendall(close_frame(4001))
        while (received := receive_frame(closer)).opcode == PING:
            pass
        assert received.opcode == CLOSE
        assert received.close_code == 4001
        newcomer = socket.create_connection(closer.getpeername(), timeout=PATIENCE_S)
        assert time.monotonic() - began < BLOCKED_S, "all that while the handler was blocked"
        for client in (blocker, pinger, listener):
            assert hear(client) == "after"
        assert time.monotonic() - began > BLOCKED_S
        assert server.stats().timeouts == 0
        for client in (*clients, newcomer):
            client.close()


def test_what_a_blocked_handler_leaves_is_bounded_and_not_lost() -> None:
    size, count = 10_000, 500
    settings = ServerSettings(threads=2)
    with beside(talkative(), settings) as server:
        blocker, flooder = (open_websocket(server.address, "/talk") for _ in range(2))
        hear(blocker), hear(flooder)
        say(blocker, "block")
        assert hear(blocker) == hear(flooder) == "before"
        flood = threading.Thread(
            target=lambda: [say(flooder, f"{number:{size}}") for number in range(count)]
        )
        flood.start()
        assert hear(flooder) == hear(blocker) == "after"
        # Counted by the handler at the end of its sleep.
        read = int(hear(blocker)) * size
        assert 0 < read <= settings.receive_queue_limit_bytes + (128 << 10)
        for number in range(count):
            assert int(hear(flooder)) == number
        flood.join()
        blocker.close(), flooder.close()


def test_a_slow_reader_is_told_of_honestly() -> None:
    """`send` says what became of each message, and what it said was queued arrives."""
    size, limit = 20_000, 200_000
    app, told = App(), Counter[str]()
    highest = 0

    @app.websocket("/")
    async def flood(ws: WebSocket) -> None:
        nonlocal highest
        assert await ws.recv() == "go"
        while told["dropped"] < 10:
            told[ws.send(bytes(size)).status] += 1
            highest = max(highest, ws.buffered)
        waiting = ws.send(b"last")
        assert not waiting
        assert waiting.status == "dropped"
        ws.publish("nobody", "reads")
        assert await waiting
        ws.close()

    settings = ServerSettings(threads=2, outbox_limit_bytes=limit)
    with beside(app, settings) as server:
        client = open_websocket(server.address, "/")
        say(client, "go")
        time.sleep(0.5)
        assert told["dropped"] == 10
        assert told["queued"] > limit // size
        # The limit, what may be granted before the gauge is looked at again, and a message.
        assert limit <= highest <= limit + (64 << 10) + size
        got = Counter[int]()
        while (received := receive_frame(client)).opcode == BINARY:
            got[len(received.payload)] += 1
        assert got == {size: told["queued"] + told["backpressure"], 4: 1}
        assert received.close_code == 1000
        client.sendall(close_frame(1000))
        # Once more if room was told of while the last of it was being filled.
        assert server.stats().dropped >= 11
        client.close()


@pytest.mark.parametrize("threads", [2, 5])
def test_faults_stay_with_their_connection(threads: int) -> None:
    app = App()

    @app.message("/")
    def divide(ws: WebSocket, text: str) -> str:
        return str(12 // int(text))

    with beside(app, ServerSettings(threads=threads)) as server:
        good = open_websocket(server.address, "/")
        for _ in range(20):
            bad = open_websocket(server.address, "/")
            say(bad, "0")
            assert receive_frame(bad).close_code == 1011
            bad.close()
            say(good, "4")
            assert hear(good) == "3"
        good.close()


def test_auto_is_a_thread_for_each_processor() -> None:
    settings = ServerSettings.parse({"threads": "auto"})
    assert settings.threads >= 1


def test_a_large_message_that_comes_before_the_rest_of_its_read_is_heard() -> None:
    """It fills a batch, which the loop takes while the thread is still busy with what follows."""
    text = "x" * 200_000
    with beside(talkative(), ServerSettings(threads=2)) as server:
        with open_websocket(server.address, "/talk") as client:
            hear(client)
            for _ in range(60):
                client.sendall(frame(TEXT, text.encode()) + frame(PING) * 4_000)
                while (received := receive_frame(client)).opcode in (PING, PONG):
                    pass
                assert received.payload.decode() == text
