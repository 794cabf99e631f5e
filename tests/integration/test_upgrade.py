"""A server in a process of its own: replaced by a new one, activated and heard by systemd."""

import http.client
import json
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.serving import Served, served

PATIENCE_S = 20.0

APP = """
import os
from hubbub import App, Request, WebSocket

app = App()

@app.get("/pid")
def pid(req: Request) -> str:
    return str(os.getpid())

@app.get("/environment")
def environment(req: Request) -> list[str]:
    return sorted(os.environ)

@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    return msg
"""


@pytest.fixture
def app_file(tmp_path: Path) -> Path:
    path = tmp_path / "some_app.py"
    path.write_text(APP)
    return path


def wait_until(is_so: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def ask(address: str, path: str) -> str:
    host, port = address.split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@contextmanager
def replaceable(app: Path, *flags: str) -> Iterator[tuple[Served, Path]]:
    """A server with a pid file; whoever serves at the end is ended."""
    pid_file = app.with_name("pid")
    with served(f"{app}:app", "--pid-file", str(pid_file), *flags) as server:
        wait_until(pid_file.exists, "no pid file")
        try:
            yield server, pid_file
        finally:
            if pid_file.exists():
                os.kill(int(pid_file.read_text()), signal.SIGKILL)


def shaken(address: str) -> socket.socket:
    """An open WebSocket."""
    host, port = address.split(":")
    client = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    client.sendall(
        f"GET /echo HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert b" 101 " in client.recv(4096)
    return client


def test_a_new_process_takes_over(app_file: Path) -> None:
    with replaceable(app_file) as (server, pid_file):
        first = server.process.pid
        assert ask(server.address, "/pid") == str(first)
        client = shaken(server.address)
        os.kill(first, signal.SIGUSR2)
        # RFC 6455 §7.4: the close frame with 1012, "Service Restart".
        assert client.recv(4096)[2:4] == (1012).to_bytes(2, "big")
        client.close()
        assert server.process.wait(PATIENCE_S) == 0
        second = int(ask(server.address, "/pid"))
        assert second != first
        assert pid_file.read_text() == f"{second}\n"
        # The new one can be replaced as well, and ends as any other does.
        os.kill(second, signal.SIGUSR2)
        wait_until(lambda: int(pid_file.read_text()) != second, "not replaced")
        third = int(pid_file.read_text())
        assert ask(server.address, "/pid") == str(third)
        os.kill(third, signal.SIGTERM)
        wait_until(lambda: not pid_file.exists(), "not ended")
        with pytest.raises(ConnectionRefusedError):
            ask(server.address, "/pid")


def test_one_that_fails_changes_nothing(app_file: Path) -> None:
    with replaceable(app_file) as (server, pid_file):
        first = server.process.pid
        with shaken(server.address) as client:
            app_file.write_text("from hubbub import App\napp = Ap()\n")
            os.kill(first, signal.SIGUSR2)
            wait_until(lambda: "nothing has changed" in server.log.read_text(), "not told")
            assert re.search(
                r"exit code 3\): cannot import .*some_app.py:2", server.log.read_text()
            )
            assert ask(server.address, "/pid") == str(first)
            assert pid_file.read_text() == f"{first}\n"
            client.sendall(b"\x81\x82\0\0\0\0hi")
            assert client.recv(4096) == b"\x81\x02hi"
        app_file.write_text(APP)
        os.kill(first, signal.SIGUSR2)
        assert server.process.wait(PATIENCE_S) == 0
        assert ask(server.address, "/pid") != str(first)


def test_a_unix_socket_is_handed_over_with_its_file(app_file: Path, tmp_path: Path) -> None:
    place = tmp_path / "hubbub.sock"

    def heard() -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(place))
            client.sendall(b"GET /pid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b""
            while more := client.recv(4096):
                answer += more
            return answer.rpartition(b"\r\n")[2]

    pid_file = tmp_path / "pid"
    flags = ("--uds", str(place), "--pid-file", str(pid_file))
    with served(f"{app_file}:app", *flags, expect=rf"serving on unix:({place})\s") as server:
        wait_until(pid_file.exists, "no pid file")
        try:
            app_file.write_text("1 / 0")
            os.kill(server.process.pid, signal.SIGUSR2)
            wait_until(lambda: "nothing has changed" in server.log.read_text(), "not told")
            assert heard() == str(server.process.pid).encode()
            app_file.write_text(APP)
            os.kill(server.process.pid, signal.SIGUSR2)
            assert server.process.wait(PATIENCE_S) == 0
            second = int(heard())
            assert second != server.process.pid
            os.kill(second, signal.SIGTERM)
            wait_until(lambda: not pid_file.exists(), "not ended")
            assert not place.exists()
        finally:
            if pid_file.exists():
                os.kill(int(pid_file.read_text()), signal.SIGKILL)


def test_the_application_sees_none_of_it(app_file: Path) -> None:
    with replaceable(app_file) as (server, _):
        os.kill(server.process.pid, signal.SIGUSR2)
        assert server.process.wait(PATIENCE_S) == 0
        names = json.loads(ask(server.address, "/environment"))
        assert not [name for name in names if name.startswith(("HUBBUB_", "LISTEN_"))]


# As systemd does it: descriptors from 3 on, and the number of the process that they are for.
ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
pid = str(os.getpid())
os.environ.update(LISTEN_FDS="1", LISTEN_FDNAMES="web", LISTEN_PID=pid, WATCHDOG_PID=pid)
os.execv(sys.argv[2], sys.argv[2:])
"""


class Systemd:
    """Its half of sd_notify(3)."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "notify"))
        self._socket.settimeout(PATIENCE_S)

    def __enter__(self) -> "Systemd":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def hears(self, beginning: str) -> dict[str, str]:
        """The next message but for those that only say that it lives."""
        while True:
            lines = self._socket.recv(4096).decode().split("\n")
            if lines != ["WATCHDOG=1"]:
                assert lines[0].startswith(beginning), lines
                return dict(line.split("=", 1) for line in lines)

    def lives(self) -> None:
        """Waits for a sign of life."""
        while self._socket.recv(4096) != b"WATCHDOG=1":
            pass


def test_systemd_activates_and_is_told(
    app_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "400000")
    with Systemd(tmp_path) as systemd, socket.create_server(("127.0.0.1", 0)) as listener:
        address = "{}:{}".format(*listener.getsockname())
        run = [sys.executable, "-m", "hubbub", "run", f"{app_file}:app", "--bind", "systemd:web"]
        command = (sys.executable, "-c", ACTIVATE, str(listener.fileno()), *run)
        with served("", command=command, pass_fds=(listener.fileno(),)) as server:
            assert server.address == address
            assert systemd.hears("READY=1")["STATUS"] == f"serving on http://{address}"
            systemd.lives()
            systemd.lives()
            first = server.process.pid
            assert ask(address, "/pid") == str(first)
            os.kill(first, signal.SIGUSR2)
            second = int(systemd.hears("MAINPID=")["MAINPID"])
            systemd.hears("READY=1")
            systemd.lives()
            assert server.process.wait(PATIENCE_S) == 0
            assert ask(address, "/pid") == str(second)
            os.kill(second, signal.SIGTERM)
            told = systemd.hears("STOPPING=1")
            assert 10e6 < int(told["EXTEND_TIMEOUT_USEC"]) < 60e6


def test_a_socket_that_systemd_does_not_have(app_file: Path) -> None:
    with pytest.raises(RuntimeError, match="no socket named web was passed by systemd"):
        with served(f"{app_file}:app", "--bind", "systemd:web"):
            raise AssertionError
