"""Who comes too often or talks too fast: refused with a status, or read no faster; and counted."""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import pytest

from hubbub import App, Request, ServerSettings, WebSocket
from hubbub.testing import TestServer, serve

from ..waiting import until
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


def deflated(text: bytes) -> bytes:
    """One message as permessage-deflate sends it, by a compressor that keeps nothing."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = compressor.compress(text) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return frame(TEXT, packed.removesuffix(b"\x00\x00\xff\xff"), rsv1=True)


lengths = App()


@lengths.message("/echo")
def tell_length(ws: WebSocket, message: str) -> str:
    return str(len(message))


DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover"
TAKEOVER = "Sec-WebSocket-Extensions: permessage-deflate"


@pytest.mark.parametrize("offer", [DEFLATE, TAKEOVER])
async def test_what_inflates_too_much_ends_the_connection(offer: str) -> None:
    bomb = deflated(b"x" * 2_000_000)
    assert len(bomb) < 2_000_000 / 200
    settings = ServerSettings(compression="dedicated", message_limit_bytes=1 << 24)
    async with serve(lengths, settings=settings) as server:
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer, offer)
            # Not suspicious, whatever it was before.
            peer[1].write(deflated(b"x" * (1 << 20)))
            assert await heard(peer, 1) == [Frame(TEXT, b"1048576")]
            peer[1].write(bomb)
            (close,) = frames(await said(peer))[0]
            assert close.close_code == 1009
            assert close.close_reason == "message inflates by more than times: 200"
        stats = server.stats()
        assert (stats.over_inflated_ratio, stats.over_message_limit, stats.let_pass) == (1, 0, 0)


async def test_without_a_ratio_the_message_limit_is_what_counts() -> None:
    settings = ServerSettings(inflated_ratio=0, message_limit_bytes=3_000_000)
    async with serve(lengths, settings=settings) as server:
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer, DEFLATE)
            peer[1].write(deflated(b"x" * 2_000_000))
            assert await heard(peer, 1) == [Frame(TEXT, b"2000000")]
            peer[1].write(deflated(b"x" * 3_000_001))
            (close,) = frames(await said(peer))[0]
            assert close.close_code == 1009
        assert server.stats().over_message_limit == 1


SIZES = ServerSettings(
    request_line_limit_bytes=100,
    head_limit_bytes=600,
    field_limit=10,
    message_limit_bytes=2_000_000,
    inflated_ratio=10,
)


async def test_sizes_are_refused_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with serve(lengths, settings=SIZES) as server:
        requests = {
            "request_line": (get("/" + "x" * 100), b" 414 "),
            "head": (upgrade("/echo", "X: " + "x" * 600), b" 431 "),
            "field": (upgrade("/echo", *["X: y"] * 10), b" 431 "),
        }
        for request, status in requests.values():
            async with connected(server) as peer:
                peer[1].write(request)
                assert status in (await said(peer)).split(b"\r\n")[0]
        for message in (frame(TEXT, b"x" * 2_000_001)[:100], deflated(b"x" * 1_500_000)):
            async with connected(server) as peer:
                assert b" 101 " in await shaken(peer, DEFLATE)
                peer[1].write(message)
                assert frames(await said(peer))[0][-1].close_code == 1009
        stats = server.stats()
        assert stats.over_request_line_limit == 1
        assert stats.over_head_limit == 1
        assert stats.over_field_limit == 1
        assert stats.over_message_limit == 1
        assert stats.over_inflated_ratio == 1
        assert stats.let_pass == 0
    told = {line.split(" reached, by 127.0.0.1:")[0] for line in caplog.messages}
    assert told >= {
        "request_line_limit",
        "head_limit",
        "field_limit",
        "message_limit",
        "inflated_ratio",
    }


async def test_sizes_can_be_tried_and_still_have_an_end(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with serve(lengths, settings=replace(SIZES, dry_run=("all",))) as server:
        for request in (
            get("/echo?" + "x" * 100),
            get("/").replace(b"Host", b"X: " + b"x" * 600 + b"\r\nHost"),
            get("/").replace(b"Host", b"X: y\r\n" * 10 + b"Host"),
        ):
            async with connected(server) as peer:
                peer[1].write(request)
                assert (await head(peer)).startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 426 "))
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer, DEFLATE)
            peer[1].write(frame(TEXT, b"x" * 2_000_001) + deflated(b"x" * 1_500_000))
            assert [int(one.payload) for one in await heard(peer, 2)] == [2_000_001, 1_500_000]
        stats = server.stats()
        assert stats.over_request_line_limit == 1
        assert stats.over_head_limit == 1
        assert stats.over_field_limit == 1
        assert stats.over_message_limit == 1
        assert stats.over_inflated_ratio == 1
        assert stats.let_pass == 5
        # Eight times as much is too much even so.
        async with connected(server) as peer:
            peer[1].write(get("/" + "x" * 800))
            assert b" 414 " in (await said(peer)).split(b"\r\n")[0]
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer)
            # The header says it all.
            peer[1].write(frame(TEXT, b"x" * 16_000_001)[:100])
            assert frames(await said(peer))[0][-1].close_code == 1009
        stats = server.stats()
        assert (stats.over_request_line_limit, stats.over_message_limit) == (2, 2)
        assert stats.let_pass == 5
    assert sum("let pass: dry run" in line for line in caplog.messages) == 5


async def test_an_endpoints_own_message_limit_can_be_tried() -> None:
    small = App()

    @small.message("/echo", message_limit_bytes=100)
    def answer(ws: WebSocket, message: str) -> str:
        return "heard"

    async with serve(small, settings=ServerSettings(dry_run=("message_limit",))) as server:
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer)
            peer[1].write(frame(TEXT, b"x" * 101))
            assert await heard(peer, 1) == [Frame(TEXT, b"heard")]
            assert server.stats().over_message_limit == server.stats().let_pass == 1


TIMES = ServerSettings(head_timeout_s=0.2, message_timeout_s=0.2)
CUT_HEAD = upgrade()[:-2]
CUT_MESSAGE = frame(TEXT, b"hello")[:-1]


async def test_who_takes_too_long_is_refused_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    async with serve(app, settings=TIMES) as server:
        async with connected(server) as silent, connected(server) as slow:
            slow[1].write(CUT_HEAD)
            assert b" 408 " in (await said(slow)).split(b"\r\n")[0]
            assert await said(silent) == b""
        async with connected(server) as peer:
            assert b" 101 " in await shaken(peer)
            peer[1].write(CUT_MESSAGE)
            assert frames(await said(peer))[0][-1].close_code == 1008
        stats = server.stats()
        assert (stats.over_head_timeout, stats.over_message_timeout) == (2, 1)
        assert stats.let_pass == 0
    assert any(line.startswith("message_timeout reached, by") for line in caplog.messages)


async def test_times_can_be_tried_and_still_have_an_end() -> None:
    async with serve(
        app, settings=replace(TIMES, dry_run=("head_timeout", "message_timeout"))
    ) as server:
        loop = asyncio.get_running_loop()
        async with connected(server) as peer, connected(server) as never:
            began = loop.time()
            never[1].write(CUT_HEAD)
            peer[1].write(CUT_HEAD)
            await until(lambda: server.stats().over_head_timeout == 2, within_s=PATIENCE_S)
            peer[1].write(b"\r\n")
            assert b" 101 " in await head(peer)
            peer[1].write(CUT_MESSAGE)
            await until(lambda: server.stats().over_message_timeout == 1, within_s=PATIENCE_S)
            peer[1].write(frame(TEXT, b"hello")[-1:])
            assert await heard(peer, 1) == [Frame(TEXT, b"hello")]
            assert server.stats().let_pass == 3
            # Each message has its own time, and is told of anew.
            peer[1].write(CUT_MESSAGE)
            await until(lambda: server.stats().over_message_timeout == 2, within_s=PATIENCE_S)
            peer[1].write(frame(TEXT, b"hello")[-1:])
            assert await heard(peer, 1) == [Frame(TEXT, b"hello")]
            assert b" 408 " in (await said(never)).split(b"\r\n")[0]
            assert 1.5 < loop.time() - began < 4
        assert server.stats().over_head_timeout == 3
        assert server.stats().let_pass == 4


def flooding() -> App:
    """An app that sends more than a peer reads, by itself and by a topic."""
    flood = App()
    piece = "x" * 16_384

    @flood.message("/echo", compression="off")
    def send(ws: WebSocket, message: str) -> None:
        for _ in range(1000):
            ws.send(piece)

    @flood.message("/topic", on_open=lambda ws: ws.subscribe("all"), compression="off")
    def publish(ws: WebSocket, message: str) -> None:
        for _ in range(1000):
            flood.publish("all", piece)

    return flood


@pytest.mark.parametrize("dry_run", [(), ("outbox_limit",)])
async def test_outboxes_are_kept_and_can_be_tried(
    dry_run: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    settings = ServerSettings(outbox_limit_bytes=100_000, dry_run=dry_run)
    async with serve(flooding(), settings=settings) as server:
        for path in ("/echo", "/topic"):
            over, let_pass = server.stats().over_outbox_limit, server.stats().let_pass
            async with connected(server) as peer:
                peer[1].write(upgrade(path))
                await head(peer)
                peer[1].transport.pause_reading()
                peer[1].write(frame(TEXT, b"go"))
                async with asyncio.timeout(PATIENCE_S):
                    while server.stats().over_outbox_limit == over:
                        await asyncio.sleep(0.01)
                peer[1].transport.abort()
            passed = server.stats().let_pass - let_pass
            if dry_run:
                # Seven times its size were let pass before it was too much.
                assert passed >= 7 * 100_000 // 16_384
            else:
                assert passed == 0
    told = [line for line in caplog.messages if line.startswith("outbox_limit reached")]
    assert told
    assert all(("dry run" in line) == bool(dry_run) for line in told[:1])
