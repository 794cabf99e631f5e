"""New code for a chat that people are in: nobody notices."""

from pathlib import Path

import pytest

from hubbub.config import AppSettings
from hubbub.modules import Modules
from hubbub.server import Server, listen_settings
from hubbub.testing.server import TestServer
from tests.integration.chat.talker import House

pytestmark = pytest.mark.anyio


async def test_people_stay(tmp_path: Path) -> None:
    settings = {"database": str(tmp_path / "chat.sqlite3")}
    modules = Modules([AppSettings("hubbub.apps.chat:app", config=settings)], strict=True)
    server = Server(modules, [listen_settings(port=0)])
    async with server:
        chat = House(TestServer(server, []), None)
        ada, bob = await chat.guest("Ada"), await chat.guest("Bob")
        ear = await bob.listen("room:lobby")
        before = await ada.say("before")
        await modules.all[0].reload(5.0, 5.0)
        after = await ada.say("after")
        assert [(await ear.next("message"))["message"] for _ in range(2)] == [before, after]
        members = (await bob.call("members", room="lobby"))["members"]
        assert {(one["nick"], one["online"]) for one in members} == {("Ada", True), ("Bob", True)}
        for talker in chat.talkers:
            await talker.client.disconnect()
