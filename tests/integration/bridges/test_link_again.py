"""A process is killed between two steps of a bridge, and what the remote tells again is known."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest

from hubbub.apps.chat import ChatService, Config, Limits, app
from hubbub.apps.chat.message import Message
from hubbub.bridges.link import remote as net
from hubbub.bridges.link.incoming import VISITOR_LIMIT
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.link import Link
from hubbub.bridges.link.settings import LinkSettings
from hubbub.testing import serve
from tests.integration.bridges.house import LIMITS
from tests.integration.chat.talker import House
from tests.waiting import until

pytestmark = pytest.mark.anyio

CHANNEL = "#a"
ADA, BOB = net.Person("ada", "ada"), net.Person("bob", "bob")


class Scripted:
    """A network that tells what a test has it tell."""

    mark = "mark"
    remembers = True

    def __init__(self) -> None:
        self.tell: Callable[[net.Told], None] = lambda _: None
        self.delivered: list[net.Delivery] = []
        self.acknowledges = False

    async def run(self, tell: Callable[[net.Told], None]) -> None:
        self.tell = tell
        tell(net.Up())
        tell(net.Opened(CHANNEL, (ADA,)))
        await asyncio.Event().wait()

    def join(self, channels: Sequence[str]) -> None:
        assert list(channels) == [CHANNEL]

    def deliver(self, delivery: net.Delivery) -> None:
        self.delivered.append(delivery)
        if self.acknowledges:
            told = net.Acknowledged(delivery.number, f"id{len(self.delivered)}")
            asyncio.get_running_loop().call_soon(self.tell, told)

    def present(self, channel: str, authors: Sequence[net.Author]) -> None:
        pass

    def whisper(self, whisper: net.Whisper) -> None:
        pass


@contextlib.asynccontextmanager
async def linked(chat: ChatService, ledger: Ledger) -> AsyncIterator[Scripted]:
    remote = Scripted()
    link = Link(chat, "net", LinkSettings(rooms={"lobby": CHANNEL}), remote, ledger)
    running = asyncio.create_task(link.run())
    await until(lambda: link.state == "up")
    yield remote
    running.cancel()
    await asyncio.wait([running])


def messages(chat: ChatService) -> list[Message]:
    return chat.store.here.after("lobby", 0, 1000)


def texts(chat: ChatService) -> list[str]:
    return [message.text for message in messages(chat)]


async def test_nobody_of_the_web_looks_like_somebody_of_the_remote(tmp_path: Path) -> None:
    made = app(Config(database=str(tmp_path / "chat.sqlite3"), limits=LIMITS))
    async with serve(made) as server, Ledger(tmp_path / "bridges.sqlite3").opened() as ledger:
        async with linked(made.state.chat, ledger):
            for nick in ("eve·net", "Eve·NET", "eve·n\u0435t"):
                answer = await server.post("/api/guest", json={"nick": nick})
                assert answer.status == 409, nick
            for nick in ("eve", "eve·nets", "eve-net"):
                answer = await server.post("/api/guest", json={"nick": nick})
                assert answer.status == 200, nick
            await until(lambda: made.state.chat.people.by_nick("ada·net") is not None)


@pytest.mark.parametrize("is_heard", [True, False], ids=["heard", "not heard"])
async def test_what_was_said_is_not_said_again_by_somebody_who_is_new(
    tmp_path: Path, is_heard: bool
) -> None:
    path = tmp_path / "bridges.sqlite3"
    made = app(Config(database=str(tmp_path / "chat.sqlite3"), limits=LIMITS))
    async with serve(made):
        chat: ChatService = made.state.chat
        async with Ledger(path).opened() as ledger, linked(chat, ledger) as remote:
            remote.tell(net.Said(CHANNEL, ADA, "hello", "id1"))
            await until(lambda: texts(chat) == ["hello"])
            if not is_heard:
                # As if the process had been killed before the bridge was told of the message.
                await until(lambda: bool(ledger.message("net", CHANNEL, "id1")))
                ledger.db.execute("delete from names")
                ledger.db.execute("update cursors set seq = 0")
            # Who was who is forgotten, too: whoever tells it again is somebody new.
            ledger.db.execute("delete from people")
        async with Ledger(path).opened() as ledger, linked(chat, ledger) as remote:
            remote.tell(net.Said(CHANNEL, ADA, "hello", "id1", is_past=True))
            remote.tell(net.Said(CHANNEL, ADA, "and more", "id2"))
            await until(lambda: "and more" in texts(chat))
            assert texts(chat) == ["hello", "and more"]
            assert remote.delivered == [], "nobody of the chat has said anything"


async def test_what_the_remote_takes_away(tmp_path: Path) -> None:
    made = app(Config(database=str(tmp_path / "chat.sqlite3"), limits=LIMITS))
    async with serve(made), Ledger(tmp_path / "bridges.sqlite3").opened() as ledger:
        chat: ChatService = made.state.chat
        async with linked(chat, ledger) as remote:
            eve = net.Person("eve", "eve")
            for number in range(4):
                remote.tell(net.Said(CHANNEL, ADA, f"no {number}", f"id{number}"))
            await until(lambda: len(texts(chat)) == 4)
            # Another's claim, the moderators', that of one who rules there, one's own.
            remote.tell(net.Retracted(CHANNEL, eve, "id0"))
            remote.tell(net.Retracted(CHANNEL, None, "id1", is_vouched=True))
            remote.tell(net.Retracted(CHANNEL, eve, "id2", is_vouched=True))
            remote.tell(net.Retracted(CHANNEL, ADA, "id3"))
            remote.tell(net.Said(CHANNEL, ADA, "the end", "id4"))
            await until(lambda: "the end" in texts(chat))
            assert texts(chat) == ["no 0", "", "", "", "the end"]


async def test_what_was_edited_keeps_its_first_name(tmp_path: Path) -> None:
    made = app(Config(database=str(tmp_path / "chat.sqlite3"), limits=LIMITS))
    async with serve(made) as server, Ledger(tmp_path / "bridges.sqlite3").opened() as ledger:
        chat: ChatService = made.state.chat
        house = House(server, chat)
        async with linked(chat, ledger) as remote:
            remote.acknowledges = True
            ada = await house.guest("Ada")
            said = await ada.say("one")
            for text in ("two", "three"):
                await ada.call("edit", room="lobby", id=said["id"], text=text)
            await ada.say("yes", replyTo=said["id"])
            await ada.call("react", room="lobby", id=said["id"], emoji="👍", on=True)
            await until(lambda: len(remote.delivered) == 5)
            # By whatever name people there mean it, it is the same message.
            for name in ("id1", "id2", "id3"):
                remote.tell(net.Said(CHANNEL, ADA, f"no {name}", f"ada-{name}", reply_to=name))
            await until(lambda: "no id3" in texts(chat))
            answers = messages(chat)[-3:]
            assert [one.reply_to for one in answers] == [said["id"]] * 3
            await ada.call("delete", room="lobby", id=said["id"])
            await until(lambda: len(remote.delivered) == 6)
            edits = [one.what for one in remote.delivered if isinstance(one.what, net.Edit)]
            assert [one.before.names for one in edits] == [("id1",), ("id1", "id2")]
            (reply,) = [
                one.what.reply for one in remote.delivered[1:] if isinstance(one.what, net.Say)
            ]
            assert reply is not None
            assert reply.remote_id == "id1"
            reaction, retraction = (one.what for one in remote.delivered[4:])
            assert isinstance(reaction, net.React)
            assert reaction.to.remote_id == "id1"
            assert isinstance(retraction, net.Retract)
            assert retraction.before.names == ("id1", "id2", "id3")
        await ada.client.disconnect()


async def test_who_was_too_quick_takes_back_and_likes_when_it_is_their_turn(tmp_path: Path) -> None:
    slow = Limits(messages_per_user=(4, 5), actions_per_user=(20, 100))
    made = app(Config(database=str(tmp_path / "chat.sqlite3"), limits=slow))
    async with serve(made), Ledger(tmp_path / "bridges.sqlite3").opened() as ledger:
        chat: ChatService = made.state.chat
        async with linked(chat, ledger) as remote:
            for number in range(6):
                remote.tell(net.Said(CHANNEL, ADA, f"no {number}", f"id{number}"))
            remote.tell(net.Retracted(CHANNEL, ADA, "id5", is_vouched=True))
            remote.tell(net.Reacted(CHANNEL, ADA, "id4", "👍"))
            await until(lambda: any(one.reactions for one in messages(chat)), within_s=20)
            assert texts(chat) == [*(f"no {number}" for number in range(5)), ""]


async def test_much_of_the_past_keeps_nobody_waiting_and_is_held_to_nobody(tmp_path: Path) -> None:
    # A person has but five messages and twelve actions for a whole day.
    slow = Limits(messages_per_user=(1e-5, 5), actions_per_user=(1e-5, 12))
    made = app(Config(database=str(tmp_path / "chat.sqlite3"), limits=slow))
    async with serve(made), Ledger(tmp_path / "bridges.sqlite3").opened() as ledger:
        chat: ChatService = made.state.chat
        async with linked(chat, ledger) as remote:
            past = [f"past {number}" for number in range(VISITOR_LIMIT + 20)]
            for text in past:
                remote.tell(net.Said(CHANNEL, ADA, text, text, is_past=True))
            live = [f"live {number}" for number in range(5)]
            for text in live:
                remote.tell(net.Said(CHANNEL, ADA, text, text))
            await until(lambda: "live 4" in texts(chat), within_s=20)
            assert texts(chat) == [*past, *live]
            remote.tell(net.Said(CHANNEL, BOB, "hello", "hello"))
            remote.tell(net.Said(CHANNEL, ADA, "too much", "too much"))
            await until(lambda: "hello" in texts(chat), within_s=20)
            assert "too much" not in texts(chat)
