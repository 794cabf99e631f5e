"""The commands beside a running server, against a real one: status, top, healthcheck, orders."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..serving import ROOT, Served, served

CHAT = "examples/chat.py:app"
NEVER = 60


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "admin.sock"


@pytest.fixture(scope="module")
def server(socket: Path) -> Iterator[Served]:
    with served(CHAT, "--admin", f"unix:{socket}") as server:
        yield server


def hubbub(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "hubbub", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=NEVER,
        check=False,
    )


def test_status(server: Served, socket: Path) -> None:
    found = hubbub("status", "--admin", f"unix:{socket}")
    assert found.returncode == 0, found.stderr
    assert "  ready  up " in found.stdout
    assert f"tcp://{server.address}" in found.stdout
    page = json.loads(hubbub("status", "--json", HUBBUB_ADMIN=f"unix:{socket}").stdout)
    assert page["listeners"] == [f"tcp://{server.address}"]


def test_health(server: Served, socket: Path) -> None:
    alive = hubbub("healthcheck", "--admin", f"unix:{socket}")
    assert (alive.returncode, alive.stdout) == (0, "ok\n")
    ready = hubbub("healthcheck", "--ready", "--admin", f"unix:{socket}")
    assert (ready.returncode, ready.stdout) == (0, "ready\n")
    gone = hubbub("healthcheck", "--admin", f"unix:{socket}-not")
    assert gone.returncode == 1
    assert gone.stderr == (
        f"hubbub: no server answers at unix:{socket}-not:"
        " is a server running there? --admin says where else to look\n"
    )


def test_a_picture_of_the_moment(server: Served, socket: Path) -> None:
    once = hubbub("top", "--once", "--admin", f"unix:{socket}")
    assert once.returncode == 0, once.stderr
    assert "messages in" in once.stdout
    line = hubbub("top", "--once", "--json", "--admin", f"unix:{socket}").stdout
    assert line.count("\n") == 1
    assert json.loads(line)["state"] == "ready"
    assert hubbub("top", "--interval", "often", "--admin", "unix:/x").returncode == 2


def test_the_live_picture_ends_with_a_key(server: Served, socket: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "hubbub", "top", "--admin", f"unix:{socket}"]
    top = subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"q: quit" not in shown:
        shown += os.read(ours, 65_536)
    os.write(ours, b"q")
    rest = b""
    try:
        while part := os.read(ours, 65_536):
            rest += part
    except OSError:
        # So a terminal tells that its last program has gone.
        pass
    os.close(ours)
    assert top.wait(NEVER) == 0
    # The screen is what it was before.
    assert b"\x1b[?1049l" in shown + rest


def test_orders_say_what_became_of_them(server: Served, socket: Path) -> None:
    at = ("--admin", f"unix:{socket}")
    everything = hubbub("reload", *at)
    assert (everything.returncode, everything.stdout) == (0, "chat: reloaded\n")
    unknown = hubbub("reload", "nobody", *at)
    assert (unknown.returncode, unknown.stderr) == (1, "hubbub: there is no module 'nobody'\n")


def test_an_upgrade_by_order(tmp_path: Path) -> None:
    at = f"unix:{tmp_path}/admin.sock"
    pid_file = tmp_path / "pid"
    with served(CHAT, "--admin", at, "--pid-file", str(pid_file)) as server:
        done = hubbub("upgrade", "--admin", at)
        try:
            assert done.returncode == 0, done.stderr + server.log.read_text()
            assert server.process.wait(NEVER) == 0
            # The new one answers at the same place, and is another process.
            page = json.loads(hubbub("status", "--json", "--admin", at).stdout)
            assert page["listeners"] == [f"tcp://{server.address}"]
            assert f"process {pid_file.read_text().strip()} has taken over" in done.stdout
        finally:
            os.kill(int(pid_file.read_text()), 15)


def test_strangers_are_kept_out_before_anything_starts() -> None:
    refused = hubbub("run", CHAT, "--port", "0", "--admin", "0.0.0.0:0")
    assert refused.returncode == 2
    assert refused.stderr.startswith("hubbub: admin.bind: expected a loopback address")
    assert refused.stderr.count("\n") == 1
