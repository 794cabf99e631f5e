"""HTTP as curl speaks it: what a person at a terminal would try."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hubbub import App, Event, EventSourceResponse, Request
from hubbub.testing import serve

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl (Debian: curl)"),
]


def app(directory: Path) -> App:
    made = App()
    made.static("/files", directory)

    @made.get("/json")
    def json(req: Request) -> dict[str, str]:
        return {"a": "b"}

    @made.put("/upload", stream=True, body_limit_bytes="8MiB")
    async def upload(req: Request) -> str:
        how = req.headers.get("transfer-encoding") or req.headers.get("content-length", "")
        return f"{how} {sum([len(piece) async for piece in req.stream()])}"

    @made.get("/events")
    def events(req: Request) -> EventSourceResponse:
        async def some() -> AsyncIterator[Event]:
            yield Event("one", id="1")
            yield Event("two", id="2")

        return EventSourceResponse(some())

    return made


async def curl(*arguments: str, stdin: bytes | None = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *("curl", "--silent", "--show-error", "--max-time", "10", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(stdin)
    assert process.returncode == 0, err.decode()
    return out.decode()


async def test_keep_alive(tmp_path: Path) -> None:
    async with serve(app(tmp_path)) as server:
        url = f"{server.url}/json"
        out = await curl("--write-out", "%{num_connects};", url, url, url)
        assert out == '{"a":"b"}1;{"a":"b"}0;{"a":"b"}0;'


async def test_parts_and_conditions(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("abcdefghij")
    async with serve(app(tmp_path)) as server:
        url = f"{server.url}/files/letters.txt"
        assert await curl("--range", "2-4", url) == "cde"
        kept = tmp_path / "kept"
        kept.write_text("abcd")
        await curl("--continue-at", "-", "--output", str(kept), url)
        assert kept.read_text() == "abcdefghij"
        tag = tmp_path / "tag"
        await curl("--etag-save", str(tag), url)
        again = ("--etag-compare", str(tag), "--write-out", "%{http_code}")
        assert await curl(*again, url) == "304"
        head = await curl("--head", url, "--write-out", "%{http_code}")
        assert head.endswith("200")


async def test_uploads(tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"x" * 5_000_000)
    async with serve(app(tmp_path)) as server:
        url = f"{server.url}/upload"
        assert await curl("--upload-file", str(large), url) == "5000000 5000000"
        out = await curl("--upload-file", "-", url, stdin=b"y" * 100_000)
        assert out == "chunked 100000"
        expects = ("--header", "Expect: 100-continue", "--expect100-timeout", "30")
        assert await curl(*expects, "--upload-file", str(large), url) == "5000000 5000000"
        refused = await curl(
            *expects, "--upload-file", str(large), f"{server.url}/json",
            *("--write-out", "%{http_code} %{size_upload}", "--output", "/dev/null"),
        )  # fmt: skip
        assert refused == "405 0"


async def test_events(tmp_path: Path) -> None:
    async with serve(app(tmp_path)) as server:
        out = await curl("--no-buffer", f"{server.url}/events")
        assert out == ":\n\nid: 1\ndata: one\n\nid: 2\ndata: two\n\n"


async def test_compression(tmp_path: Path) -> None:
    (tmp_path / "long.css").write_text("a { margin: 0 }\n" * 500)
    async with serve(app(tmp_path)) as server:
        out = await curl("--compressed", f"{server.url}/files/long.css")
        assert out == "a { margin: 0 }\n" * 500
