"""`hubbub serve` with TLS and several applications: curl, openssl and Chromium agree about it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from ..programs import program
from ..serving import ROOT
from .browser import FLAGS
from .test_serve import Serving, serving

# A block of code whose first line says which file it is.
_NAMED = re.compile(r"^```\w+\n(# (\S+\.\w+)\n.*?)^```", re.MULTILINE | re.DOTALL)

FILES = """
from pathlib import Path

from hubbub import App, Event, EventSourceResponse, Request

app = App()
app.static("/files", Path(__file__).parent / "files")


@app.post("/size", stream=True)
async def size(request: Request) -> dict[str, int]:
    return {"bytes": sum([len(part) async for part in request.stream()])}


@app.get("/events")
def events(request: Request) -> EventSourceResponse:
    async def three():
        for number in range(3):
            yield Event(f"number {number}")

    return EventSourceResponse(three())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "digits.txt").write_text("0123456789" * 100)
    (tmp_path / "files.py").write_text(FILES)
    return tmp_path


@contextmanager
def with_tls(folder: Path, *more: str) -> Iterator[tuple[Serving, Path]]:
    """The examples, and the certificate by which their server is known."""
    examples = ROOT / "examples" / "hubbub.toml"
    over = ("--set", "listen.0.bind=127.0.0.1:0", *more)
    with serving(folder, "-c", str(examples), *over) as server:
        yield server, folder / "hubbub-data" / "dev-cert" / "cert.pem"


def test_the_walk_through(tmp_path: Path) -> None:
    """Does what docs/server.md tells a stranger to do, in an empty folder."""
    page = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    # With the line that names the file: whoever copies a block copies that, too.
    for text, name in re.findall(
        r"^```\w+\n(# (\S+\.\w+)\n.*?)^```", page, re.MULTILINE | re.DOTALL
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def told(*arguments: str) -> tuple[str, str]:
        ran = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return ran.stdout, ran.stderr

    assert ": ok: " in told("-m", "hubbub", "check", "-c", "hubbub.toml")[0]
    assert "/rooms/{room}" in told("-m", "hubbub", "routes", "-c", "hubbub.toml")[0]
    good = (tmp_path / "hubbub.toml").read_text()
    bad = good.replace('mount = "/clock', 'mont = "/clock')
    (tmp_path / "hubbub.toml").write_text(bad)
    mistake = told("-m", "hubbub", "check", "-c", "hubbub.toml")[1]
    assert mistake in page
    (tmp_path / "hubbub.toml").write_text(good)
    over = ("--set", "listen.0.bind=127.0.0.1:0")
    with serving(tmp_path, "-c", "hubbub.toml", *over) as server:
        certificate = tmp_path / "hubbub-data" / "dev-cert" / "cert.pem"
        rooms = curl(certificate, f"https://{server.address}/rooms/")
        assert rooms == '["lobby","garden"]'
        say = (tmp_path / "say.py").read_text()
        (tmp_path / "say.py").write_text(say.replace("localhost:8443", server.address))
        assert told("say.py") == ("Ada: hello\n", "")


def curl(certificate: Path, *arguments: str) -> str:
    command = [program("curl", "curl"), "--silent", "--show-error", "--max-time", "20"]
    ran = subprocess.run(
        [*command, "--cacert", str(certificate), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_curl(folder: Path) -> None:
    more = [f"app.2.import={folder / 'files.py'}:app", "app.2.mount=/more"]
    with with_tls(folder, *(part for one in more for part in ("--set", one))) as (server, cert):
        url = f"https://{server.address}"
        seen = ["--output", "/dev/null", "--write-out", "%{http_code} %{num_connects}\n"]
        kept = curl(cert, *seen, f"{url}/chat/", *seen, f"{url}/chat/")
        assert kept.split("\n")[:2] == ["200 1", "200 0"]
        assert "<title>Hubbub chat</title>" in curl(cert, f"{url}/chat/")
        assert curl(cert, "--range", "8-11", f"{url}/more/files/digits.txt") == "8901"
        digits = folder / "files" / "digits.txt"
        upload = ["--header", "Transfer-Encoding: chunked", "--data-binary", f"@{digits}"]
        assert curl(cert, *upload, f"{url}/more/size") == '{"bytes":1000}'
        events = curl(cert, "--no-buffer", f"{url}/more/events")
        assert [line for line in events.splitlines() if line.startswith("data:")] == [
            f"data: number {number}" for number in range(3)
        ]
        assert "this port speaks TLS" in curl(cert, f"http://{server.address}/chat/")


def test_openssl(folder: Path) -> None:
    with with_tls(folder) as (server, certificate):
        command = [program("openssl", "openssl"), "s_client", "-connect", server.address]
        command += ["-CAfile", str(certificate), "-verify_return_error", "-brief"]
        ran = subprocess.run(
            [*command, "-servername", "localhost", "-alpn", "http/1.1"],
            input="GET /chat/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        told = ran.stdout + ran.stderr
        assert ran.returncode == 0, told
        assert "Verification: OK" in told
        assert "TLSv1.3" in told


def test_chromium(folder: Path) -> None:
    with with_tls(folder) as (server, _), sync_playwright() as playwright:
        path = program("chromium", "chromium")
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        with browser.new_context(ignore_https_errors=True) as context:
            pages = [context.new_page() for _ in range(2)]
            for page in pages:
                page.goto(f"https://{server.address}/chat/")
                expect(page.get_by_role("status")).to_have_text("connected")
            pages[0].get_by_label("Message", exact=True).fill("hello over wss")
            pages[0].get_by_role("button", name="Send").click()
            for page in pages:
                expect(page.get_by_role("log")).to_contain_text("hello over wss")
        browser.close()
