"""A server that sends what no stream may hold, or nonsense: the bridge drops it, and comes back."""

import asyncio
import re

import pytest

from hubbub.bridges.link.remote import (
    Author,
    Came,
    Delivery,
    Down,
    Opened,
    Rejected,
    Said,
    Say,
    Sending,
    Shut,
    Told,
    Up,
)
from hubbub.bridges.xmpp.muc.remote import MucRemote
from hubbub.bridges.xmpp.muc.settings import XmppBridge
from hubbub.bridges.xmpp.proxy import ServerSettings
from tests.strangers import stranger
from tests.waiting import until

pytestmark = pytest.mark.anyio

ROOM = "tea@rooms.test"
HEADER = (
    b"<stream:stream xmlns='jabber:component:accept' from='bridge.test' id='1'"
    b" xmlns:stream='http://etherx.jabber.org/streams'><handshake/>"
)
BOMB = (
    b"<!DOCTYPE a [<!ENTITY a '"
    + b"x" * 1_000
    + b"'><!ENTITY b '"
    + b"&a;" * 1_000
    + b"'><!ENTITY c '"
    + b"&b;" * 1_000
    + b"'>]>"
)
ENDS = {
    "a bomb": BOMB + HEADER.replace(b"<handshake/>", b"<message><body>&c;</body></message>"),
    "a bomb within": HEADER + BOMB + b"<message><body>&c;</body></message>",
    "an entity": HEADER + b"<message><body>&c;</body></message>",
    "no XML": HEADER + b"HTTP/1.1 200 OK\r\n\r\n</a>",
    "no UTF-8": HEADER + b"<message><body>\xc0\x80</body></message>",
    "another encoding": b"<?xml version='1.0' encoding='ISO-8859-1'?>"
    + HEADER
    + b"<message><body>\xe9</body></message></stream:stream>",
    "half a pair": HEADER + b"<message><body>&#xD800;</body></message>",
    "a control": HEADER + b"<message><body>&#0;</body></message>",
    "its end": HEADER + b"</stream:stream>",
    "an error": HEADER
    + b"<stream:error><conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>",
}
NONSENSE = (
    f"<presence from='{ROOM}/a' to='bridge@bridge.test/hubbub'/>",
    f"<presence from='{ROOM}/a' type='error'/>",
    f"<presence from='{ROOM}' type='unavailable'/>",
    f"<message from='{ROOM}/a' to='bridge@bridge.test/hubbub' type='groupchat'><body/></message>",
    f"<message from='{ROOM}/a' to='bridge@bridge.test/hubbub' type='error'/>",
    f"<message from='{ROOM}/a' to='x@bridge.test' type='error'/>",
    "<message from='elsewhere@rooms.test/a' to='bridge@bridge.test/hubbub' type='groupchat'>"
    "<body>not from there</body></message>",
    f"<message from='{ROOM}/a'><result xmlns='urn:xmpp:mam:2' queryid='x'/></message>",
    "<message/>",
    "<presence/>",
    "<iq type='result' id='nobody asked'/>",
    "<iq type='get' id='1'><query xmlns='urn:x'/></iq>",
    "<unheard-of xmlns='urn:y'/>",
)


def settings(port: int) -> XmppBridge:
    return XmppBridge(
        jid="bridge.test",
        password="secret",
        rooms={"lobby": ROOM},
        server=ServerSettings(host="127.0.0.1", port=port, tls="none"),
    )


@pytest.mark.parametrize("said", ENDS.values(), ids=ENDS)
async def test_it_comes_back(said: bytes) -> None:
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b">")
        writer.write(said if connections == 1 else HEADER)
        await reader.read()

    told: list[Told] = []
    async with stranger(talk) as port:
        remote = MucRemote(settings(port))
        remote.join([ROOM])
        running = asyncio.create_task(remote.run(told.append))
        await until(lambda: connections >= 2 and told and told[-1] == Up(), within_s=20)
        assert not [one for one in told if not isinstance(one, Up | Down)]
        running.cancel()
        await asyncio.wait([running])


async def test_a_room_that_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is entered anew, and what it does not show even then is given up."""
    monkeypatch.setattr("hubbub.bridges.xmpp.muc.underway.SHOWN_S", 0.1)
    to = "bridge@bridge.test/hubbub"

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b">")
        writer.write(HEADER)
        while True:
            asked = (await reader.readuntil(b"disco#info")).decode()
            id_ = re.findall(r'<iq [^>]*id="([^"]+)"', asked)[-1]
            writer.write(f"<iq type='error' from='{ROOM}' to='{to}' id='{id_}'/>".encode())
            await reader.readuntil(b"<history ")
            writer.write(
                f"<presence from='{ROOM}/hubbub' to='{to}'>"
                "<x xmlns='http://jabber.org/protocol/muc#user'><status code='110'/></x>"
                f"</presence><message from='{ROOM}' to='{to}' type='groupchat'><subject/>"
                "</message>".encode()
            )

    told: list[Told] = []
    async with stranger(talk) as port:
        remote = MucRemote(settings(port))
        delivery = Delivery(7, ROOM, Author("", ""), Say("hello"))

        def hear(event: Told) -> None:
            told.append(event)
            if isinstance(event, Opened):
                remote.deliver(delivery)

        remote.join([ROOM])
        running = asyncio.create_task(remote.run(hear))
        await until(lambda: told and isinstance(told[-1], Rejected), within_s=20)
        assert [type(one) for one in told] == [Up, Opened, Sending, Shut, Opened, Sending, Rejected]
        running.cancel()
        await asyncio.wait([running])


async def test_nonsense_is_passed_over() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b">")
        writer.write(HEADER)
        asked = (await reader.readuntil(b"disco#info")).decode()
        id_ = re.findall(r'<iq [^>]*id="([^"]+)"', asked)[-1]
        to = "bridge@bridge.test/hubbub"
        writer.write(f"<iq type='error' from='{ROOM}' to='{to}' id='{id_}'/>".encode())
        await reader.readuntil(b"maxstanzas")
        for one in NONSENSE:
            writer.write(one.encode())
        writer.write(
            f"<presence from='{ROOM}/hubbub' to='{to}'><x xmlns='http://jabber.org/protocol/muc#user'>"
            "<item role='participant'/><status code='110'/><status code='nine'/></x></presence>"
            f"<message from='{ROOM}' to='{to}' type='groupchat'><subject/></message>"
            f"<message from='{ROOM}/a' to='{to}' type='groupchat'>"
            "<body>sense</body></message>".encode()
        )
        await reader.read()

    told: list[Told] = []
    async with stranger(talk) as port:
        remote = MucRemote(settings(port))
        remote.join([ROOM])
        running = asyncio.create_task(remote.run(told.append))
        await until(lambda: any(isinstance(one, Said) for one in told), within_s=20)
        assert [one.text for one in told if isinstance(one, Said)] == ["sense"]
        assert [one.people[0].name for one in told if isinstance(one, Opened)] == ["a"]
        assert not [one for one in told if isinstance(one, Came)]
        running.cancel()
        await asyncio.wait([running])
