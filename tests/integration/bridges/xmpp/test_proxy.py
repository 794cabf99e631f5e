"""The proxy on the wire: whom it connects, whom it refuses, and what becomes of both sides."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any
from xml.etree import ElementTree

import pytest

from hubbub import WebSocket
from hubbub.bridges.xmpp.proxy import ProxySettings, ServerSettings, app
from hubbub.errors import HandshakeRejected
from hubbub.testing import TestServer, serve
from tests.authority import Authority
from tests.integration.bridges.xmpp.servers import XmppServer
from tests.loops import on_each_loop
from tests.strangers import Talk, stranger

pytestmark = [pytest.mark.anyio, on_each_loop]

FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
OPEN = f"<open xmlns='{FRAMING}' to='{{}}' version='1.0'/>"
CLOSE = f"<close xmlns='{FRAMING}'/>"
HEADER = (
    b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
    b" from='a.test' id='1' version='1.0'>"
)
IQ = "<iq xmlns='jabber:client' id='1' type='get'><ping xmlns='urn:xmpp:ping'/></iq>"
TIMEOUT_S = 10.0


@contextlib.asynccontextmanager
async def proxy(servers: dict[str, ServerSettings], **more: Any) -> AsyncIterator[TestServer]:
    async with serve(app(ProxySettings(servers=servers, **more))) as one:
        yield one


@contextlib.asynccontextmanager
async def peer(talk: Talk) -> AsyncIterator[ServerSettings]:
    """A server that does what a test wants, without TLS, on this machine."""
    async with stranger(talk) as port:
        yield ServerSettings(host="127.0.0.1", port=port, tls="none")


@contextlib.asynccontextmanager
async def connect(server: TestServer, **more: Any) -> AsyncIterator[WebSocket[None]]:
    async with server.connect("/xmpp-websocket", subprotocols=("xmpp",), **more) as client:
        yield client.ws


async def rest(ws: WebSocket[None]) -> list[ElementTree.Element]:
    """All that still comes, until the end."""
    async with asyncio.timeout(TIMEOUT_S):
        return [ElementTree.fromstring(message) async for message in ws]


def names(elements: list[ElementTree.Element]) -> list[str]:
    return [one.tag.rpartition("}")[2] for one in elements]


async def condition(ws: WebSocket[None]) -> str:
    """With which error a stream ended that had not begun."""
    opened, error, close = await rest(ws)
    assert names([opened, error, close]) == ["open", "error", "close"]
    assert ws.close_code == 1000
    return names(list(error))[0]


async def test_a_stream_with_a_real_server(server: XmppServer) -> None:
    for tls, port in (("starttls", server.plain), ("direct", server.direct)):
        one = ServerSettings(host="127.0.0.1", port=port, tls=tls, ca=server.ca)
        async with proxy({server.domain: one}) as made, connect(made) as ws:
            await ws.send(OPEN.format(server.domain))
            opened, features = [ElementTree.fromstring(await ws.recv()) for _ in range(2)]
            assert opened.attrib["from"] == server.domain
            assert opened.attrib["id"]
            mechanisms = [found.text or "" for found in features.iter() if "mechanism" in found.tag]
            assert "PLAIN" in mechanisms
            assert not any(found.endswith("-PLUS") for found in mechanisms)
            assert not any(found.tag.endswith("starttls") for found in features)
            await ws.send(CLOSE)
            assert names(await rest(ws)) == ["close"]
            assert ws.close_code == 1000


async def test_only_domains_of_the_configuration() -> None:
    async with proxy({"a.test": ServerSettings(host="127.0.0.1", port=1, tls="none")}) as made:
        for domain in ("b.test", "127.0.0.1", "a.test:22", "", "a.test.evil.test"):
            async with connect(made) as ws:
                await ws.send(OPEN.format(domain))
                assert await condition(ws) == "host-unknown"


async def test_a_server_that_is_not_there() -> None:
    async with proxy({"a.test": ServerSettings(host="127.0.0.1", port=1, tls="none")}) as made:
        async with connect(made) as ws:
            await ws.send(OPEN.format("A.test"))
            assert await condition(ws) == "remote-connection-failed"


async def test_the_certificate_of_somebody_else(server: XmppServer, authority: Authority) -> None:
    for one in (
        ServerSettings(host="127.0.0.1", port=server.plain),
        ServerSettings(host="127.0.0.1", port=server.direct, tls="direct"),
    ):
        async with proxy({server.domain: one}) as made, connect(made) as ws:
            await ws.send(OPEN.format(server.domain))
            assert await condition(ws) == "remote-connection-failed"
    trusted = ServerSettings(host="127.0.0.1", port=server.plain, ca=authority.file)
    async with proxy({"other.test": trusted}) as made, connect(made) as ws:
        await ws.send(OPEN.format("other.test"))
        assert await condition(ws) == "remote-connection-failed"


@pytest.mark.parametrize(
    "answer",
    [
        HEADER + b"<stream:features/>",
        HEADER + b"<stream:features>"
        b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>"
        b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><presence/>",
        b"SSH-2.0-OpenSSH\r\n",
        b"<" + b"a" * 100_000,
        b"",
    ],
    ids=["no TLS", "more before TLS", "no XMPP", "too much", "nothing"],
)
async def test_a_server_that_cannot_be_secured(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b">")
        writer.write(answer)
        await writer.drain()

    async with peer(talk) as here:
        one = ServerSettings(host="127.0.0.1", port=here.port)
        async with proxy({"a.test": one}) as made, connect(made) as ws:
            await ws.send(OPEN.format("a.test"))
            assert await condition(ws) == "remote-connection-failed"


async def test_who_offers_no_subprotocol() -> None:
    async with proxy({}) as made:
        with pytest.raises(HandshakeRejected) as refused:
            async with made.connect("/xmpp-websocket"):
                pass
        assert refused.value.status == 400


async def test_pages_of_other_origins() -> None:
    async with proxy({}) as made:
        with pytest.raises(HandshakeRejected):
            async with connect(made, headers={"origin": "https://evil.example"}):
                pass
    async with proxy({}, origins=("https://chat.example",)) as made:
        async with connect(made, headers={"origin": "https://chat.example"}) as ws:
            await ws.send(CLOSE)
            assert "error" in names(await rest(ws))


async def test_who_says_nothing() -> None:
    async with proxy({}, open_s=0.05) as made, connect(made) as ws:
        assert await condition(ws) == "connection-timeout"


async def test_binary_messages() -> None:
    async with proxy({}) as made, connect(made) as ws:
        await ws.send(OPEN.encode())
        assert await rest(ws) == []
        assert ws.close_code == 1003


async def test_too_many_streams_from_one_address() -> None:
    async with proxy({}, streams_per_address=2) as made:
        async with connect(made), connect(made), connect(made) as third:
            assert await condition(third) == "resource-constraint"
        async with connect(made) as ws:
            await ws.send(OPEN.format("a.test"))
            assert await condition(ws) == "host-unknown"


async def test_a_server_that_vanishes_ends_no_stream() -> None:
    """Without `<close/>` the client knows that it may resume (XEP-0198)."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b">")
        writer.write(HEADER)
        await reader.readuntil(b"</iq>")
        writer.write(b"<presence/>")

    async with peer(talk) as here, proxy({"a.test": here}) as made, connect(made) as ws:
        await ws.send(OPEN.format("a.test"))
        await ws.recv()
        await ws.send(IQ)
        assert names(await rest(ws)) == ["presence"]
        assert ws.close_code == 1014


async def test_a_browser_that_vanishes_ends_no_stream() -> None:
    heard = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b">")
        writer.write(HEADER)
        said = b""
        with contextlib.suppress(OSError):
            while piece := await reader.read(1000):
                said += piece
        heard.set_result(said)

    async with peer(talk) as here, proxy({"a.test": here}) as made:
        async with connect(made) as ws:
            await ws.send(OPEN.format("a.test"))
            await ws.recv()
        async with asyncio.timeout(TIMEOUT_S):
            assert b"</stream" not in await heard


async def test_a_server_that_closes() -> None:
    heard = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b">")
        writer.write(
            HEADER + b"<stream:error><system-shutdown"
            b" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
        )
        heard.set_result(await reader.read())

    async with peer(talk) as here, proxy({"a.test": here}) as made, connect(made) as ws:
        await ws.send(OPEN.format("a.test"))
        assert names(await rest(ws)) == ["open", "error", "close"]
        assert ws.close_code == 1000
        async with asyncio.timeout(TIMEOUT_S):
            assert (await heard).endswith(b"</stream:stream>")


async def test_a_browser_that_says_too_much() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEADER)
        await reader.read()

    async with peer(talk) as here:
        async with proxy({"a.test": here}, frame_limit_bytes=10_000) as made, connect(made) as ws:
            await ws.send(OPEN.format("a.test"))
            await ws.recv()
            await ws.send(f"<message xmlns='jabber:client'><body>{'x' * 10_000}</body></message>")
            assert await rest(ws) == []
            assert ws.close_code == 1009


async def test_who_does_not_read_is_not_read_for() -> None:
    """What a server says faster than its browser takes stays with the server."""
    stanza = b"<message><body>" + b"x" * 60_000 + b"</body></message>"
    written = 0
    total = 2_000

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.readuntil(b">")
        writer.write(HEADER)
        for _ in range(total):
            writer.write(stanza)
            await writer.drain()
            written += 1
        await reader.read()

    async with peer(talk) as here, proxy({"a.test": here}) as made:
        async with connect(made, compression="off") as ws:
            await ws.send(OPEN.format("a.test"))
            before = -1
            while before != written:
                before = written
                await asyncio.sleep(0.3)
            assert written < total / 4
            await ws.recv()
            for _ in range(total):
                assert len(await ws.recv()) > 60_000
            assert written == total


async def test_where_it_is() -> None:
    async with proxy({}) as made:
        answer = await made.get("/.well-known/host-meta", headers={"origin": "https://a.example"})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"].startswith("application/xrd+xml")
        link = ElementTree.fromstring(answer.body)[0]
        assert link.attrib == {
            "rel": "urn:xmpp:alt-connections:websocket",
            "href": made.ws_url + "/xmpp-websocket",
        }
        answer = await made.get("/.well-known/host-meta.json")
        assert answer.json()["links"] == [link.attrib]
    async with proxy({}, url="wss://x.example/a&b") as made:
        answer = await made.get("/.well-known/host-meta")
        assert ElementTree.fromstring(answer.body)[0].attrib["href"] == "wss://x.example/a&b"
    async with proxy({}, host_meta=False) as made:
        assert (await made.get("/.well-known/host-meta")).status == 404
