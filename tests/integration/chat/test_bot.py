"""The bot of the examples answers whoever names it."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.integration.chat.talker import house

pytestmark = pytest.mark.anyio

BOT = Path(__file__).parents[3] / "examples" / "bot.py"


def test_it_is_short() -> None:
    lines = BOT.read_text().partition('"""\n\n')[2].splitlines()
    assert len([line for line in lines if line]) <= 30


async def test_it_answers(tmp_path: Path) -> None:
    async with house(tmp_path) as chat:
        ada = await chat.guest("Ada")
        ear = await ada.listen("room:lobby")
        bot = await asyncio.create_subprocess_exec(
            sys.executable, str(BOT), chat.server.url + "/", "Echo"
        )
        try:
            assert (await ear.next("member"))["nick"] == "Echo"
            while chat.service.hub.clients() and len(_hearing(chat.service)) < 2:
                await asyncio.sleep(0.05)
            asked = await ada.say("are you there, @echo?")
            answer = (await ear.next("message"))["message"]
            while answer["nick"] != "Echo":
                answer = (await ear.next("message"))["message"]
        finally:
            bot.kill()
            await bot.wait()
    assert answer["text"] == "Ada, you said: are you there, @echo?"
    assert (answer["kind"], answer["replyTo"]) == ("notice", asked["id"])


def _hearing(service: object) -> list[object]:
    clients = service.hub.clients()  # type: ignore[attr-defined]
    return [one for one in clients if "room:lobby" in one.subscriptions]
