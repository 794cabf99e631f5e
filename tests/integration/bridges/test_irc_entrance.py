"""Where IRC's clients come in: TLS with certificates that change, addresses that are in use."""

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from hubbub.bridges.irc.chat.entrance import Chain
from hubbub.bridges.irc.chat.settings import IrcSettings
from hubbub.config import AppSettings
from hubbub.errors import BadCertificate
from hubbub.modules import Modules
from hubbub.server import Server, listen_settings
from hubbub.testing.server import TestServer
from tests.authority import Authority
from tests.integration.bridges.house import Irc, doors
from tests.integration.chat.talker import House
from tests.loops import on_each_loop

pytestmark = [pytest.mark.anyio, on_each_loop]


async def test_by_tls(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.pair("localhost", "127.0.0.1")
    irc = {
        "bind": (),
        "tls_bind": ("127.0.0.1:0",),
        "certificate": str(certificate),
        "key": str(key),
    }
    ours = ssl.create_default_context(cafile=str(authority.file))
    async with doors(tmp_path, irc) as both:
        streams = await asyncio.open_connection("127.0.0.1", both.port, ssl=ours)
        bob = Irc(*streams)
        both.clients.append(bob)
        bob.send("NICK bob", "USER bob 0 * :bob")
        await bob.next("366", "#lobby")


async def test_a_new_certificate_is_taken_and_a_broken_one_is_not(
    tmp_path: Path, authority: Authority
) -> None:
    certificate, key = (Path(one) for one in authority.pair("localhost"))
    mine = tmp_path / "mine.pem", tmp_path / "mine.key"
    mine[0].write_bytes(certificate.read_bytes())
    mine[1].write_bytes(key.read_bytes())
    settings = IrcSettings(tls_bind=("127.0.0.1:0",), certificate=str(mine[0]), key=str(mine[1]))
    chain = Chain(settings)
    loaded: list[str] = []
    load = chain.context.load_cert_chain
    chain.context.load_cert_chain = lambda *files: (loaded.append("again"), load(*files))[1]  # type: ignore[method-assign]
    chain.look()
    assert loaded == []
    mine[0].write_text("nonsense")
    chain.look()
    assert loaded == []
    other, its_key = (Path(one) for one in authority.pair("example.org"))
    mine[0].write_bytes(other.read_bytes())
    mine[1].write_bytes(its_key.read_bytes())
    chain.look()
    assert loaded == ["again"]
    mine[0].unlink()
    with pytest.raises(BadCertificate):
        Chain(settings)


async def test_an_address_in_use_is_tried_again(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        irc = {"bind": ("127.0.0.1:0", f"127.0.0.1:{port}")}
        async with doors(tmp_path, irc) as both:
            front = both.web.service.app.state.irc
            assert len(front.addresses) == 1
            held.close()
            async with asyncio.timeout(10):
                while len(front.addresses) < 2:
                    await asyncio.sleep(0.02)
            assert front.addresses[1][1] == port


@pytest.mark.parametrize(
    "wrong",
    [
        {"bind": ("127.0.0.1",)},
        {"bind": ("127.0.0.1:99999",)},
        {"tls_bind": ("127.0.0.1:6697",)},
        {"server": "two words"},
        {"network": ""},
        {"websocket": "irc"},
        {"lines_per_s": 0},
        {"connection_limit": -1},
        {"address_connection_limit": -1},
        {"exempt_networks": ("nowhere",)},
    ],
)
async def test_settings_that_make_no_sense(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong)).partition("_")[0][:3]):
        IrcSettings(**wrong)  # type: ignore[arg-type]


async def test_new_code_for_a_chat_that_people_are_in(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    irc = {"enabled": True, "bind": [f"127.0.0.1:{port}"]}
    config = {"database": str(tmp_path / "chat.sqlite3"), "irc": irc}
    modules = Modules([AppSettings("hubbub.bridges.chat:app", config=config)], strict=True)
    server = Server(modules, [listen_settings(port=0)])

    async def connected() -> Irc:
        async with asyncio.timeout(10):
            while True:
                try:
                    bob = Irc(*await asyncio.open_connection("127.0.0.1", port))
                    break
                except OSError:
                    await asyncio.sleep(0.05)
        bob.send("NICK bob", "USER bob 0 * :bob")
        await bob.next("366", "#lobby")
        return bob

    async with server:
        web = House(TestServer(server, []), None)
        ada = await web.guest("Ada")
        ear = await ada.listen("room:lobby")
        before = await connected()
        await modules.all[0].reload(5.0, 5.0)
        await before.next("ERROR")
        after = await connected()
        await ada.say("still here")
        await after.next("PRIVMSG", "still here")
        after.send("PRIVMSG #lobby :so am I")
        while (heard := (await ear.next("message"))["message"])["nick"] != "bob":
            pass
        assert heard["text"] == "so am I"
        members = (await ada.call("members", room="lobby"))["members"]
        assert {(one["nick"], one["online"]) for one in members} == {("Ada", True), ("bob", True)}
        await after.quit()
        assert (await ear.next("part"))["user"] == heard["user"]
        before.writer.close()
        await ada.client.disconnect()
