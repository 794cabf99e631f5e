"""`hubbub bridge` before a real server, and a configuration that makes no sense."""

import subprocess
import sys
from pathlib import Path

import pytest

from hubbub.bridges.chat import Config
from tests.integration.bridges.networks import Network
from tests.serving import served

HUBBUB = (sys.executable, "-m", "hubbub")
pytestmark = pytest.mark.anyio


def hubbub(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*HUBBUB, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


async def test_bridges_are_shown_and_obey(tmp_path: Path) -> None:
    async with Network("ngircd", tmp_path) as network:
        bob = await network.peer("bob", "#lobby")
        file = tmp_path / "mine.py"
        file.write_text(f"""
from hubbub.bridges.chat import Config, app as make
def app():
    bridge = {{"kind": "irc", "server": "127.0.0.1:{network.port}", "tls": False,
              "rooms": {{"lobby": "#lobby"}}}}
    return make(Config(database={str(tmp_path / "chat.sqlite3")!r}, bridges={{"net": bridge}}))
""")
        admin = f"unix:{tmp_path}/admin.sock"
        with served(f"{file}:app", "--admin", admin):
            await bob.next("JOIN")
            shown = hubbub("bridge", "--admin", admin)
            assert shown.returncode == 0, shown.stderr
            assert shown.stdout.startswith("net: up\n  #lobby: in\n")
            assert hubbub("bridge", "net", "block", "bob", "--admin", admin).returncode == 0
            assert "blocked: bob" in hubbub("bridge", "net", "--admin", admin).stdout
            assert hubbub("bridge", "net", "unblock", "bob", "--admin", admin).returncode == 0
            assert "blocked" not in hubbub("bridge", "net", "--admin", admin).stdout
            assert hubbub("bridge", "net", "pause", "--admin", admin).returncode == 0
            await bob.next("QUIT")
            assert hubbub("bridge", "net", "--admin", admin).stdout.startswith("net: paused")
            assert hubbub("bridge", "net", "resume", "--admin", admin).returncode == 0
            await bob.next("JOIN")
            # A new version takes over: the old one has left before it comes.
            assert hubbub("reload", "--admin", admin).returncode == 0
            await bob.next("QUIT")
            await bob.next("JOIN")
            assert hubbub("bridge", "net", "--admin", admin).stdout.startswith("net: up")
            other = hubbub("bridge", "other", "pause", "--admin", admin)
            assert (other.returncode, other.stderr) == (1, "hubbub: there is no bridge 'other'\n")
            nobody = hubbub("bridge", "net", "block", "--admin", admin)
            assert (nobody.returncode, nobody.stderr) == (2, "hubbub: say whom to block\n")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            {"kind": "irc", "server": "nowhere"},
            "bridges.net: Object missing required field `rooms`",
        ),
        (
            {"kind": "irc", "server": "nowhere", "rooms": {"lobby": "#a"}},
            'bridges.net: server: expected "HOST:PORT" or "[IPv6]:PORT": found "nowhere"',
        ),
        (
            {"kind": "irc", "server": "a:1", "rooms": {"lobby": "lobby"}},
            "bridges.net: rooms: expected a channel as #name: lobby",
        ),
        (
            {"kind": "irc", "server": "a:1", "rooms": {"lobby": "#a"}, "nick": 3},
            "bridges.net.nick: Expected `str`, got `int`",
        ),
        (
            {"kind": "irc", "server": "a:1", "rooms": {"lobby": "#a"}, "nik": "x"},
            "bridges.net: Object contains unknown field `nik`",
        ),
        (
            {"kind": "icq", "server": "a:1", "rooms": {"lobby": "#a"}},
            "bridges.net.kind: Invalid value 'icq'",
        ),
    ],
)
def test_what_makes_no_sense_is_told_with_its_key(table: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=r"bridges\.net") as error:
        Config(bridges={"net": table})
    assert str(error.value) == told
