"""A room of the chat is a room on a real server: what is said on one side is heard on the other."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import msgspec
import pytest

from hubbub.bridges.chat import Config, app
from hubbub.bridges.xmpp.muc import names as ns
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.muc.stanzas import Message
from hubbub.testing import serve
from tests.integration.bridges.house import LIMITS
from tests.integration.bridges.test_irc_link import moderate
from tests.integration.bridges.xmpp.guest import Guest, account, guest
from tests.integration.bridges.xmpp.servers import XmppServer
from tests.integration.bridges.xmpp.test_muc import component
from tests.integration.chat.talker import House
from tests.waiting import until

pytestmark = pytest.mark.anyio

CONTACTS = ("account", "component")


@pytest.fixture
def room(server: XmppServer, request: pytest.FixtureRequest) -> str:
    return f"{request.node.name.replace('[', '-').rstrip(']').replace('_', '-')}@{server.rooms}"


@contextlib.asynccontextmanager
async def joined(settings: XmppBridge, folder: Path, room: str) -> AsyncIterator[House]:
    """A chat whose lobby is a room there."""
    table = msgspec.to_builtins(msgspec.structs.replace(settings, rooms={"lobby": room}))
    config = Config(database=str(folder / "chat.sqlite3"), bridges={"jab": table}, limits=LIMITS)
    made = app(config)
    async with serve(made) as server:
        house = House(server, made.state.chat)
        try:
            await until(lambda: made.bridges["jab"].stats().channels == 1, within_s=20)
            yield house
        finally:
            for talker in house.talkers:
                await talker.client.disconnect()


def settings_of(server: XmppServer, contact: str) -> XmppBridge:
    return account(server, "hub") if contact == "account" else component(server)


def spoken(contact: str, nick: str, text: str) -> str:
    return f"<{nick}> {text}" if contact == "account" else text


async def message(ear: Any, text: str) -> dict[str, Any]:
    """The message of the chat that says this; nothing else may have been said."""
    found: dict[str, Any] = (await ear.next("message"))["message"]
    assert found["text"] == text
    return found


@pytest.mark.parametrize("contact", CONTACTS)
async def test_both_sides_talk(server: XmppServer, room: str, tmp_path: Path, contact: str) -> None:
    async with guest(server, "alice", room) as alice:
        async with joined(settings_of(server, contact), tmp_path, room) as house:
            ada = await house.guest("Ada", "en")
            ear = await ada.listen("room:lobby")
            said = await ada.say("**hello** there", lang="en")
            await message(ear, "**hello** there")
            heard = await alice.heard(spoken(contact, "Ada", "*hello* there"))
            assert heard.lang == "en"
            nick = "hubbub" if contact == "account" else "Ada"
            assert heard.sender == f"{room}/{nick}"
            alice.say("_bonjour_ Ada", "fr")
            told = await message(ear, "*bonjour* Ada")
            assert (told["nick"], told["lang"]) == ("alice·jab", "fr")
            await ada.say("fine", replyTo=told["id"])
            await message(ear, "fine")
            await alice.until(lambda: any(one.replies_to for one in alice.messages))
            first = alice.say("typo")
            told = await message(ear, "typo")
            alice.say("text", replaces=first)
            edited = await ear.next("edit")
            assert (edited["id"], edited["text"]) == (told["id"], "text")
            await ada.call("edit", room="lobby", id=said["id"], text="hello again")
            corrected = await alice.heard(spoken(contact, "Ada", "hello again"))
            assert corrected.replaces == heard.id
            await ada.call("react", room="lobby", id=told["id"], emoji="👍", on=True)
            await alice.until(lambda: any(one.reactions == ("👍",) for one in alice.messages))
            alice.connection.send(
                alice.compose.react("", room, "r1", heard.stanza_id or heard.id, ["🎉"])
            )
            while (event := await ear.next("react"))["emoji"] != "🎉":
                pass
            assert event["id"] == said["id"]
            alice.connection.send(alice.compose.topic("", room, "t1", "tea and cake"))
            assert (await ear.next("topic"))["topic"] == "tea and cake"


@pytest.mark.parametrize("contact", CONTACTS)
async def test_who_comes_and_goes(
    server: XmppServer, room: str, tmp_path: Path, contact: str
) -> None:
    async with guest(server, "alice", room) as alice:
        async with joined(settings_of(server, contact), tmp_path, room) as house:
            await house.guest("Ada", "en")

            def nicks() -> set[str]:
                members = house.service.live.room("lobby").members.values()
                people = house.service.people
                return {one.nick for one in members if people.is_online(one.user)}

            await until(lambda: nicks() == {"Ada", "alice·jab"}, within_s=10)
            async with guest(server, "bob", room) as bob:
                await until(lambda: "bob·jab" in nicks(), within_s=10)
                bob.connection.send(bob.compose.join("", f"{room}/Robert", "", ""))
                await until(lambda: "Robert·jab" in nicks(), within_s=10)
                await kick(alice, "Robert")
                await until(lambda: nicks() == {"Ada", "alice·jab"}, within_s=10)
            if contact == "component":
                here = lambda: {one.sender.partition("/")[2] for one in alice.presences}  # noqa: E731
                await alice.until(lambda: "Ada" in here())


async def kick(by: Guest, nick: str) -> None:
    query = Element(f"{{{ns.MUC_ADMIN}}}query")
    SubElement(query, f"{{{ns.MUC_ADMIN}}}item", {"nick": nick, "role": "none"})
    await by.connection.ask(by.room, query, "set")


@pytest.mark.parametrize("contact", CONTACTS)
async def test_what_was_edited_is_called_by_its_first_id(
    server: XmppServer, room: str, tmp_path: Path, contact: str
) -> None:
    async with guest(server, "alice", room) as alice:
        async with joined(settings_of(server, contact), tmp_path, room) as house:
            ada = await house.guest("Ada", "en")
            said = await ada.say("one", lang="en")
            first = await alice.heard(spoken(contact, "Ada", "one"))
            for text in ("two words", "three words now"):
                await ada.call("edit", room="lobby", id=said["id"], text=text)
                heard = await alice.heard(spoken(contact, "Ada", text))
                assert heard.replaces == first.id
            await ada.call("react", room="lobby", id=said["id"], emoji="👍", on=True)
            await ada.call("delete", room="lobby", id=said["id"])
            await ada.say("the end", lang="en")
            await alice.heard(spoken(contact, "Ada", "the end"))
            named = [one.reacts_to or one.retracts for one in alice.messages]
            name = first.stanza_id or first.id
            assert [one for one in named if one] == [name, name]


@pytest.mark.parametrize("contact", CONTACTS)
async def test_what_a_moderator_takes_away_is_taken_back_by_who_has_said_it(
    server: XmppServer, room: str, tmp_path: Path, contact: str
) -> None:
    async with guest(server, "alice", room) as alice:
        async with joined(settings_of(server, contact), tmp_path, room) as house:
            ada, bob, eve = [await house.guest(nick, "en") for nick in ("Ada", "Bob", "Eve")]
            moderate(house, ada)
            spam = await bob.say("spam", lang="en")
            heard = await alice.heard(spoken(contact, "Bob", "spam"))
            await ada.call("delete", room="lobby", id=spam["id"])
            assert await taken(alice, heard) == heard.sender
            # Who is not there any more comes for it, and goes.
            spam = await eve.say("more spam", lang="en")
            heard = await alice.heard(spoken(contact, "Eve", "more spam"))
            house.talkers.remove(eve)
            await eve.client.disconnect()
            if contact == "component":
                await alice.until(lambda: gone(alice, f"{room}/Eve", 1))
            await ada.call("delete", room="lobby", id=spam["id"])
            assert await taken(alice, heard) == heard.sender
            if contact == "component":
                await alice.until(lambda: gone(alice, f"{room}/Eve", 2))


async def taken(alice: Guest, heard: Message) -> str:
    """Who takes a message back."""
    name = heard.stanza_id or heard.id
    await alice.until(lambda: any(one.retracts == name for one in alice.messages))
    (sender,) = [one.sender for one in alice.messages if one.retracts == name]
    return sender


def gone(alice: Guest, sender: str, times: int) -> bool:
    """Whether somebody has left the room so often."""
    left = [one for one in alice.presences if one.type == "unavailable"]
    return [one.sender for one in left].count(sender) == times
