"""How somebody comes in: WEBIRC, CAP, NICK, USER, PASS, SASL PLAIN, until 001.

No socket, no clock. Nothing but these is heard before. What is said then, `session` knows.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from hubbub.bridges.irc.front.capabilities import OFFERED, changed, listed
from hubbub.bridges.irc.front.events import Person
from hubbub.bridges.irc.front.face import Arrival, Chat, ChatRefused, Proof
from hubbub.bridges.irc.front.names import REALNAME_LIMIT, USER_LIMIT, FrontInfo, is_nick
from hubbub.bridges.irc.front.outbox import Outbox
from hubbub.bridges.irc.front.webirc import Gateway, address_told
from hubbub.bridges.irc.line import Line

_SASL_PIECE = 400
_SASL_LIMIT = 8 * _SASL_PIECE
_TOKENS_A_LINE = 13
_IDENT = re.compile(r"[^A-Za-z0-9._-]|^[-.~]+")


@dataclass(frozen=True)
class Entrance:
    """Where somebody comes in."""

    chat: Chat
    address: str
    """From where they come."""

    gateways: tuple[Gateway, ...]
    """Who may say that they come from elsewhere."""

    origin: object
    """Their session."""


class Registration:
    """One client that is coming in.

    Args:
        info: What the front says of itself.
        entrance: Where they come in.
        out: What the client is told by.
        welcome: Called with who they are, once they are in.
    """

    def __init__(
        self,
        info: FrontInfo,
        entrance: Entrance,
        out: Outbox,
        welcome: Callable[[Person], Awaitable[None]],
    ) -> None:
        self._info = info
        self._chat = entrance.chat
        self._entrance = entrance
        self._address = entrance.address
        self._out = out
        self._is_first = True
        self._welcome = welcome
        self._nick = ""
        self._user = ""
        self._password = ""
        self._is_negotiating = False
        self._version = 301
        self._sasl: str | None = None
        self._proof: Proof | None = None
        self._realname = ""

    @property
    def is_done(self) -> bool:
        """Whether they are in."""
        return self._out.nick != "*"

    async def receive(self, line: Line) -> bool:
        """Takes a line, if it is one of these; False: it is not."""
        is_first, self._is_first = self._is_first, False
        match line.command:
            case "WEBIRC" if is_first:
                # A stranger who calls himself a gateway is none, and is not told why.
                told = address_told(self._entrance.gateways, self._address, line.params)
                self._address = told or self._address
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
            case "WEBIRC":
                self._out.reply("462", "You may not reregister")
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
        elif self._proof is not None:
            self._out.reply("907", "You have already authenticated")
        elif self.is_done:
            self._out.reply("462", "Sign in before you come in")
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
        elif len(word) > _SASL_PIECE:
            self._sasl = None
            self._out.reply("905", "SASL message too long")
        elif len(self._sasl) > _SASL_LIMIT:
            self._sasl = None
            self._out.reply("904", "SASL authentication failed")
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
        proof = await self._sign_in(account, password) if authzid in ("", account) else None
        if proof is None:
            self._out.reply("904", "SASL authentication failed")
            return
        mask = f"{self._nick or '*'}!{self._user or '*'}@*"
        words = f"You are now logged in as {proof.account}"
        self._out.reply("900", mask, proof.account, words)
        self._out.reply("903", "SASL authentication successful")

    async def _sign_in(self, account: str, password: str) -> Proof | None:
        try:
            self._proof = await self._chat.sign_in(account, password, self._address)
        except ChatRefused:
            return None
        return self._proof

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
        if len(line.params) < 4 or not line.param(0) or not line.param(3):
            self._out.reply("461", "USER", "Not enough parameters")
            return
        self._user = _IDENT.sub("", line.param(0))[:USER_LIMIT] or "u"
        self._realname = line.param(3)[:REALNAME_LIMIT]
        await self._try()

    async def _try(self) -> None:
        if not (self._nick and self._user) or self._is_negotiating or self.is_done:
            return
        if self._proof is None and self._password:
            # "account:password", or the password of the account that is called like the nick.
            account, colon, password = self._password.partition(":")
            if not colon:
                account, password = self._nick, self._password
            self._password = ""
            if await self._sign_in(account, password) is None:
                self._out.reply("464", "Password incorrect")
                return
        try:
            person = await self._chat.enter(self._arrival(), self._entrance.origin)
        except ChatRefused as refused:
            taken = refused.why in ("nick-taken", "bad-nick")
            numeric = {"nick-taken": "433", "bad-nick": "432"}.get(refused.why, "465")
            self._out.reply(numeric, *([self._nick] if taken else []), refused.message)
            self._nick = "" if taken else self._nick
            return
        self._out.nick = person.nick
        self._greet(person)
        await self._welcome(person)

    def _arrival(self) -> Arrival:
        return Arrival(self._nick, self._user, self._realname, self._address, self._proof)

    def _greet(self, person: Person) -> None:
        out, info = self._out, self._info
        out.reply("001", f"Welcome to the {info.network} Network, {person.source}")
        out.reply("002", f"Your host is {info.server}, running version {info.version}")
        out.reply("003", f"This server was created {info.made}".rstrip())
        out.reply("004", info.server, info.version, "i", "bimnostv", "bov")
        tell_tokens(out, info)
        tell_crowd(out, self._chat)
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


def tell_crowd(out: Outbox, chat: Chat) -> None:
    """How many people and rooms there are (LUSERS)."""
    people, rooms, most = chat.crowd()
    out.reply("251", f"There are {people} users and 0 invisible on 1 servers")
    out.reply("252", "0", "operator(s) online")
    out.reply("253", "0", "unknown connection(s)")
    out.reply("254", str(rooms), "channels formed")
    out.reply("255", f"I have {people} clients and 0 servers")
    out.reply("265", str(people), str(most), f"Current local users {people}, max {most}")
    out.reply("266", str(people), str(most), f"Current global users {people}, max {most}")
