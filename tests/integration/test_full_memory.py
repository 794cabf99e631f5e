"""Where memory is short: who is read no further is read again, and who is closed hears why."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager

import pytest

import hubbub
from hubbub import App, ServerSettings, WebSocket
from hubbub.address import port_of
from tests.waiting import until
from tests.wire import BINARY, TEXT, frame, frames, upgrade

pytestmark = pytest.mark.anyio

MESSAGE = frame(BINARY, b"x" * 60_000)
NEARLY = MESSAGE[:-1000]
"""A message whose rest may follow or not."""


@asynccontextmanager
async def served(app: App, held_limit_bytes: int) -> AsyncIterator[hubbub.Server]:
    settings = ServerSettings(
        held_limit_bytes=held_limit_bytes, outbox_low_bytes=1024, message_timeout_s=60.0
    )
    async with hubbub.serve(app, port=0, settings=settings) as server:
        yield server


@contextmanager
def socket_of(room_bytes: int = 0) -> Iterator[socket.socket]:
    with socket.socket() as one:
        if room_bytes:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room_bytes)
        one.setblocking(False)
        yield one


async def entered(one: socket.socket, server: hubbub.Server) -> None:
    loop = asyncio.get_running_loop()
    await loop.sock_connect(one, ("127.0.0.1", port_of(server.addresses[0])))
    await loop.sock_sendall(one, upgrade("/"))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += await loop.sock_recv(one, 1)
        assert head, "refused"


async def test_who_holds_little_again_is_read_again() -> None:
    """Others may go on holding as much as they like."""
    app, heard = App(), list[str]()

    @app.message("/")
    def hears(ws: WebSocket, message: str | bytes) -> None:
        if message == "fill":
            while ws.buffered < 150_000:
                ws.send(b"z" * 20_000)
        elif isinstance(message, str):
            heard.append(message)

    loop = asyncio.get_running_loop()
    async with served(app, 8 << 20) as server:
        with ExitStack() as sockets:
            slow = sockets.enter_context(socket_of(4096))
            await entered(slow, server)
            await loop.sock_sendall(slow, frame(TEXT, b"fill"))
            for _ in range(160):
                holder = sockets.enter_context(socket_of())
                await entered(holder, server)
                await loop.sock_sendall(holder, NEARLY)
                await asyncio.sleep(0.005)
                if server.stats().pressure >= 2:
                    break
            assert server.stats().pressure == 2
            paused = server.stats().memory_paused
            await loop.sock_sendall(slow, frame(TEXT, b"one"))
            await until(lambda: heard == ["one"] and server.stats().memory_paused == paused + 1)
            # All that waits for it, and then no more comes.
            while True:
                try:
                    async with asyncio.timeout(0.3):
                        assert await loop.sock_recv(slow, 1 << 16)
                except TimeoutError:
                    break
            await loop.sock_sendall(slow, frame(TEXT, b"two"))
            await until(lambda: heard == ["one", "two"])
            assert server.stats().pressure == 2


async def test_who_is_closed_for_want_of_memory_hears_why() -> None:
    """Though it goes on sending: nothing of that may become a reset over the close frame."""
    app = App()
    app.message("/")(lambda ws, message: None)
    loop = asyncio.get_running_loop()
    async with served(app, 1 << 20) as server:
        with ExitStack() as opened:
            everybody = [opened.enter_context(socket_of()) for _ in range(30)]
            for one in everybody:
                await entered(one, server)
            busy: list[socket.socket] = []
            while not server.stats().over_budget:
                busy.append(everybody.pop())
                await loop.sock_sendall(busy[-1], NEARLY)
                await asyncio.sleep(0.01)
            for _ in range(3):
                for one in busy:
                    await loop.sock_sendall(one, b"x")
                await asyncio.sleep(0.05)
            told: list[int | None] = []
            for one in busy:
                try:
                    received = one.recv(4096)
                except BlockingIOError:
                    continue
                told += [close.close_code for close in frames(received)[0]]
            assert told == [1013] * server.stats().over_budget
