"""The front over sockets: TCP, TLS, WebSocket, and clients that are silent, deaf or too quick."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from hubbub import App
from hubbub.bridges.irc.front import Front, FrontInfo, FrontOptions
from hubbub.bridges.irc.front.events import Event, Person, Said
from hubbub.bridges.irc.front.face import Saying
from hubbub.bridges.irc.front.front import BINARY, TEXT
from hubbub.testing import serve
from tests.authority import Authority
from tests.loops import on_each_loop
from tests.unit.bridges.irc.front.world import World
from tests.waiting import until

pytestmark = [pytest.mark.anyio, on_each_loop]

INFO = FrontInfo(server="irc.test")


class Told(World):
    """The chat in memory, which tells a front."""

    front: Front

    def tell(self, event: Event) -> None:
        self.front.tell(event)


def made(**options: Any) -> tuple[Told, Front]:
    world = Told()
    world.front = Front(world, INFO, FrontOptions(**options))
    return world, world.front


class Socket:
    """A client by TCP."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def until(self, word: str) -> str:
        """The next line that has this in it."""
        async with asyncio.timeout(10):
            while line := (await self.reader.readline()).decode():
                assert line.endswith("\r\n")
                if word in line:
                    return line.strip()
        raise EOFError(word)

    async def at_end(self) -> str:
        """The last line, once the connection is closed."""
        async with asyncio.timeout(10):
            return (await self.reader.read()).decode().strip().rpartition("\r\n")[2]


@contextlib.asynccontextmanager
async def connected(
    address: tuple[str, int],
    nick: str = "",
    tls: ssl.SSLContext | None = None,
    *,
    has_room: bool = True,
) -> AsyncGenerator[Socket]:
    plain = socket.socket()
    if not has_room:
        # What waits for it shall wait with us, and not in the kernel.
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, address)
    reader, writer = await asyncio.open_connection(
        sock=plain, ssl=tls, server_hostname="localhost" if tls else None
    )
    client = Socket(reader, writer)
    if nick:
        client.send(f"NICK {nick}", f"USER {nick} 0 * :{nick}")
        await client.until(" 422 ")
    try:
        yield client
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def test_two_clients_talk() -> None:
    world, front = made()
    address = await front.listen("127.0.0.1", 0)
    async with connected(address, "ada") as ada, connected(address, "bob") as bob:
        ada.send("JOIN #room")
        await ada.until(" 366 ")
        bob.send("JOIN #room", "PRIVMSG #room :héllo there")
        assert await ada.until("PRIVMSG") == ":bob!~bob@g-bob PRIVMSG #room :héllo there"
        # Lines in pieces, and several in one.
        for byte in b"PRIVMSG #room :one\n":
            ada.writer.write(bytes([byte]))
            await ada.writer.drain()
        assert (await bob.until("PRIVMSG")).endswith("#room one")
        assert len(front) == 2
    async with asyncio.timeout(10):
        while len(front):
            await asyncio.sleep(0.01)
    assert world.online == {}
    await front.close()


async def test_by_tls(authority: Authority) -> None:
    _, front = made()
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(*authority.pair("localhost", "127.0.0.1"))
    ours = ssl.create_default_context(cafile=str(authority.file))
    address = await front.listen("127.0.0.1", 0, tls=theirs)
    async with connected(address, "ada", ours) as ada:
        ada.send("PING tok")
        assert await ada.until("PONG") == ":irc.test PONG irc.test tok"
        ada.send("QUIT :bye")
        assert await ada.until("ERROR") == "ERROR :Closing link: bye"
    await front.close()


@pytest.mark.parametrize(
    ("offered", "as_text"),
    [((TEXT,), True), ((BINARY,), False), ((BINARY, TEXT), False), ((), None)],
)
async def test_by_websocket(offered: tuple[str, ...], as_text: bool | None) -> None:
    _, front = made()
    app = App()
    front.install(app, "/irc")
    async with serve(app) as server:
        for legacy in ("NICK ada", b"NICK ada"):
            options: dict[str, Any] = {"subprotocols": offered} if offered else {}
            async with server.connect("/irc", **options) as client:
                client.send(legacy)
                client.send("USER ada 0 * :Ada")
                client.send("PRIVMSG nobody :\x01" + "x" * 600)
                expected = isinstance(legacy, str) if as_text is None else as_text
                lines: list[str] = []
                while not any(" 417 " in line for line in lines):
                    message = await client.receive()
                    assert isinstance(message, str) is expected
                    lines.append(message if isinstance(message, str) else message.decode())
                assert lines[0].startswith(":irc.test 001 ada ")
                assert not any("\r" in line or "\n" in line for line in lines)
            async with asyncio.timeout(10):
                while len(front):
                    await asyncio.sleep(0.01)
    await front.close()


async def test_who_does_not_come_in_is_let_go() -> None:
    _, front = made(register_s=0.1)
    address = await front.listen("127.0.0.1", 0)
    async with connected(address) as silent:
        silent.send("CAP LS 302", "NICK ada")
        assert await silent.at_end() == "ERROR :Closing link: Registration timed out"
    await front.close()


async def test_who_is_silent_is_pinged_and_let_go() -> None:
    world, front = made(silence_s=0.1, answer_s=0.3)
    address = await front.listen("127.0.0.1", 0)
    async with connected(address, "ada") as ada:
        for _ in range(3):
            await ada.until("PING irc.test")
            ada.send("PONG irc.test")
        assert await ada.at_end() == "ERROR :Closing link: Ping timeout"
    assert world.online == {}
    await front.close()


async def test_who_speaks_too_quickly_waits() -> None:
    _, front = made(burst_lines=5, lines_per_s=10)
    address = await front.listen("127.0.0.1", 0)
    async with connected(address, "ada") as ada:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        ada.send(*(f"PING {number}" for number in range(9)))
        await ada.until(" 8")
        assert 0.5 <= loop.time() - began_s < 5
    await front.close()


async def test_who_does_not_read_is_cut() -> None:
    world, front = made(outbox_limit_bytes=10_000)
    address = await front.listen("127.0.0.1", 0)
    async with (
        connected(address, "deaf", has_room=False) as deaf,
        connected(address, "ada") as ada,
    ):
        for one in (deaf, ada):
            one.send("JOIN #room")
            await one.until(" 366 ")
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]
        sender = Person("u-bob", "bob")
        async with asyncio.timeout(30):
            while len(front) == 2:
                await world.say(sender, Saying("x" * 4000, "room"), None)
                for _ in range(9):
                    await ada.until("PRIVMSG")
        assert "deaf" not in world.online
    await front.close()


@pytest.mark.parametrize("leaves", [True, False])
async def test_who_leaves_without_reading_is_gone(*, leaves: bool) -> None:
    """By QUIT, or for being silent: what waits for them is no reason to keep the connection."""
    silent = FrontOptions.silence_s if leaves else 0.5
    world, front = made(silence_s=silent, answer_s=silent)
    address = await front.listen("127.0.0.1", 0)
    async with connected(address, "deaf", has_room=False) as deaf:
        deaf.send("JOIN #room")
        await deaf.until(" 366 ")
        deaf.reader._transport.pause_reading()  # type: ignore[attr-defined]
        try:
            (writer,) = front._writers.values()
            sender = Person("u-bob", "bob")
            while not writer.transport.get_write_buffer_size():
                await world.say(sender, Saying("x" * 4000, "room"), None)
                await asyncio.sleep(0)
            if leaves:
                deaf.send("QUIT")
            await until(lambda: writer.transport.get_extra_info("socket").fileno() < 0)
            assert not front._writers
        finally:
            deaf.writer.transport.abort()
    await front.close()


async def test_at_the_end_everybody_is_told() -> None:
    _, front = made()
    address = await front.listen("127.0.0.1", 0)
    async with connected(address, "ada") as ada:
        await front.close()
        assert await ada.at_end() == "ERROR :Closing link: Server is going down"
        with pytest.raises(OSError):  # noqa: PT011 - nobody listens
            await asyncio.open_connection(*address)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"connection_limit": 2}, "Too many connections"),
        (
            {"address_connection_limit": 2, "exempt_networks": ()},
            "Too many connections from your address",
        ),
    ],
    ids=["in all", "of one address"],
)
async def test_one_too_many_hears_it(limits: dict[str, Any], words: str) -> None:
    _, front = made(**limits)
    address = await front.listen("127.0.0.1", 0)
    async with connected(address, "ada") as ada:
        async with connected(address, "bob"):
            for _ in range(3):
                async with connected(address) as eve:
                    assert await eve.at_end() == f"ERROR :Closing link: {words}"
            ada.send("PING :x")
            await ada.until("PONG")
        # Who has left makes room.
        await until(lambda: len(front) == 1)
        async with connected(address, "eve"):
            pass
    await front.close()


async def test_who_comes_while_it_ends_is_not_left() -> None:
    _, front = made()
    address = await front.listen("127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    with socket.socket() as plain:
        plain.setblocking(False)
        await loop.sock_connect(plain, address)
        await front.close()
        plain.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            heard = await asyncio.to_thread(plain.recv, 1000)
            assert heard in (b"", b"ERROR :Closing link: Server is going down\r\n")


async def test_what_cannot_be_told_one_the_others_hear() -> None:
    world, front = made()
    address = await front.listen("127.0.0.1", 0)
    async with contextlib.AsyncExitStack() as clients:
        everybody = [
            await clients.enter_async_context(connected(address, nick)) for nick in ("ada", "bob")
        ]
        for client in everybody:
            client.send("CAP REQ message-tags", "JOIN #room")
            await client.until(" 366 ")
        # No line may have such a tag: nobody who sees tags can be told this, and all others can.
        everybody.append(await clients.enter_async_context(connected(address, "eve")))
        everybody[2].send("JOIN #room")
        await everybody[2].until(" 366 ")
        sender = world.online["ada"]
        world.tell(Said("M1", world.now_ms, sender, "one", "room", tags={"a b": ""}))
        world.tell(Said("M2", world.now_ms, sender, "two", "room"))
        assert (await everybody[2].until("PRIVMSG")).endswith("#room one")
        for client in everybody:
            assert (await client.until("PRIVMSG")).endswith("#room two")
    await front.close()


async def test_who_leaves_with_a_label_is_answered() -> None:
    _, front = made()
    address = await front.listen("127.0.0.1", 0)
    async with connected(address, "ada") as ada:
        ada.send("CAP REQ :batch labeled-response", "@label=x QUIT :bye")
        assert await ada.at_end() == "@label=x ERROR :Closing link: bye"
    await front.close()
