"""`hubbub serve` as a process: a configuration with several applications, and what stops it."""

import asyncio
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import hubbub
from hubbub.testing.http import ask

from ..serving import STOP_TIMEOUT_S
from ..wrong_files import WrongFile, wrong_files

HUBBUB = (sys.executable, "-m", "hubbub")

ONE = """
from hubbub import App
app = App()

@app.message("/echo")
def echo(ws, msg):
    return msg

@app.get("/")
def index(req):
    return "{word}"
"""


@dataclass
class Serving:
    """A server that runs.

    Attributes:
        address: Its `host:port`.
        process: The process.
        said: What it has said so far.
    """

    address: str
    process: "subprocess.Popen[str]"
    said: str


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[Serving]:
    process = subprocess.Popen(
        [*HUBBUB, "serve", "--log-format", "text", *arguments],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        said = ""
        for line in process.stderr:
            said += line
            if found := re.search(r"serving on \w+://(127\.0\.0\.1:\d+)", said):
                yield Serving(found[1], process, said)
                break
        else:
            raise AssertionError(said)
    finally:
        process.terminate()
        process.communicate(timeout=STOP_TIMEOUT_S)


def refused(folder: Path, *arguments: str, code: int) -> str:
    """What a server that does not start says; no traceback, and nothing else."""
    ended = subprocess.run(
        [*HUBBUB, "serve", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.stderr


def get(address: str, path: str, **headers: str) -> str:
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.py").write_text(ONE.format(word="one"))
    (tmp_path / "two.py").write_text(ONE.format(word="two"))
    return tmp_path


def test_alone_it_serves_the_chat(tmp_path: Path) -> None:
    async def come_in(address: str) -> None:
        host, _, port = address.rpartition(":")
        body, fields = b'{"nick": "Ada"}', {"content-type": "application/json"}
        answer = await ask(host, int(port), "POST", "/api/guest", fields, body)
        assert (answer.status, answer.json()["nick"]) == (200, "Ada")

    with serving(tmp_path, "--bind", "127.0.0.1:0") as server:
        asyncio.run(come_in(server.address))
    assert (tmp_path / "hubbub-data" / "chat.sqlite3").is_file()


def test_two_applications(folder: Path) -> None:
    (folder / "hubbub.toml").write_text(
        '[[listen]]\nbind = "127.0.0.1:0"\n'
        '[[app]]\nimport = "one.py:app"\nmount = "/one"\n'
        '[[app]]\nimport = "two:app"\nmount = "/two"\n'
    )

    async def talk(address: str) -> None:
        for name in ("one", "two"):
            async with hubbub.connect(f"ws://{address}/{name}/echo") as ws:
                ws.send("hello")
                assert await ws.recv() == "hello"

    with serving(folder, "-c", "hubbub.toml") as server:
        assert get(server.address, "/one/") == "one"
        assert get(server.address, "/two/") == "two"
        asyncio.run(talk(server.address))
        server.process.terminate()
        assert server.process.wait(STOP_TIMEOUT_S) == 0


def test_values_reach_the_server(folder: Path) -> None:
    (folder / "hubbub.toml").write_text(
        '[server.limits]\nmessage_limit = "1KiB"\n'
        '[[listen]]\nbind = "127.0.0.1:0"\n'
        '[[app]]\nimport = "one.py:app"\n'
    )

    async def longest(address: str, size: int) -> int | None:
        async with hubbub.connect(f"ws://{address}/echo") as ws:
            ws.send("x" * size)
            async for _ in ws:
                return None
            return ws.close_code

    with serving(folder, "-c", "hubbub.toml") as server:
        assert asyncio.run(longest(server.address, 1024)) is None
        assert asyncio.run(longest(server.address, 1025)) == 1009
    with serving(folder, "-c", "hubbub.toml", "--ws-max-size", "2KiB") as server:
        assert asyncio.run(longest(server.address, 2048)) is None


def test_the_admin_listener_takes_orders(folder: Path) -> None:
    (folder / "hubbub.toml").write_text(
        '[[listen]]\nbind = "127.0.0.1:0"\n[[app]]\nimport = "one.py:app"\n'
        '[admin]\nbind = "unix:admin.sock"\n[server]\npid_file = "pid"\n'
    )

    def ask(method: str, path: str) -> tuple[int, str]:
        connection = UnixConnection(str(folder / "admin.sock"))
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    with serving(folder, "-c", "hubbub.toml") as server:
        assert ask("GET", "/readyz")[0] == 200
        status, answer = ask("POST", "/upgrade")
        assert status == 200
        successor = json.loads(answer)["pid"]
        try:
            assert successor != server.process.pid
            assert server.process.wait(STOP_TIMEOUT_S) == 0
            assert get(server.address, "/") == "one"
            assert (folder / "pid").read_text().strip() == str(successor)
        finally:
            os.kill(successor, signal.SIGTERM)


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self._path)


# One of each kind; tests/unit/config has them all.
KINDS = (
    "no equals sign",
    "a slip in a key",
    "a size of bananas",
    "a port alone",
    "two listeners on one address",
    "two modules at one place",
    "admin for the world",
    "several",
)


@pytest.mark.parametrize(
    "case", [one for one in wrong_files() if one.name in KINDS], ids=lambda case: case.name
)
def test_a_wrong_file_serves_nothing(case: WrongFile, tmp_path: Path) -> None:
    (tmp_path / "hubbub.toml").write_text(case.text, encoding="utf-8")
    assert refused(tmp_path, "-c", "hubbub.toml", code=2) == f"hubbub: {case.message}\n"


def ordered(folder: Path, order: str) -> "subprocess.CompletedProcess[str]":
    """What becomes of an order to the server in a folder."""
    return subprocess.run(
        [*HUBBUB, order, "--admin", "unix:admin.sock"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_module_that_cannot_be_reloaded_keeps_no_other_from_it(folder: Path) -> None:
    (folder / "hubbub.toml").write_text(
        '[[listen]]\nbind = "127.0.0.1:0"\n[admin]\nbind = "unix:admin.sock"\n'
        '[[app]]\nimport = "one.py:app"\n[[app]]\nimport = "two.py:app"\nmount = "/two"\n'
    )
    with serving(folder, "-c", "hubbub.toml") as server:
        (folder / "one.py").write_text("1 / 0")
        (folder / "two.py").write_text(ONE.format(word="new"))
        ended = ordered(folder, "reload")
        assert (ended.returncode, ended.stdout) == (1, "two: reloaded\n")
        assert "ZeroDivisionError" in ended.stderr
        assert [get(server.address, path) for path in ("/", "/two/")] == ["one", "new"]


def test_nobody_is_replaced_by_a_process_that_could_do_less(folder: Path) -> None:
    (folder / "run").mkdir()
    (folder / "hubbub.toml").write_text(
        '[[listen]]\nbind = "127.0.0.1:0"\n[admin]\nbind = "unix:admin.sock"\n'
        '[server]\npid_file = "run/pid"\n'
        '[[app]]\nimport = "one.py:app"\n[[app]]\nimport = "two.py:app"\nmount = "/two"\n'
    )

    def upgrade() -> tuple[int, str]:
        ended = ordered(folder, "upgrade")
        return ended.returncode, ended.stderr

    with serving(folder, "-c", "hubbub.toml") as server:
        (folder / "two.py").write_text("raise RuntimeError")
        code, said = upgrade()
        assert code == 1
        assert "two: hubbub.toml:10: cannot import two.py: " in said
        (folder / "two.py").write_text(ONE.format(word="two"))
        (folder / "run").rename(folder / "gone")
        code, said = upgrade()
        assert code == 1
        assert "hubbub.toml:6: server.pid_file: expected a folder that exists" in said
        # There, but not to be written to: only starting tells.
        (folder / "run").mkdir()
        (folder / "run" / "pid.new").mkdir()
        code, said = upgrade()
        assert code == 1
        assert "cannot write" in said
        assert "run/pid: Is a directory" in said
        assert [get(server.address, path) for path in ("/", "/two/")] == ["one", "two"]
        assert server.process.poll() is None


def test_who_has_not_started_can_be_stopped(folder: Path) -> None:
    (folder / "one.py").write_text(
        ONE.format(word="one")
        + "import asyncio\n"
        + "@app.lifespan\nasync def life():\n    print('begun', flush=True)\n"
        + "    try:\n        await asyncio.Event().wait()\n        yield\n"
        + "    finally:\n        print('left', flush=True)\n"
    )
    (folder / "hubbub.toml").write_text(
        '[[listen]]\nbind = "127.0.0.1:0"\n[[app]]\nimport = "one.py:app"\n'
    )
    command = [*HUBBUB, "serve", "-c", "hubbub.toml"]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            process.terminate()
            left, log = process.communicate(timeout=STOP_TIMEOUT_S)
        finally:
            process.kill()
    assert (process.returncode, left) == (0, "left\n")
    assert "stopping: the server had not started" in log


def test_a_taken_port_is_4_and_nothing_has_started(folder: Path) -> None:
    (folder / "one.py").write_text(
        ONE.format(word="one")
        + "@app.lifespan\nasync def life():\n    open('started', 'w').close()\n    yield\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (folder / "hubbub.toml").write_text(
            f'[[listen]]\nbind = "unix:free.sock"\n[[listen]]\nbind = "127.0.0.1:{port}"\n'
            '[[app]]\nimport = "one.py:app"\n'
        )
        message = refused(folder, "-c", "hubbub.toml", code=4)
    told = f"hubbub: cannot listen on tcp://127.0.0.1:{port}: Address already in use\n"
    assert told in message
    assert not (folder / "started").exists()
    assert not (folder / "free.sock").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\n", "there is no app, and no App at all"),
        ("import hubbub\nboard = hubbub.App()\n", "there is no app; apps here: board"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("def f(:\n", "SyntaxError"),
        (ONE.format(word="x") + "app.get('/')(index)\n", "cannot route"),
    ],
)
def test_an_application_that_is_none_is_3(folder: Path, source: str, message: str) -> None:
    (folder / "hubbub.toml").write_text(
        '[[listen]]\nbind = "127.0.0.1:0"\n[[app]]\nimport = "one.py:app"\n'
    )
    (folder / "one.py").write_text(source)
    told = refused(folder, "-c", "hubbub.toml", code=3)
    assert message in told
    assert told.count("\n") == 1, told
