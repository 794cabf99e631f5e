"""`hubbub run`, `dev` and `bench` as processes: signals, exit codes, messages."""

import asyncio
import http.client
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import hubbub

from ..serving import served

HUBBUB = (sys.executable, "-m", "hubbub")

APP = """
from hubbub import App
app = App()

@app.message("/echo")
def echo(ws, msg):
    return msg

@app.get("/word")
def word(req):
    return "first"
"""


@pytest.fixture
def app_file(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(APP)
    return file


def told(*arguments: str, code: int) -> str:
    """What a command that fails says; one line, no traceback."""
    ended = subprocess.run(
        [*HUBBUB, *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr


def get(address: str, path: str) -> str:
    connection = http.client.HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_closes_in_order(app_file: Path, number: signal.Signals) -> None:
    async def talk(address: str, process: "subprocess.Popen[bytes]") -> int | None:
        async with hubbub.connect(f"ws://{address}/echo") as ws:
            ws.send("hi")
            assert await ws.recv() == "hi"
            process.send_signal(number)
            await asyncio.wait_for(ws.wait_closed(), 10)
            return ws.close_code

    with served(f"{app_file}:app") as server:
        assert asyncio.run(talk(server.address, server.process)) == 1001
        assert server.process.wait(10) == 0
        log = server.log.read_text()
    assert "serving on http://127.0.0.1:" in log
    assert "stopping" in log


def test_a_second_signal_does_not_wait(app_file: Path) -> None:
    with served(f"{app_file}:app", "--timeout-graceful-shutdown", "1min") as server:
        host, port = server.address.split(":")
        # A client that will not answer the close frame.
        with socket.create_connection((host, int(port))) as silent:
            silent.sendall(
                f"GET /echo HTTP/1.1\r\nHost: {server.address}\r\nUpgrade: websocket\r\n"
                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            assert b"101" in silent.recv(4096)
            began = time.monotonic()
            server.process.send_signal(signal.SIGINT)
            assert silent.recv(4096)[:2] != b""
            server.process.send_signal(signal.SIGINT)
            assert server.process.wait(10) == 6
            assert time.monotonic() - began < 4


def test_a_taken_port_is_4(app_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        message = told("run", f"{app_file}:app", "--port", port, code=4)
        assert f"cannot listen on tcp://127.0.0.1:{port}: Address already in use" in message
        message = told("dev", f"{app_file}:app", "--port", port, code=4)
        assert f"cannot listen on 127.0.0.1:{port}" in message


def test_an_app_that_cannot_be_served_is_3(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(APP + "\napp.get('/word')(word)\n")
    assert "/word" in told("run", f"{file}:app", "--port", "0", code=3)
    file.write_text("import hubbub\nboard = hubbub.App()\n")
    assert "apps here: board" in told("run", f"{file}:app", "--port", "0", code=3)
    file.write_text("1 / 0\n")
    assert "mine.py:1: ZeroDivisionError" in told("run", str(file), "--port", "0", code=3)


def test_an_app_whose_lifespan_fails_is_3(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        APP + "@app.lifespan\nasync def life():\n    raise RuntimeError('no database')\n    yield\n"
    )
    ended = subprocess.run(
        [*HUBBUB, "run", str(file), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 3
    # Not a mistake of usage but a fault in a program: its author wants to see where.
    assert "no database" in ended.stderr
    assert str(file) in ended.stderr


def test_more_threads_than_there_are_is_told(app_file: Path) -> None:
    message = told("run", str(app_file), "--threads", "64", "--port", "0", code=2)
    assert "threads" in message


def test_a_unix_socket(app_file: Path, tmp_path: Path) -> None:
    place = tmp_path / "hubbub.sock"

    async def talk() -> None:
        async with hubbub.connect("ws://localhost/echo", uds=str(place)) as ws:
            ws.send("hi")
            assert await ws.recv() == "hi"

    with started("run", str(app_file), "--uds", str(place), until=f"unix:{place}"):
        asyncio.run(talk())


@contextmanager
def started(*arguments: str, until: str, **options: object) -> "Iterator[re.Match[str]]":
    """A command that runs until the `with` ends; `until` is what it says when it is ready."""
    process = subprocess.Popen(
        [*HUBBUB, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )
    try:
        said = ""
        for line in process.stderr:
            said += line
            if found := re.search(until, said):
                yield found
                break
        else:
            raise AssertionError(said)
    finally:
        process.terminate()
        process.communicate(timeout=10)


DEV_READY = r"https?://(127\.0\.0\.1:\d+)[^$]*serving on"


def wait_for_word(address: str, word: str) -> None:
    """Whoever asks while a process starts waits; longer than one request would."""
    deadline = time.monotonic() + 60
    found = ""
    while found != word:
        assert time.monotonic() < deadline
        with suppress(TimeoutError):
            found = get(address, "/word")
        time.sleep(0.05)


def test_dev_takes_up_a_change_while_connections_stay_open(app_file: Path) -> None:
    def write(source: str) -> None:
        app_file.write_text(source)

    async def talk(address: str) -> None:
        async with hubbub.connect(f"ws://{address}/echo") as ws, asyncio.timeout(20):
            write(APP.replace("return msg", "return 'new ' + msg"))
            answer = "old"
            while answer == "old":
                ws.send("old")
                answer = str(await ws.recv())
            assert answer == "new old"
            # What cannot run changes nothing, and is mended in place as well.
            write(APP + "def broken(:\n")
            ws.send("old")
            assert await ws.recv() == "new old"
            write(APP.replace("return msg", "return 'newer'"))
            while answer != "newer":
                ws.send("old")
                answer = str(await ws.recv())

    with started("dev", str(app_file), "--port", "0", until=DEV_READY) as found:
        asyncio.run(talk(found[1]))


def test_dev_starts_anew_where_a_reload_is_not_enough(
    app_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    (shared / "words.py").write_text("WORD = 'first'\n")
    app_file.write_text("from words import WORD\n" + APP.replace('"first"', "WORD"))
    folders = ("--reload-dir", str(app_file.parent), "--reload-dir", str(shared))
    environment = {**os.environ, "PYTHONPATH": str(shared)}
    command = ("dev", str(app_file), "--port", "0", *folders)
    with started(*command, until=DEV_READY, env=environment) as found:
        wait_for_word(found[1], "first")
        (shared / "words.py").write_text("WORD = 'second'\n")
        wait_for_word(found[1], "second")


def test_dev_waits_for_an_app_that_does_not_start(app_file: Path) -> None:
    app_file.write_text("def broken(:\n")
    ready = r"http://(127\.0\.0\.1:\d+)[^$]*SyntaxError"
    with started("dev", str(app_file), "--port", "0", until=ready) as found:
        app_file.write_text(APP)
        wait_for_word(found[1], "first")


def test_dev_speaks_tls(app_file: Path, tmp_path: Path) -> None:
    command = ("dev", str(app_file), "--port", "0", "--ssl-dev")
    with started(*command, until=DEV_READY, cwd=tmp_path) as found:
        context = ssl.create_default_context(cafile=tmp_path / "hubbub-data/dev-cert/cert.pem")
        port = int(found[1].rpartition(":")[2])
        connection = http.client.HTTPSConnection("localhost", port, timeout=5, context=context)
        connection.request("GET", "/word")
        assert connection.getresponse().read() == b"first"
        connection.close()
    flags = ("--ssl-certfile", "x.pem", "--ssl-cert-reqs", "2")
    assert told("run", str(app_file), *flags, code=2) == (
        "hubbub: --ssl-cert-reqs needs --ssl-ca-certs: whose certificates count\n"
    )
    assert "--ssl-dev makes its own" in told(
        "dev", str(app_file), "--ssl-dev", "--ssl-certfile", "x.pem", code=2
    )


def test_bench_measures_a_server_of_its_own(tmp_path: Path) -> None:
    arguments = ["-c", "5", "-d", "200ms", "-w", "50ms", "--json"]
    ended = subprocess.run(
        [*HUBBUB, "bench", "echo", *arguments, "--plot", str(tmp_path / "plot.png")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["mode"] == "echo"
    assert report["count"] > 0
    assert report["server_cpu_us"] > 0
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "mode",
    ["fan-out", "fan-out --bursts", "echo --bursts", "hub", "hub --own", "idle", "handshake"],
)
def test_bench_prints_a_table(mode: str) -> None:
    ended = subprocess.run(
        [*HUBBUB, "bench", *mode.split(), "-c", "5", "-d", "200ms", "-w", "50ms"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "connections" in ended.stdout


def test_bench_without_a_server_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    message = told("bench", "echo", f"ws://127.0.0.1:{port}/", "-d", "100ms", code=1)
    assert "no measurement" in message


def test_a_blocking_handler_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        APP
        + "@app.get('/blocks')\ndef blocks(req):\n    __import__('time').sleep(0.5)\n    return 'x'"
    )
    with served(f"{file}:app", "--blocked-warning", "100ms") as server:
        assert get(server.address, "/blocks") == "x"
        log = server.log.read_text()
    assert "module mine, blocks (" in log
    assert re.search(r"has blocked the loop for 0\.\d s, waiting \(\d+ % of it at work\)", log)
    assert "in blocks" in log


@pytest.mark.parametrize(
    ("flags", "client"),
    [
        ((), "203.0.113.7"),
        (("--proxy-headers",), "203.0.113.7"),
        (("--no-proxy-headers",), "127.0.0.1"),
        (("--proxy-fields", "forwarded"), "198.51.100.9"),
    ],
)
def test_proxy_headers_are_switched_as_uvicorn_does(
    app_file: Path, flags: tuple[str, ...], client: str
) -> None:
    app_file.write_text(
        APP + "\n@app.get('/client')\ndef client(req):\n    return req.client.partition(':')[0]\n"
    )
    command = ("--forwarded-allow-ips", "127.0.0.1", *flags)
    with served(f"{app_file}:app", *command) as server:
        connection = http.client.HTTPConnection(server.address, timeout=5)
        named = {"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=198.51.100.9"}
        connection.request("GET", "/client", headers=named)
        assert connection.getresponse().read().decode() == client
        connection.close()


def test_the_table_of_descriptors_is_large_from_the_beginning(app_file: Path) -> None:
    """Linux makes everybody wait while it grows, and thousands may knock meanwhile (R5)."""
    with served(str(app_file)) as server:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
    size = re.search(r"^FDSize:\s+(\d+)$", status, re.MULTILINE)
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert size
    assert int(size[1]) >= min(most, 1 << 16)
