"""How somebody comes in: CAP, NICK, USER, PASS, SASL PLAIN, until 001 (no socket, no clock).

Nothing but these is heard before. What is said then, `session` knows.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable

from hubbub.bridges.irc.front.capabilities import OFFERED, changed, listed
from hubbub.bridges.irc.front.face import Chat, ChatRefused, Person
from hubbub.bridges.irc.front.names import FrontInfo, is_nick
from hubbub.bridges.irc.front.outbox import Outbox
from hubbub.bridges.irc.line import Line

_SASL_PIECE = 400
_SASL_LIMIT = 8 * _SASL_PIECE
_TOKENS_A_LINE = 13


class Registration:
    """One client that is coming in.

    Args:
        info: What the front says of itself.
        chat: Who lets people in.
        out: What the client is told by.
        welcome: Called with who they are, once they are in.
    """

    def __init__(
        self,
        info: FrontInfo,
        chat: Chat,
        out: Outbox,
        welcome: Callable[[Person], Awaitable[None]],
    ) -> None:
        self._info = info
        self._chat = chat
        self._out = out
        self._welcome = welcome
        self._nick = ""
        self._user = ""
        self._password = ""
        self._is_negotiating = False
        self._version = 301
        self._sasl: str | None = None
        self._person: Person | None = None
        self.realname = ""

    @property
    def is_done(self) -> bool:
        """Whether they are in."""
        return self._out.nick != "*"

    async def receive(self, line: Line) -> bool:
        """Takes a line, if it is one of these; False: it is not."""
        match line.command:
            case "CAP":
                await self._cap(line)
            case "AUTHENTICATE":
                await self._authenticate(line.param(0))
            case "PASS" | "USER" if self.is_done:
                self._out.reply("462", "You may not reregister")
            case "PASS":
                self._password = line.param(0)
            case "USER":
                await self._set_user(line)
            case "NICK" if not self.is_done:
                await self._set_nick(line.param(0))
            case _:
                return False
        return True

    # CAP

    async def _cap(self, line: Line) -> None:
        subcommand = line.param(0).upper()
        match subcommand:
            case "LS":
                self._begin(line.param(1))
                self._list("LS", list(OFFERED))
            case "LIST":
                self._list("LIST", sorted(self._out.caps))
            case "REQ":
                self._is_negotiating = not self.is_done
                after = changed(self._out.caps, line.param(1))
                if after is not None:
                    self._out.caps = after
                    self._out.answer(self._cap_line("ACK", line.param(1)))
                else:
                    self._out.answer(self._cap_line("NAK", line.param(1)))
            case "END":
                self._is_negotiating = False
                await self._try()
            case _:
                self._out.reply("410", subcommand, "Invalid CAP subcommand")

    def _begin(self, version: str) -> None:
        self._is_negotiating = not self.is_done
        if version.isascii() and version.isdigit():
            self._version = max(self._version, int(version[:6]))
        if self._version >= 302:
            self._out.caps.add("cap-notify")

    def _list(self, kind: str, names: list[str]) -> None:
        *more, last = listed(names, values=kind == "LS" and self._version >= 302)
        for words in more:
            self._out.answer(self._cap_line(kind, "*", words))
        self._out.answer(self._cap_line(kind, last))

    def _cap_line(self, *params: str) -> Line:
        return Line("CAP", (self._out.nick, *params), self._out.server)

    # SASL

    async def _authenticate(self, word: str) -> None:
        if "sasl" not in self._out.caps:
            self._out.reply("904", "Ask for the capability first")
        elif self.is_done or self._person is not None:
            self._out.reply("907", "You have already authenticated")
        elif word == "*":
            self._sasl = None
            self._out.reply("906", "SASL authentication aborted")
        elif self._sasl is None:
            if word.upper() == "PLAIN":
                self._sasl = ""
                self._out.answer(Line("AUTHENTICATE", ("+",)))
            else:
                self._out.reply("908", "PLAIN", "are available SASL mechanisms")
                self._out.reply("904", "SASL authentication failed")
        elif len(word) > _SASL_PIECE or len(self._sasl) > _SASL_LIMIT:
            self._sasl = None
            self._out.reply("905", "SASL message too long")
        else:
            self._sasl += "" if word == "+" else word
            if len(word) < _SASL_PIECE:
                await self._check(self._sasl)

    async def _check(self, encoded: str) -> None:
        self._sasl = None
        try:
            decoded = base64.b64decode(encoded, validate=True).decode()
            authzid, account, password = decoded.split("\0")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            self._out.reply("904", "SASL authentication failed")
            return
        if authzid not in ("", account) or not await self._sign_in(account, password):
            self._out.reply("904", "SASL authentication failed")
            return
        assert self._person is not None  # noqa: S101 - signed in above
        nick = self._nick or "*"
        self._out.reply("900", f"{nick}!*@*", account, f"You are now logged in as {account}")
        self._out.reply("903", "SASL authentication successful")

    async def _sign_in(self, account: str, password: str) -> bool:
        try:
            self._person = await self._chat.sign_in(self._nick, account, password)
        except ChatRefused:
            return False
        return True

    # NICK, USER, and in

    async def _set_nick(self, nick: str) -> None:
        if not nick:
            self._out.reply("431", "No nickname given")
        elif not is_nick(nick):
            self._out.reply("432", nick, "Erroneous nickname")
        else:
            self._nick = nick
            await self._try()

    async def _set_user(self, line: Line) -> None:
        if len(line.params) < 4 or not line.param(0):
            self._out.reply("461", "USER", "Not enough parameters")
            return
        self._user = line.param(0)
        self.realname = line.param(3)
        await self._try()

    async def _try(self) -> None:
        if not (self._nick and self._user) or self._is_negotiating or self.is_done:
            return
        if self._person is None and self._password:
            # "account:password", or the password of the account that is called like the nick.
            account, colon, password = self._password.partition(":")
            if not colon:
                account, password = self._nick, self._password
            self._password = ""
            if not await self._sign_in(account, password):
                self._out.reply("464", "Password incorrect")
                return
        try:
            person = self._person or await self._chat.enter(self._nick)
        except ChatRefused as refused:
            taken = refused.why in ("nick-taken", "bad-nick")
            numeric = {"nick-taken": "433", "bad-nick": "432"}.get(refused.why, "465")
            self._out.reply(numeric, *([self._nick] if taken else []), refused.message)
            self._nick = "" if taken else self._nick
            return
        self._out.nick = person.nick
        self._greet(person)
        await self._welcome(person)

    def _greet(self, person: Person) -> None:
        out, info = self._out, self._info
        out.reply("001", f"Welcome to the {info.network} Network, {source_of(person)}")
        out.reply("002", f"Your host is {info.server}, running version {info.version}")
        out.reply("003", f"This server was created {info.made}".rstrip())
        out.reply("004", info.server, info.version, "iB", "biklmnost", "bkl")
        tell_tokens(out, info)
        out.reply("251", "There are people here, on 1 server")
        out.reply("255", "I have clients and 0 servers")
        tell_motd(out, info)


def tell_tokens(out: Outbox, info: FrontInfo) -> None:
    """005, as often as it takes."""
    tokens = info.tokens()
    for at in range(0, len(tokens), _TOKENS_A_LINE):
        out.reply("005", *tokens[at : at + _TOKENS_A_LINE], "are supported by this server")


def tell_motd(out: Outbox, info: FrontInfo) -> None:
    """The message of the day, or that there is none."""
    if not info.motd:
        out.reply("422", "MOTD File is missing")
        return
    out.reply("375", f"- {info.server} Message of the day -")
    for line in info.motd:
        out.reply("372", f"- {line}")
    out.reply("376", "End of /MOTD command.")


def source_of(person: Person) -> str:
    """Whose line it is. Where people are is theirs to know: hosts are made of their ids."""
    return f"{person.nick}!~u@{person.user}"
