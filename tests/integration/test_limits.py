"""Who comes too often or talks too fast: refused with a status, or read no faster; and counted."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from hubbub import App, Request, ServerSettings, WebSocket
from hubbub.testing import TestServer, serve

from ..wire import TEXT, Frame, frame, frames, get, upgrade

pytestmark = pytest.mark.anyio

EVERYBODY = ServerSettings(exempt_networks=())
"""Nobody is exempt, or loopback would be."""

PATIENCE_S = 10.0

app = App()


@app.message("/echo")
def echo(ws: WebSocket, message: str) -> str:
    return message


@app.get("/")
def page(request: Request) -> str:
    return "here"


Peer = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def connected(server: TestServer, source: str = "127.0.0.1") -> AsyncIterator[Peer]:
    """A connection from one of the loopback's addresses."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=(source, 0))
    try:
        yield reader, writer
    finally:
        writer.close()


async def said(peer: Peer) -> bytes:
    """Everything up to the server's FIN; a reset would raise."""
    async with asyncio.timeout(PATIENCE_S):
        return await peer[0].read()


async def head(peer: Peer) -> bytes:
    async with asyncio.timeout(PATIENCE_S):
        return await peer[0].readuntil(b"\r\n\r\n")


async def shaken(peer: Peer, *fields: str) -> bytes:
    """The first line of what an upgrade is answered with."""
    peer[1].write(upgrade("/echo", *fields))
    return (await head(peer)).split(b"\r\n")[0]


async def test_beyond_the_connection_limit_there_is_a_503() -> None:
    async with serve(app, settings=replace(EVERYBODY, connection_limit=2)) as server:
        async with AsyncExitStack() as open_ones:
            for _ in range(2):
                peer = await open_ones.enter_async_context(connected(server))
                assert b" 101 " in await shaken(peer)
            for words in (b"", get("/"), upgrade()):
                async with connected(server) as peer:
                    # The request is there before the refusal: no reset may overtake that.
                    peer[1].write(words)
                    answer = await said(peer)
                    assert answer.startswith(b"HTTP/1.1 503 "), words
                    assert b"\r\nRetry-After: " in answer
            assert server.stats().over_connection_limit == 3
            assert server.stats().refused == 3
        async with asyncio.timeout(PATIENCE_S):
            while server.stats().connections:
                await asyncio.sleep(0.01)
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer)


async def test_an_address_has_its_share_and_others_have_theirs() -> None:
    async with serve(app, settings=replace(EVERYBODY, address_connection_limit=3)) as server:
        async with AsyncExitStack() as open_ones:
            for _ in range(3):
                peer = await open_ones.enter_async_context(connected(server))
                assert b" 101 " in await shaken(peer)
            async with connected(server) as peer:
                assert (await said(peer)).startswith(b"HTTP/1.1 429 ")
            async with connected(server, "127.0.0.2") as peer:
                assert b" 101 " in await shaken(peer)
            assert server.stats().over_address_connection_limit == 1
        async with asyncio.timeout(PATIENCE_S):
            while server.stats().connections:
                await asyncio.sleep(0.01)
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer)


async def test_handshakes_of_one_address_are_rationed() -> None:
    settings = replace(EVERYBODY, address_handshake_rate=1, address_handshake_burst=2)
    async with serve(app, settings=settings) as server:
        lines = []
        for _ in range(4):
            async with connected(server) as peer:
                lines.append(await shaken(peer))
        assert [line.split()[1] for line in lines] == [b"101", b"101", b"429", b"429"]
        async with connected(server, "127.0.0.2") as peer:
            assert b" 101 " in await shaken(peer)
        # What is no handshake is not counted as one.
        assert (await server.get("/")).status == 200
        assert server.stats().over_address_handshake_rate == 2
        assert server.stats().requests == 3 + 1


async def test_handshakes_in_all_are_rationed() -> None:
    settings = replace(EVERYBODY, handshake_rate=1, handshake_burst=2)
    async with serve(app, settings=settings) as server:
        lines = []
        for last in range(1, 5):
            async with connected(server, f"127.0.0.{last}") as peer:
                lines.append(await shaken(peer))
        assert [line.split()[1] for line in lines] == [b"101", b"101", b"503", b"503"]
        assert server.stats().over_handshake_rate == 2


async def test_by_default_nobody_on_this_machine_is_rationed() -> None:
    settings = ServerSettings(
        handshake_rate=1,
        handshake_burst=1,
        address_connection_limit=1,
        address_handshake_rate=1,
        message_rate=1,
    )
    async with serve(app, settings=settings) as server, AsyncExitStack() as open_ones:
        for _ in range(5):
            peer = await open_ones.enter_async_context(connected(server))
            assert b" 101 " in await shaken(peer)
            peer[1].write(frame(TEXT, b"hello") * 5)
            assert await heard(peer, 5) == [Frame(TEXT, b"hello")] * 5


async def heard(peer: Peer, count: int) -> list[Frame]:
    """So many frames."""
    received = b""
    async with asyncio.timeout(PATIENCE_S):
        while len(frames(received)[0]) < count:
            part = await peer[0].read(1 << 16)
            assert part
            received += part
    return frames(received)[0]


async def test_who_talks_too_fast_is_heard_in_time() -> None:
    """Twice the burst in one go: nothing is lost, nothing out of order, the second half waits."""
    async with serve(app, settings=replace(EVERYBODY, message_rate=50)) as server:
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer)
            loop = asyncio.get_running_loop()
            began = loop.time()
            peer[1].write(b"".join(frame(TEXT, b"%d" % number) for number in range(100)))
            found = [int(one.payload) for one in await heard(peer, 100)]
            assert found == list(range(100))
            assert loop.time() - began >= 0.8
            assert server.stats().over_message_rate > 0
            peer[1].write(frame(TEXT, b"and then"))
            assert await heard(peer, 1) == [Frame(TEXT, b"and then")]


async def test_bytes_are_rationed_too() -> None:
    settings = replace(EVERYBODY, byte_rate_bytes=100_000)
    async with serve(app, settings=settings) as server, connected(server) as peer:
        assert b" 101 " in await shaken(peer)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for _ in range(40):
            peer[1].write(frame(TEXT, b"x" * 10_000))
        assert len(await heard(peer, 40)) == 40
        # A second's worth and what two reads may bring beyond it are there at once.
        assert loop.time() - began >= 0.8
        assert server.stats().over_byte_rate > 0


async def test_a_closing_handshake_gets_past_a_pause() -> None:
    async with serve(app, settings=replace(EVERYBODY, message_rate=1)) as server:
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer)
            peer[1].write(frame(TEXT, b"one") * 3 + frame(8, (1000).to_bytes(2)))
            found = await heard(peer, 4)
            assert [one.payload for one in found[:3]] == [b"one"] * 3
            assert found[3].close_code == 1000


async def test_the_policy_may_be_to_close() -> None:
    settings = replace(EVERYBODY, message_rate=3, rate_policy="close")
    async with serve(app, settings=settings) as server, connected(server) as peer:
        assert b" 101 " in await shaken(peer)
        peer[1].write(frame(TEXT, b"hello") * 10)
        found, _ = frames(await said(peer))
        assert found[-1].close_code == 1008
        assert "too fast" in found[-1].close_reason
        assert server.stats().over_message_rate == 1


async def test_a_dry_run_counts_and_tells_but_lets_pass(caplog: pytest.LogCaptureFixture) -> None:
    settings = replace(
        EVERYBODY,
        dry_run=("all",),
        connection_limit=1,
        address_connection_limit=1,
        address_handshake_rate=1,
        address_handshake_burst=1,
        message_rate=2,
    )
    caplog.set_level(logging.WARNING)
    async with serve(app, settings=settings) as server, AsyncExitStack() as open_ones:
        for _ in range(4):
            peer = await open_ones.enter_async_context(connected(server))
            assert b" 101 " in await shaken(peer)
            peer[1].write(frame(TEXT, b"hello") * 10)
            assert len(await heard(peer, 10)) == 10
        stats = server.stats()
        assert stats.over_connection_limit == 3
        assert stats.over_address_connection_limit == 3
        assert stats.over_address_handshake_rate == 3
        assert stats.over_message_rate > 0
        assert stats.refused == 0
        told = stats.over_connection_limit + stats.over_address_connection_limit
        told += stats.over_address_handshake_rate + stats.over_message_rate
        assert stats.let_pass == told
    lines = [line for line in caplog.messages if "dry run" in line]
    # Each limit once, not each time.
    assert len(lines) == 4
    assert any(line.startswith("connection_limit reached, by 127.0.0.1:") for line in lines)
