"""One room on four networks and the web, with somebody at each place, and what each has heard."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

import msgspec

from hubbub.bridges.chat import Config, app
from hubbub.bridges.irc.chat.spelling import nick_of
from hubbub.bridges.xmpp.muc import names as ns
from hubbub.testing import serve
from tests.authority import Authority
from tests.integration.bridges.house import MANY
from tests.integration.bridges.networks import Network, Peer
from tests.integration.bridges.xmpp.guest import Guest, account, guest
from tests.integration.bridges.xmpp.servers import XmppServer, running
from tests.integration.bridges.xmpp.test_muc import component
from tests.integration.chat.talker import Ear, House, Talker
from tests.waiting import until

CHANNEL = "#lobby"
WITHIN_S = 20.0

Heard = list[tuple[str, str]]
"""Who has said what, as the chat calls them, in order."""


def _split(text: str) -> tuple[str, str]:
    """Who speaks through the bridge's own mouth, and what they say."""
    nick, _, words = text.replace("\u200b", "").removeprefix("<").partition("> ")
    return nick, words


class OnWeb:
    """Somebody with a browser."""

    def __init__(self, talker: Talker, ear: Ear) -> None:
        self.author = "Ada"
        self.talker, self.ear = talker, ear
        self._events: list[Any] = []

    async def say(self, text: str) -> None:
        await self.talker.say(text)

    def events(self) -> list[Any]:
        while not self.ear.heard.empty():
            self._events.append(self.ear.heard.get_nowait())
        return self._events

    def heard(self) -> Heard:
        messages = [one["message"] for one in self.events() if one["type"] == "message"]
        return [(one["nick"], one["text"]) for one in messages]

    def topics(self) -> list[str]:
        return [one["topic"] for one in self.events() if one["type"] == "topic"]


class OnIrc:
    """Somebody on a network of IRC, and a witness beside them: nobody hears themselves."""

    def __init__(self, label: str, speaker: Peer, witness: Peer, house: House) -> None:
        self.author = f"{speaker.nick}·{label}"
        self._label, self.speaker, self.witness, self._house = label, speaker, witness, house
        self._puppets: dict[str, str] = {}

    async def say(self, text: str) -> None:
        self.speaker.send(f"PRIVMSG {CHANNEL} :{text}")

    def heard(self) -> Heard:
        members = self._house.service.live.room("lobby").members.values()
        # Those who are called otherwise now have said something under the nick that they had.
        self._puppets |= {nick_of(one.nick, one.user): one.nick for one in members}
        found: Heard = []
        for line in self.witness.heard:
            if line.command != "PRIVMSG" or line.params[0] != CHANNEL:
                continue
            nick = line.source.partition("!")[0]
            if nick == "hubbub":
                found.append(_split(line.params[1]))
            else:
                found.append((self._puppets.get(nick, f"{nick}·{self._label}"), line.params[1]))
        return found

    def topics(self) -> list[str]:
        lines = [line for line in self.witness.heard if line.command == "TOPIC"]
        return [line.params[1] for line in lines]


class OnXmpp:
    """Somebody in a room on an XMPP server, which shows them what they say."""

    def __init__(self, label: str, one: Guest) -> None:
        self.author = f"{one.nick}·{label}"
        self._label, self.guest = label, one

    async def say(self, text: str) -> None:
        self.guest.say(text)

    def heard(self) -> Heard:
        found: Heard = []
        for nick, body in self.guest.texts():
            if nick == "hubbub":
                found.append(_split(body))
            else:
                is_web = nick == "Ada" or "·" in nick
                found.append((nick if is_web else f"{nick}·{self._label}", body))
        return found

    def topics(self) -> list[str]:
        return [one.subject for one in self.guest.messages if one.subject]


Place = OnWeb | OnIrc | OnXmpp


@dataclass
class Everywhere:
    """The room, from all sides."""

    house: House
    link: dict[str, Any]
    networks: dict[str, Network]
    servers: dict[str, XmppServer]
    places: dict[str, Place]

    def nicks(self) -> set[str]:
        """Who is in the room and online, as the chat sees it."""
        people = self.house.service.people
        members = self.house.service.live.room("lobby").members.values()
        return {one.nick for one in members if people.is_online(one.user)}

    async def everybody_heard(self, author: str, text: str) -> None:
        """Waits until a message is at all places."""
        try:
            await until(
                lambda: all((author, text) in one.heard() for one in self.places.values()),
                within_s=WITHIN_S,
            )
        except TimeoutError:
            last = {place: one.heard()[-2:] for place, one in self.places.items()}
            raise AssertionError(f"not everywhere: {author}: {text}: {last}") from None

    async def said(self, place: str, text: str) -> None:
        """Somebody says something, and everybody has heard it."""
        one = self.places[place]
        await one.say(text)
        await self.everybody_heard(one.author, text)


async def lets_all_set_the_topic(one: Guest) -> None:
    """A room's owner lets everybody say what it is about."""
    query = Element(f"{{{ns.MUC_OWNER}}}query")
    form = SubElement(query, f"{{{ns.FORM}}}x", {"type": "submit"})
    for name, value in (
        ("FORM_TYPE", "http://jabber.org/protocol/muc#roomconfig"),
        ("muc#roomconfig_changesubject", "1"),
    ):
        field = SubElement(form, f"{{{ns.FORM}}}field", {"var": name})
        SubElement(field, f"{{{ns.FORM}}}value").text = value
    await one.connection.ask(one.room, query, "set")


@contextlib.asynccontextmanager
async def everywhere(folder: Path, authority: Authority) -> AsyncIterator[Everywhere]:
    """A lobby that is a channel of ngircd (the bridge speaks for all) and of inspircd (everybody
    has a connection), and a room of prosody (by a component) and of ejabberd (by an account)."""
    async with contextlib.AsyncExitStack() as stack:
        networks: dict[str, Network] = {}
        for label, kind in (("ng", "ngircd"), ("insp", "inspircd")):
            networks[label] = await stack.enter_async_context(Network(kind, folder))
        servers: dict[str, XmppServer] = {}
        for label, kind in (("pro", "prosody"), ("ejab", "ejabberd")):
            (folder / kind).mkdir()
            servers[label] = stack.enter_context(running(kind, folder / kind, authority))
        guests: dict[str, Guest] = {}
        peers: dict[str, tuple[Peer, Peer]] = {}
        for label, one in networks.items():
            witness = await one.peer(f"{label}witness", CHANNEL)
            witness.send(f"MODE {CHANNEL} -t")
            peers[label] = (await one.peer({"ng": "nan", "insp": "ina"}[label], CHANNEL), witness)
        for label, server in servers.items():
            nick = {"pro": "pia", "ejab": "eda"}[label]
            room = f"lobby@{server.rooms}"
            guests[label] = await stack.enter_async_context(guest(server, "alice", room, nick))
            await lets_all_set_the_topic(guests[label])
        made = app(
            Config(
                database=str(folder / "chat.sqlite3"),
                limits=MANY,
                bridges=tables(networks, servers),
                owners=("Ada",),
            )
        )
        house = House(await stack.enter_async_context(serve(made)), made.state.chat)
        try:
            links: dict[str, Any] = dict(made.bridges)
            await until(
                lambda: all(one.stats().channels == 1 for one in links.values()), within_s=WITHIN_S
            )
            ada = await house.account("Ada")
            places: dict[str, Place] = {"web": OnWeb(ada, await ada.listen("room:lobby"))}
            for label, (speaker, witness) in peers.items():
                places[label] = OnIrc(label, speaker, witness, house)
            for label, one_guest in guests.items():
                places[label] = OnXmpp(label, one_guest)
            yield Everywhere(house, links, networks, servers, places)
        finally:
            for talker in house.talkers:
                await talker.client.disconnect()


def tables(
    networks: dict[str, Network], servers: dict[str, XmppServer]
) -> dict[str, dict[str, Any]]:
    """The bridges, each of another kind."""
    found: dict[str, dict[str, Any]] = {}
    for label, network in networks.items():
        found[label] = {
            "kind": "irc",
            "server": f"127.0.0.1:{network.port}",
            "tls": False,
            "rooms": {"lobby": CHANNEL},
            "burst_lines": 1000,
            "lines_per_s": 1000.0,
        }
    found["insp"]["mode"] = "puppets"
    found["pro"] = msgspec.to_builtins(component(servers["pro"]))
    found["ejab"] = msgspec.to_builtins(account(servers["ejab"], "hub"))
    return found
