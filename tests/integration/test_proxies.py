"""Behind proxies: who is believed about the client, and what strangers cannot make us believe."""

import asyncio
import json
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hubbub import App, Request, ServerSettings, WebSocket
from hubbub.config import ListenSettings
from hubbub.modules import Modules
from hubbub.server import Server

from ..programs import program
from ..serving import ROOT
from ..wire import CLOSE, TEXT, frame, frames, upgrade

pytestmark = pytest.mark.anyio

PATIENCE_S = 10.0
V2 = b"\r\n\r\n\0\r\nQUIT\n"
PROXIED = b"PROXY TCP4 203.0.113.9 198.51.100.1 56324 443\r\n"
PROXIED_V2 = (
    V2
    + b"\x21\x11\x00\x0c"
    + bytes([203, 0, 113, 9, 198, 51, 100, 1])
    + struct.pack("!HH", 56324, 443)
)

ASK = frame(TEXT, b"who am I?") + frame(CLOSE, (1000).to_bytes(2))

app = App()


@app.get("/who")
def who(request: Request) -> dict[str, str]:
    return {
        "client": request.client,
        "peer": request.peer.partition(":")[0],
        "scheme": request.scheme,
        "host": request.host,
    }


@app.message("/who")
def who_ws(ws: WebSocket, _: str) -> str:
    return f"{ws.client} {ws.request.scheme} {ws.request.host}"


@asynccontextmanager
async def served(
    *, proxy_protocol: bool = False, bind: str = "127.0.0.1:0", **settings: Any
) -> AsyncIterator[Server]:
    listen = ListenSettings(bind, proxy_protocol=proxy_protocol)
    async with Server(Modules.of(app), [listen], ServerSettings(**settings)) as server:
        yield server


async def exchange(server: Server, *words: bytes) -> bytes:
    """Says these words, one write each, and hears the server out."""
    if server.addresses[0].startswith("unix:"):
        opened = asyncio.open_unix_connection(server.addresses[0].removeprefix("unix:"))
    else:
        opened = asyncio.open_connection("127.0.0.1", int(server.addresses[0].rpartition(":")[2]))
    reader, writer = await opened
    try:
        transport = writer.transport.get_extra_info("socket")
        if transport.family != socket.AF_UNIX:
            transport.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in words:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def request(*fields: str) -> bytes:
    lines = ("GET /who HTTP/1.1", "Host: here.example", "Connection: close", *fields, "", "")
    return "\r\n".join(lines).encode()


def told(answer: bytes) -> dict[str, str]:
    assert answer.startswith(b"HTTP/1.1 200 "), answer
    found: dict[str, str] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


LIES = (
    "X-Forwarded-For: 203.0.113.9",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    "Forwarded: for=203.0.113.9;proto=https;host=evil.example",
    "X-Real-IP: 203.0.113.9",
)
NOTHING = {"client": "127.0.0.1", "peer": "127.0.0.1", "scheme": "http", "host": "here.example"}


async def test_a_stranger_is_not_believed() -> None:
    async with served() as server:
        assert told(await exchange(server, request(*LIES))) == NOTHING
    async with served(trusted_proxies=("192.0.2.0/24", "unix")) as server:
        assert told(await exchange(server, request(*LIES))) == NOTHING
    async with served(trusted_proxies=("127.0.0.1",), proxy_headers=False) as server:
        assert told(await exchange(server, request(*LIES))) == NOTHING


async def test_a_trusted_proxy_is() -> None:
    async with served(trusted_proxies=("127.0.0.1", "10.0.0.0/8")) as server:
        fields = (
            "X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.0.0.7",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Host: shop.example",
        )
        expected = {
            "client": "203.0.113.9",
            "peer": "127.0.0.1",
            "scheme": "https",
            "host": "shop.example",
        }
        assert told(await exchange(server, request(*fields))) == expected
        # The other spelling is what the client wrote.
        assert told(await exchange(server, request(LIES[3]))) == NOTHING
    async with served(trusted_proxies=("127.0.0.1",), proxy_fields="forwarded") as server:
        field = 'Forwarded: for="[2001:db8::7]:4711";proto=https;host=shop.example'
        found = told(await exchange(server, request(field)))
        assert (found["client"], found["scheme"]) == ("2001:db8::7", "https")


async def test_websockets_know_their_client_too() -> None:
    async with served(trusted_proxies=("127.0.0.1",)) as server:
        fields = ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-Proto: https")
        answer = await exchange(server, upgrade("/who", *fields) + ASK)
        found, _ = frames(answer.partition(b"\r\n\r\n")[2])
        assert found[0].payload == b"203.0.113.9 https h"


async def test_forwarded_clients_are_counted_as_such() -> None:
    settings: dict[str, Any] = {"address_handshake_rate": 1, "address_handshake_burst": 1}
    async with served(trusted_proxies=("127.0.0.1",), **settings) as server:

        async def status(client: str) -> bytes:
            words = upgrade("/who", f"X-Forwarded-For: {client}") + ASK
            return (await exchange(server, words)).split()[1]

        assert [await status("203.0.113.9") for _ in range(3)] == [b"101", b"429", b"429"]
        assert await status("203.0.113.10") == b"101"
        assert server.stats().over_address_handshake_rate == 2


@pytest.mark.parametrize("preface", [PROXIED, PROXIED_V2], ids=["v1", "v2"])
async def test_a_proxy_header_names_the_client(preface: bytes) -> None:
    async with served(proxy_protocol=True) as server:
        expected = NOTHING | {"client": "203.0.113.9"}
        # With the request, before it, and byte for byte.
        assert told(await exchange(server, preface + request(*LIES))) == expected
        assert told(await exchange(server, preface, request())) == expected
        single = [bytes([byte]) for byte in preface + request()]
        assert told(await exchange(server, *single)) == expected
        answer = await exchange(server, preface + upgrade("/who") + ASK)
        found, _ = frames(answer.partition(b"\r\n\r\n")[2])
        assert (found[0].opcode, found[0].payload) == (TEXT, b"203.0.113.9 http h")


async def test_a_proxy_may_speak_for_itself() -> None:
    local = V2 + b"\x20\x00\x00\x00"
    async with served(proxy_protocol=True) as server:
        for preface in (local, b"PROXY UNKNOWN\r\n"):
            assert told(await exchange(server, preface + request())) == NOTHING


async def test_a_proxy_header_over_a_unix_socket(tmp_path: Path) -> None:
    bind = f"unix:{tmp_path / 's'}"
    async with served(proxy_protocol=True, bind=bind) as server:
        found = told(await exchange(server, PROXIED + request()))
        assert (found["client"], found["peer"]) == ("203.0.113.9", "unix")


async def test_a_proxy_header_of_a_stranger_closes_the_connection() -> None:
    async with served(proxy_protocol=True, trusted_proxies=("192.0.2.1",)) as server:
        assert await exchange(server, PROXIED + request()) == b""
        assert server.stats().proxy_refused == 1
        assert server.stats().requests == 0


@pytest.mark.parametrize(
    "words",
    [request(), upgrade("/who"), PROXIED.replace(b"TCP4", b"TCP5"), b"\x16\x03\x01\x02\x00\x01"],
    ids=["a request", "an upgrade", "another family", "TLS"],
)
async def test_without_a_proxy_header_nobody_comes_in(words: bytes) -> None:
    async with served(proxy_protocol=True) as server:
        assert await exchange(server, words) == b""
        assert server.stats().proxy_refused == 1
        assert server.stats().requests == 0


async def test_where_none_is_expected_a_proxy_header_is_a_bad_request() -> None:
    async with served(trusted_proxies=("127.0.0.1",)) as server:
        for preface in (PROXIED, PROXIED_V2):
            answer = await exchange(server, preface + request())
            assert answer.startswith(b"HTTP/1.1 400 ")
            assert answer.count(b"HTTP/1.1 ") == 1
        assert server.stats().requests == 0


async def test_a_proxy_that_says_nothing_is_not_waited_for() -> None:
    async with served(proxy_protocol=True, head_timeout_s=0.3) as server:
        for words in (b"", PROXIED[:9], PROXIED_V2[:14]):
            assert await exchange(server, words) == b""
        assert server.stats().timeouts == 3


async def test_headers_behind_a_header() -> None:
    """A load balancer names the proxy that called it, and that one names the client."""
    trusted = ("127.0.0.1", "203.0.113.0/24")
    async with served(proxy_protocol=True, trusted_proxies=trusted) as server:
        fields = ("X-Forwarded-For: 198.51.100.77",)
        assert told(await exchange(server, PROXIED + request(*fields)))["client"] == "198.51.100.77"
        stranger = PROXIED.replace(b"203.0.113.9", b"192.0.2.55")
        assert told(await exchange(server, stranger + request(*fields)))["client"] == "192.0.2.55"


async def test_clients_named_in_headers_have_their_share() -> None:
    async with served(proxy_protocol=True, address_connection_limit=1) as server:
        port = int(server.addresses[0].rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(PROXIED + upgrade("/who"))
        async with asyncio.timeout(PATIENCE_S):
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        assert b" 429 " in (await exchange(server, PROXIED + request())).split(b"\r\n")[0]
        other = PROXIED.replace(b"203.0.113.9", b"203.0.113.8")
        assert told(await exchange(server, other + request()))["client"] == "203.0.113.8"
        writer.close()


def origins() -> list[dict[str, Any]]:
    """What a field can hold: neither control characters, nor blanks at its ends."""
    table: list[dict[str, Any]] = json.loads((ROOT / "tests/vectors/origins.json").read_text())[
        "rows"
    ]
    printable = [row for row in table if not re.search("[\0-\x1f]", row["origin"])]
    return [row for row in printable if row["host"] and row["origin"].strip() == row["origin"]]


async def test_pages_of_other_origins_do_not_get_in() -> None:
    """A1: over a socket, behind a trusted proxy that ends TLS or does not."""
    refused = 0
    async with served(trusted_proxies=("127.0.0.1",)) as server:
        for row in origins():
            scheme = "https" if row["tls"] else "http"
            words = upgrade("/who", f"Origin: {row['origin']}", f"X-Forwarded-Proto: {scheme}")
            words = words.replace(b"Host: h\r\n", b"Host: %b\r\n" % row["host"].encode())
            status = int((await exchange(server, words + ASK)).split()[1])
            assert (status == 101) is row["same"], row["name"]
            refused += status == 403
    assert refused >= 40


HAPROXY = """
global
    maxconn 64
defaults
    mode tcp
    timeout connect 5s
    timeout client 5s
    timeout server 5s
listen front
    bind unix@{front}
    server one 127.0.0.1:{port} {how}
listen door
    bind 127.0.0.2:{door}
    server one 127.0.0.1:{port} {how}
"""


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2"])
async def test_haproxy_names_its_clients(tmp_path: Path, how: str) -> None:
    haproxy = program("haproxy", "haproxy")
    async with served(proxy_protocol=True) as server:
        port = server.addresses[0].rpartition(":")[2]
        with socket.create_server(("127.0.0.2", 0)) as free:
            door = free.getsockname()[1]
        configuration = tmp_path / "haproxy.cfg"
        front = tmp_path / "s"
        configuration.write_text(HAPROXY.format(front=front, port=port, door=door, how=how))
        process = await asyncio.create_subprocess_exec(
            haproxy, "-f", str(configuration), "-db", stderr=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not front.exists():
                    assert process.returncode is None, "haproxy did not start"
                    await asyncio.sleep(0.01)
            reader, writer = await asyncio.open_connection(
                "127.0.0.2", door, local_addr=("127.0.0.7", 0)
            )
            writer.write(request())
            async with asyncio.timeout(PATIENCE_S):
                found = told(await reader.read())
            writer.close()
            assert (found["client"], found["peer"]) == ("127.0.0.7", "127.0.0.1")
        finally:
            process.terminate()
            await process.wait()
