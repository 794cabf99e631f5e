"""Somebody with a client of XMPP in a room: says what a test wants, and notes what is heard."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable
from xml.etree.ElementTree import Element, SubElement

from hubbub.bridges.xmpp.muc import names as ns
from hubbub.bridges.xmpp.muc.compose import Composer
from hubbub.bridges.xmpp.muc.connection import Connection, connected
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.muc.stanzas import Message, Presence, read_message, read_presence
from hubbub.bridges.xmpp.proxy import ServerSettings
from tests.integration.bridges.xmpp.servers import PASSWORD, XmppServer

TIMEOUT_S = 15.0
_numbers = itertools.count(1)


def account(server: XmppServer, user: str, **more: object) -> XmppBridge:
    """The settings of somebody with an account."""
    where = ServerSettings(host="127.0.0.1", port=server.plain, ca=server.ca)
    jid = f"{user}@{server.domain}"
    more.setdefault("rooms", {"lobby": f"lobby@{server.rooms}"})
    return XmppBridge(jid=jid, password=PASSWORD, server=where, **more)  # type: ignore[arg-type]


class Guest:
    """Somebody in one room."""

    def __init__(self, connection: Connection, room: str, nick: str) -> None:
        self.connection, self.room, self.nick = connection, room, nick
        self.compose = Composer(connection.namespace)
        self.messages: list[Message] = []
        self.elements: list[Element] = []
        self.presences: list[Presence] = []
        self.news = asyncio.Event()

    def hear(self, stanza: Element) -> None:
        if stanza.tag.endswith("}message"):
            self.messages.append(read_message(stanza))
            self.elements.append(stanza)
        else:
            self.presences.append(read_presence(stanza))
        self.news.set()

    async def until(self, holds: Callable[[], object]) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while not holds():
                self.news.clear()
                await self.news.wait()

    async def join(self) -> None:
        self.connection.send(self.compose.join("", f"{self.room}/{self.nick}", "", ""))
        await self.until(lambda: any(110 in one.codes for one in self.presences))
        if any(201 in one.codes for one in self.presences):
            query = Element(f"{{{ns.MUC_OWNER}}}query")
            SubElement(query, f"{{{ns.FORM}}}x", {"type": "submit"})
            await self.connection.ask(self.room, query, "set")
        await self.until(lambda: any(one.subject is not None for one in self.messages))

    def say(self, text: str, lang: str = "", *, replaces: str = "", **more: str) -> str:
        id_ = f"guest-{next(_numbers)}"
        bodies = {lang: text, **more}
        self.connection.send(self.compose.say("", self.room, id_, bodies, replaces=replaces))
        return id_

    async def heard(self, text: str) -> Message:
        """The message that says this."""
        found: list[Message] = []

        def look() -> bool:
            found[:] = [one for one in self.messages if text in one.bodies.values()]
            return bool(found)

        try:
            await self.until(look)
        except TimeoutError:
            raise AssertionError(f"not heard: {text}: {self.messages[-5:]}") from None
        return found[0]

    def texts(self) -> list[tuple[str, str]]:
        """Who has said what, in order."""
        return [
            (one.sender.partition("/")[2], one.body()[0]) for one in self.messages if one.bodies
        ]


@contextlib.asynccontextmanager
async def guest(server: XmppServer, user: str, room: str, nick: str = "") -> AsyncIterator[Guest]:
    """Somebody who is in a room."""
    made: list[Guest] = []

    def hear(stanza: Element) -> None:
        if made:
            made[0].hear(stanza)

    async with connected(account(server, user), hear) as connection:
        made.append(Guest(connection, room, nick or user))
        await made[0].join()
        yield made[0]
