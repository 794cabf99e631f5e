"""Clients that people use, unmodified, with somebody of the web in one room: irssi, weechat, and
irc-framework, on which web clients stand."""

import asyncio
import contextlib
import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.bridges.house import Doors, doors
from tests.integration.bridges.terminal import Terminal
from tests.loops import on_each_loop

pytestmark = [pytest.mark.anyio, on_each_loop]

CLIENT = Path(__file__).parents[3] / "client"


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [one for one in programs if shutil.which(one) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


async def talk(both: Doors, terminal: Terminal, nick: str, actions: tuple[str, ...]) -> None:
    """Both directions, as a person sees them."""
    ada = await both.account("Ada")
    ear = await ada.listen("room:lobby")
    await terminal.type("héllo from a *terminal*")
    heard = (await ear.next("message"))["message"]
    assert (heard["nick"], heard["text"]) == (nick, r"héllo from a \*terminal\*")
    said = await ada.say(f"**welcome**, @{nick} – größe 👍")
    assert said["mentions"] == [heard["user"]]
    await terminal.shows(f"welcome, @{nick} – größe 👍", "Ada")
    await terminal.type("/me waves")
    message = (await ear.next("message"))["message"]
    while message["user"] != heard["user"]:
        message = (await ear.next("message"))["message"]
    assert (message["kind"], message["text"]) == ("action", "waves")
    await ada.say("dances", kind="action")
    await terminal.shows("Ada dances")
    await ada.call("edit", room="lobby", id=said["id"], text="welcome again")
    await terminal.shows("(edited) welcome again")
    await ada.say("sure", replyTo=heard["id"])
    await terminal.shows(f"{nick}: sure")
    owner = both.web.service.live.room("lobby").members[ada.user]
    owner.role = "owner"
    await ada.call("rooms.settings", room="lobby", topic="Tea and cake")
    await terminal.shows("Tea and cake")
    eve = await both.guest("Eve")
    await terminal.shows("Eve")
    await eve.client.disconnect()
    await terminal.shows("has quit")
    for action in actions:
        await terminal.type(action)


@needs("tmux", "irssi")
async def test_irssi(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        home = tmp_path / "irssi"
        home.mkdir()
        command = ["irssi", f"--home={home}", "-c", "127.0.0.1", "-p", str(both.port), "-n", "iris"]
        async with Terminal(tmp_path, command) as terminal:
            await terminal.shows("MOTD File is missing", "Act: 2")
            await terminal.type("/window goto #lobby")
            await terminal.shows("[#lobby", "Irssi: #lobby: Total of 1 nicks")
            await talk(both, terminal, "iris", ("/msg Ada only you", "/nick irisa"))
            await terminal.shows("irisa")
            members = {one.nick for one in both.web.service.live.room("lobby").members.values()}
            while "irisa" not in members:
                members = {one.nick for one in both.web.service.live.room("lobby").members.values()}
                await asyncio.sleep(0.05)
            (tmp_path / "screen.txt").write_text(await terminal.screen())
            await terminal.type("/quit bye")
        async with asyncio.timeout(10):
            while both.web.service.people.by_nick("irisa") is not None:
                await asyncio.sleep(0.05)


@needs("tmux", "weechat")
async def test_weechat(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        await both.web.sign_in("register", nick="wee", password="correct horse", langs=("en",))
        home = tmp_path / "weechat"
        commands = (
            f"/server add hub 127.0.0.1/{both.port}",
            "/set irc.server.hub.nicks somebody",
            "/set irc.server.hub.sasl_username wee",
            "/set irc.server.hub.sasl_password correct horse",
            "/set irc.look.server_buffer independent",
            "/connect hub",
        )
        command = ["weechat", "-d", str(home), *(part for one in commands for part in ("-r", one))]
        async with Terminal(tmp_path, command) as terminal:
            await terminal.shows("#lobby(+nt)", "wee", "1 nick")
            await talk(both, terminal, "wee", ("/part enough",))
            (tmp_path / "screen.txt").write_text(await terminal.screen())
            async with asyncio.timeout(10):
                while len(both.web.service.live.room("lobby").members) > 2:
                    await asyncio.sleep(0.05)
            await terminal.type("/quit bye")


class Page:
    """irc-framework in Node."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def do(self, *method: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(method).encode() + b"\n")

    async def told(self, kind: str, **wanted: Any) -> Any:
        """The next event of a kind that has all of this."""
        assert self._process.stdout is not None
        passed: list[Any] = []
        try:
            async with asyncio.timeout(15):
                while raw := await self._process.stdout.readline():
                    what, event = json.loads(raw)
                    if what == kind and wanted.items() <= event.items():
                        return event
                    passed.append((what, event))
        except TimeoutError:
            pass
        raise AssertionError(f"not told: {kind} {wanted}: {passed[-5:]}")


@contextlib.asynccontextmanager
async def page(both: Doors, protocol: str, nick: str) -> AsyncIterator[Page]:
    process = await asyncio.create_subprocess_exec(
        *("node", str(CLIENT / "tests/irc.mjs"), "127.0.0.1", str(both.web.server.port)),
        *("/irc", protocol, nick),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Page(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@needs("node")
@pytest.mark.skipif(
    not (CLIENT / "node_modules/irc-framework").is_dir(),
    reason="npm's irc-framework is not installed (make setup)",
)
@pytest.mark.parametrize("protocol", ["text.ircv3.net", ""])
async def test_irc_framework_by_websocket(tmp_path: Path, protocol: str) -> None:
    async with doors(tmp_path) as both:
        ada = await both.guest("Ada")
        ear = await ada.listen("room:lobby")
        async with page(both, protocol, "pia") as pia:
            caps = (await pia.told("registered", nick="pia"))["caps"]
            assert {"message-tags", "server-time", "echo-message", "away-notify"} <= set(caps)
            await pia.told("join", channel="#lobby", nick="pia")
            assert set((await pia.told("userlist"))["nicks"]) == {"Ada", "pia"}
            pia.do("say", "#lobby", "hi from a page")
            heard = (await ear.next("message"))["message"]
            assert (heard["nick"], heard["text"]) == ("pia", "hi from a page")
            assert (await pia.told("message", nick="pia"))["id"] == heard["id"]
            said = await ada.say("**hi** 👋")
            assert (await pia.told("message", nick="Ada"))["message"] == "\x02hi\x02 👋"
            pia.do("tagmsg", "#lobby", {"+draft/react": "🎉", "+draft/reply": said["id"]})
            assert (await ear.next("react"))["emoji"] == "🎉"
            await ada.call("react", room="lobby", id=heard["id"], emoji="👍", on=True)
            assert (await pia.told("tagmsg", nick="Ada"))["emoji"] == "👍"
            pia.do("join", "#tea")
            await pia.told("join", channel="#tea")
            pia.do("setTopic", "#tea", "leaves")
            await pia.told("topic", channel="#tea", topic="leaves")
            pia.do("quit", "bye")
            await pia.told("close")
