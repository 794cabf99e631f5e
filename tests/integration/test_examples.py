"""The examples do what they say."""

import asyncio
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hubbub import HandshakeRejected
from hubbub.testing import serve

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[2] / "examples"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports an example afresh, as `hubbub run` does: its neighbours can be found."""
    monkeypatch.syspath_prepend(str(FOLDER))
    names = [file.stem for file in FOLDER.glob("*.py")]
    yield importlib.import_module
    for name in names:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["echo", "echo_async"])
async def test_echo(example: Any, name: str) -> None:
    async with serve(example(name).app) as server, server.connect("/echo") as client:
        for message in ("hello", b"\x00"):
            client.send(message)
            assert await client.receive() == message


async def test_fan(example: Any) -> None:
    async with serve(example("fan").app) as server:
        async with server.connect("/fan") as one, server.connect("/fan") as two:
            one.send("hello")
            assert await one.receive() == "hello"
            assert await two.receive() == "hello"


async def test_chat(example: Any) -> None:
    async with serve(example("chat").app) as server:
        async with server.connect("/ws/lobby?name=Ada") as ada:
            assert await ada.receive() == "Ada joined"
            async with server.connect("/ws/lobby") as guest:
                assert await guest.receive() == "guest joined"
                guest.send("hello")
                assert await guest.receive() == "guest: hello"
            heard = [await ada.receive() for _ in range(3)]
            assert heard == ["guest joined", "guest: hello", "guest left"]


async def test_board(example: Any) -> None:
    async with serve(example("board").app) as server:
        with pytest.raises(HandshakeRejected) as refused:
            await server.connect("/board/garden").__aenter__()
        assert refused.value.status == 401
        async with server.connect("/board/garden?name=Ada") as client:
            client.send('{"type": "say", "text": "hello"}')
            assert await client.receive_json() == {"type": "said", "name": "Ada", "text": "hello"}


async def test_the_demo_leads_to_the_chat(example: Any) -> None:
    async with serve(example("demo").app) as server:
        index = await server.get("/")
        assert index.status == 200
        assert 'href="chat/"' in index.text
        chat = await server.get("/chat/")
        assert "<title>Hubbub chat</title>" in chat.text
        for page in (index, chat):
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
        async with server.connect("/chat/ws/lobby") as client:
            assert await client.receive() == "guest joined"
        async with server.connect("/echo") as client:
            client.send("x")
            assert await client.receive() == "x"
        assert (await server.get("/healthz")).json() == {"status": "ok"}


async def test_files(example: Any) -> None:
    async with serve(example("files").app) as server:
        source = await server.get("/examples/files.py")
        assert source.body == (FOLDER / "files.py").read_bytes()
        put = await server.request("PUT", "/upload/x", body=b"y" * 2_000_000)
        assert (put.status, put.json()["bytes"]) == (200, 2_000_000)
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /clock HTTP/1.1\r\nHost: h\r\nLast-Event-ID: 41\r\n\r\n")
        async with asyncio.timeout(10):
            await reader.readuntil(b'id: 42\ndata: {"number":42,')
        writer.close()
        await writer.wait_closed()
