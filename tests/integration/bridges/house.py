"""A chat with both doors open: people of the web, and clients of IRC by TCP."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from hubbub.apps.chat import Limits
from hubbub.bridges.chat import Config, app
from hubbub.bridges.irc.chat import IrcSettings
from hubbub.bridges.irc.line import Line, parse
from hubbub.testing import serve
from tests.integration.chat.talker import House, Talker

TIMEOUT_S = 10.0
MANY = Limits(**dict.fromkeys(Limits.__struct_fields__, (10_000.0, 100_000.0)))
LIMITS = Limits(sign_ins_per_address=(1000, 1000), rooms_per_user=(1000, 1000))
EVERYTHING = (
    *("account-notify", "account-tag", "away-notify", "batch", "draft/chathistory"),
    *("draft/message-redaction", "echo-message", "extended-join", "invite-notify"),
    *("labeled-response", "message-tags", "server-time", "standard-replies"),
)


class Irc:
    """A client of IRC that reads line by line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.passed: list[Line] = []

    def send(self, *lines: str) -> None:
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def next(self, command: str, *params: str) -> Line:
        """The next line with this command and, among its parameters, all of these."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while raw := await self.reader.readline():
                    line = parse(raw)
                    if line.command == command and all(one in line.params for one in params):
                        return line
                    self.passed.append(line)
        except TimeoutError:
            pass
        raise AssertionError(f"no {command} {params}: {self.passed[-5:]}")

    async def until_pong(self) -> list[Line]:
        """Whatever has come before the answer to a ping of ours."""
        self.passed = []
        self.send("PING :here")
        await self.next("PONG", "here")
        return self.passed

    async def quit(self) -> None:
        self.send("QUIT :bye")
        await self.next("ERROR")
        self.writer.close()


class Doors:
    """A chat with both its doors."""

    def __init__(self, web: House, port: int, clients: list[Irc]) -> None:
        self.web, self.port, self.clients = web, port, clients

    async def guest(self, nick: str, *langs: str) -> Talker:
        return await self.web.guest(nick, *langs)

    async def account(self, nick: str) -> Talker:
        return await self.web.account(nick)

    async def connect(self) -> Irc:
        irc = Irc(*await asyncio.open_connection("127.0.0.1", self.port))
        self.clients.append(irc)
        return irc

    async def registering(self, nick: str, password: str = "") -> Irc:
        """Somebody who has said all but CAP END."""
        irc = await self.connect()
        irc.send("CAP LS 302", f"NICK {nick}", f"USER {nick} 0 * :{nick} of IRC")
        if password:
            irc.send("CAP REQ :sasl", "AUTHENTICATE PLAIN")
            await irc.next("AUTHENTICATE", "+")
            proof = base64.b64encode(f"\0{nick}\0{password}".encode()).decode()
            irc.send(f"AUTHENTICATE {proof}")
            await irc.next("903")
        return irc

    async def irc(self, nick: str, *caps: str, password: str = "") -> Irc:
        """Somebody who is in, and in the lobby."""
        irc = await self.registering(nick, password)
        if caps:
            irc.send(f"CAP REQ :{' '.join(caps)}")
        irc.send("CAP END")
        await irc.next("001")
        await irc.next("366", "#lobby")
        return irc


@contextlib.asynccontextmanager
async def doors(
    folder: Path, irc: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[Doors]:
    """A chat, served, with a lobby."""
    chosen = IrcSettings(enabled=True, **{"bind": ("127.0.0.1:0",), **(irc or {})})
    settings.setdefault("limits", LIMITS)
    made = app(Config(database=str(folder / "chat.sqlite3"), irc=chosen, **settings))
    clients: list[Irc] = []
    try:
        async with serve(made) as server:
            web = House(server, made.state.chat)
            try:
                yield Doors(web, made.state.irc.addresses[0][1], clients)
            finally:
                for talker in web.talkers:
                    await talker.client.disconnect()
    finally:
        for one in clients:
            one.writer.transport.abort()
