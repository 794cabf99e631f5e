"""Rooms on real servers: what is told of them, and what is said in them."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from hubbub.bridges.link.remote import (
    Acknowledged,
    Asked,
    Author,
    Came,
    Delivery,
    Edit,
    Edited,
    Opened,
    Quoted,
    React,
    ReactedWith,
    Rejected,
    Remote,
    Renamed,
    Retract,
    Retracted,
    Said,
    Say,
    SetTopic,
    Told,
    TopicSet,
    Went,
    What,
    Whisper,
)
from hubbub.bridges.xmpp.muc.remote import MucRemote
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.proxy import ServerSettings
from tests.integration.bridges.xmpp.guest import account, guest
from tests.integration.bridges.xmpp.servers import SECRET, XmppServer

pytestmark = pytest.mark.anyio

TIMEOUT_S = 20.0
ADA, BO = Author("u1", "Ada"), Author("u2", "Bo")
T = TypeVar("T")
_rooms = itertools.count(1)


class Bridge:
    """A remote, and what it has told."""

    def __init__(self, remote: Remote, room: str) -> None:
        self.remote, self.room = remote, room
        self.told: list[Told] = []
        self.numbers = itertools.count(1)
        self._news = asyncio.Event()

    def hear(self, event: Told) -> None:
        self.told.append(event)
        self._news.set()

    async def next(self, kind: type[T] | Any, holds: Callable[[T], object] = lambda _: True) -> T:
        """The first event of a kind for which something holds."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    for event in self.told:
                        if isinstance(event, kind) and holds(event):
                            return event
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"not told: {kind.__name__}: {self.told[-8:]}") from None

    async def deliver(self, what: What, author: Author = ADA) -> str:
        """Tells something, and waits until the room has it; returns its id there."""
        number = next(self.numbers)
        self.remote.deliver(Delivery(number, self.room, author, what))
        acknowledged = await self.next(Acknowledged, lambda one: one.number == number)
        return acknowledged.remote_id


@contextlib.asynccontextmanager
async def bridge(settings: XmppBridge, room: str) -> AsyncIterator[Bridge]:
    made = Bridge(MucRemote(settings), room)
    made.remote.join([room])
    running = asyncio.create_task(made.remote.run(made.hear))
    try:
        await made.next(Opened)
        yield made
    finally:
        running.cancel()
        await asyncio.wait([running])


def component(server: XmppServer) -> XmppBridge:
    where = ServerSettings(host="127.0.0.1", port=server.component, tls="none")
    rooms = {"lobby": f"lobby@{server.rooms}"}
    jid = f"bridge.{server.domain}"
    return XmppBridge(jid=jid, password=SECRET, server=where, rooms=rooms)


@pytest.fixture
def room(server: XmppServer) -> str:
    return f"tea{next(_rooms)}@{server.rooms}"


async def test_what_is_said_on_xmpp(server: XmppServer, room: str) -> None:
    async with guest(server, "alice", room) as alice, bridge(account(server, "hub"), room) as hub:
        opened = await hub.next(Opened)
        assert [one.name for one in opened.people] == ["alice"]
        alice.say("*salut* à _tous_", "fr", en="hi all")
        said = await hub.next(Said)
        assert (said.text, said.lang, said.kind) == ("**salut** à *tous*", "fr", "text")
        assert said.person == opened.people[0]
        assert said.remote_id
        first = alice.say("/me waves")
        action = await hub.next(Said, lambda one: one.kind == "action")
        assert action.text == "waves"
        alice.say("bows", replaces=first)
        edited = await hub.next(Edited)
        assert (edited.before, edited.text) == (action.remote_id, "bows")
        heard = await alice.heard("hi all")
        alice.connection.send(alice.compose.react("", room, "r1", heard.stanza_id, ["🎉", "👍"]))
        reacted = await hub.next(ReactedWith)
        assert (reacted.remote_id, set(reacted.emojis)) == (said.remote_id, {"🎉", "👍"})
        alice.connection.send(alice.compose.retract("", room, "r2", heard.stanza_id))
        assert (await hub.next(Retracted)).remote_id == said.remote_id
        answer = alice.compose.say("", room, "r3", {"en": "me too"})
        alice.compose.answers(answer, f"{room}/alice", heard.stanza_id, "alice: salut")
        alice.connection.send(answer)
        reply = await hub.next(Said, lambda one: one.reply_to)
        assert (reply.text, reply.reply_to) == ("me too", said.remote_id)
        alice.connection.send(alice.compose.topic("", room, "r4", "tea and cake"))
        assert (await hub.next(TopicSet)).topic == "tea and cake"
        to = f"{room}/hubbub"
        alice.connection.send(alice.compose.whisper("", to, {"en": "lang fr"}))
        asked = await hub.next(Asked)
        assert asked.text == "lang fr"
        original = ("hello *you*", "en")
        hub.remote.whisper(Whisper(asked.person.id, room, "bonjour *toi*", "fr", original))
        whispered = await alice.heard("bonjour _toi_")
        assert whispered.type == "chat"
        assert whispered.bodies == {"fr": "bonjour _toi_", "en": "hello _you_"}
        assert whispered.translated == {"fr"}
        assert whispered.body() == ("hello _you_", "en")


async def test_who_comes_and_goes(server: XmppServer, room: str) -> None:
    async with guest(server, "alice", room) as alice, bridge(account(server, "hub"), room) as hub:
        async with guest(server, "bob", room) as bob:
            came = await hub.next(Came)
            assert came.person.name == "bob"
            bob.connection.send(bob.compose.join("", f"{room}/robert", "", ""))
            renamed = await hub.next(Renamed)
            assert (renamed.before, renamed.person.name) == (came.person.id, "robert")
            alice.say("still here")
            await hub.next(Said)
        went = await hub.next(Went)
        assert (went.person, went.how) == (renamed.person.id, "part")
        assert len([one for one in hub.told if isinstance(one, Came)]) == 1


async def test_what_is_said_in_the_chat(server: XmppServer, room: str) -> None:
    async with guest(server, "alice", room) as alice, bridge(account(server, "hub"), room) as hub:
        id_ = await hub.deliver(Say("**héllo** <&> ~~no~~", "en"))
        heard = await alice.heard("<Ada> *héllo* <&> ~no~")
        assert heard.bodies.keys() == {"en"}
        await hub.deliver(Edit("better", Quoted(id_), "en"))
        corrected = await alice.heard("<Ada> better")
        assert corrected.replaces == heard.id
        await hub.deliver(Say("yes", "en", reply=Quoted(id_, "Ada", "**héllo**")), BO)
        reply = await alice.heard("> Ada: héllo\n<Bo> yes")
        assert (reply.replies_to, reply.body()[0]) == (heard.stanza_id or heard.id, "<Bo> yes")
        await hub.deliver(React("👍", Quoted(id_)))
        await hub.deliver(React("🎉", Quoted(id_)), BO)
        await hub.deliver(React("👍", Quoted(id_), on=False))
        await alice.until(lambda: len([m for m in alice.messages if m.reacts_to]) == 3)
        reactions = [one.reactions for one in alice.messages if one.reacts_to]
        assert [set(one) for one in reactions] == [{"👍"}, {"👍", "🎉"}, {"🎉"}]
        await hub.deliver(Retract(Quoted(id_)))
        await alice.until(lambda: any(one.retracts for one in alice.messages))
        await hub.deliver(Say("dances", kind="action"))
        await alice.heard("* Ada dances")
        assert not [one for one in hub.told if isinstance(one, Said | Came)]


async def test_a_nick_that_is_taken(server: XmppServer, room: str) -> None:
    async with guest(server, "alice", room, "hubbub") as alice:
        async with bridge(account(server, "hub"), room) as hub:
            await hub.deliver(Say("hi"))
            assert (await alice.heard("<Ada> hi")).sender == f"{room}/hubbub_"


async def test_puppets(server: XmppServer, room: str) -> None:
    async with guest(server, "alice", room) as alice, bridge(component(server), room) as hub:
        hub.remote.present(room, [ADA, BO])
        await alice.until(
            lambda: {"Ada", "Bo"} <= {one.sender.partition("/")[2] for one in alice.presences}
        )
        id_ = await hub.deliver(Say("hi from *Ada*"))
        assert (await alice.heard("hi from _Ada_")).sender == f"{room}/Ada"
        cy = Author("u3", "alice")
        await hub.deliver(Say("I am another alice"), cy)
        assert (await alice.heard("I am another alice")).sender == f"{room}/alice [web]"
        await hub.deliver(Edit("hi again", Quoted(id_)))
        assert (await alice.heard("hi again")).replaces
        await hub.deliver(React("👍", Quoted(id_)), BO)
        alice.say("hi puppets")
        assert (await hub.next(Said)).person.name == "alice"
        hub.remote.present(room, [BO])
        await alice.until(
            lambda: any(
                one.type == "unavailable" and one.sender == f"{room}/Ada" for one in alice.presences
            )
        )
        # Whether those who are no moderators may differs from server to server.
        hub.remote.deliver(Delivery(99, room, BO, SetTopic("cake")))
        answer = await hub.next(Rejected | Acknowledged, lambda one: one.number == 99)
        assert isinstance(answer, Acknowledged) or answer.reason == "forbidden"
        alice.say("done")
        await hub.next(Said, lambda one: one.text == "done")
        assert not [one for one in hub.told if isinstance(one, Came | Went)]
        assert len([one for one in hub.told if isinstance(one, Said)]) == 2


def test_a_server_starts_nothing_that_outlives_it(server: XmppServer) -> None:
    """Erlang's port mapper would stay; its other helpers end with who has started them."""
    assert server.process is not None
    home = f"HOME={server.folder}".encode()
    found = {read(path / "comm").strip() for path in started_with(home, but=server.process.pid)}
    assert b"epmd" not in found


def started_with(variable: bytes, *, but: int) -> list[Path]:
    """The processes that have this in their environment."""
    processes = (path for path in Path("/proc").glob("[0-9]*") if int(path.name) != but)
    return [path for path in processes if variable in read(path / "environ").split(b"\0")]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        # It has ended meanwhile.
        return b""
