"""The example of a configuration with bridges, run as it stands but for addresses and passwords."""

import asyncio
import json
import sys
from pathlib import Path

import centrifuge
import pytest

from hubbub.testing.http import ask
from tests.authority import Authority
from tests.chaos.programs import free_port, program
from tests.integration.bridges.networks import Network
from tests.integration.bridges.xmpp.guest import guest
from tests.integration.bridges.xmpp.servers import PASSWORD, running
from tests.integration.chat.talker import Ear
from tests.serving import ROOT

pytestmark = pytest.mark.anyio

EXAMPLE = ROOT / "examples/bridges.toml"


async def test_it_bridges(tmp_path: Path, authority: Authority) -> None:
    text, port = EXAMPLE.read_text(), free_port()
    (tmp_path / "prosody").mkdir()
    certificate = authority.pair("localhost", "127.0.0.1")
    with running("prosody", tmp_path / "prosody", authority) as xmpp:
        async with Network("inspircd", tmp_path, certificate) as network:
            for before, after in (
                ("127.0.0.1:8000", f"127.0.0.1:{port}"),
                ("irc.example.org:6697", f"127.0.0.1:{network.tls_port}"),
                ('certificates = ""', f'certificates = "{authority.file}"'),
                ("hub@example.org", f"hub@{xmpp.domain}"),
                ('\npassword = "…"', f'\npassword = "{PASSWORD}"'),
                ("rooms.example.org", xmpp.rooms),
                ("xmpp.example.org", "127.0.0.1"),
                ("port = 5222", f"port = {xmpp.plain}"),
                ('ca = ""', f'ca = "{authority.file}"'),
                ("chat.sqlite3", str(tmp_path / "chat.sqlite3")),
            ):
                assert before in text
                text = text.replace(before, after)
            (tmp_path / "bridges.toml").write_text(text)
            serve = ("-m", "hubbub", "serve", "-c", str(tmp_path / "bridges.toml"))
            bob = await network.peer("bob", "#lobby")
            async with guest(xmpp, "alice", f"lobby@{xmpp.rooms}") as alice:
                async with program(sys.executable, *serve):
                    await bob.next("JOIN", "#lobby")
                    await alice.until(
                        lambda: any(one.sender.endswith("/hubbub") for one in alice.presences)
                    )
                    ear = await somebody(port)
                    bob.send("PRIVMSG #lobby :hello from irc")
                    await alice.heard("<bob·irc> hello from irc")
                    alice.say("hello from xmpp")
                    assert await bob.said("#lobby") == ("hubbub", "<alice·xmpp> hello from xmpp")
                    said = [(await ear.next("message"))["message"]["nick"] for _ in range(2)]
                    assert said == ["bob·irc", "alice·xmpp"]


async def somebody(port: int) -> Ear:
    """Somebody of the chat, who listens."""
    answer = None
    async with asyncio.timeout(20):
        while answer is None:
            try:
                body, fields = (
                    json.dumps({"nick": "Ada"}).encode(),
                    {"content-type": "application/json"},
                )
                answer = await ask("127.0.0.1", port, "POST", "/api/guest", fields, body)
            except OSError:
                await asyncio.sleep(0.05)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    client = centrifuge.Client(
        f"ws://127.0.0.1:{port}/connection/websocket", headers={"Cookie": cookie}
    )
    ear = Ear()
    await client.connect()
    await client.new_subscription("room:lobby", events=ear).subscribe()
    async with asyncio.timeout(20):
        await ear.subscribed.wait()
    return ear
