"""`Registration`: how a client becomes known to a server: capabilities, SASL, a nick (pure).

Lines in, lines out; nothing is sent and nothing waited for.
"""

import base64
from dataclasses import dataclass, field

from hubbub.bridges.irc.line import Line

WANTED = (
    *("message-tags", "server-time", "account-tag", "echo-message", "labeled-response", "batch"),
    *("multi-prefix", "userhost-in-names", "extended-join", "account-notify", "chghost"),
    *("standard-replies", "draft/message-redaction", "sasl"),
)
_PIECE = 400
_SASL_FAILED = {"902", "904", "905", "906", "908"}


class CannotRegister(Exception):
    """The server does not take us so; another attempt would end in the same way."""


@dataclass(frozen=True)
class Identity:
    """Who wants in."""

    nick: str
    username: str
    realname: str
    password: str = ""
    sasl_user: str = ""
    sasl_password: str = ""
    webirc: tuple[str, ...] = ()
    """The parameters of WEBIRC, if a gateway vouches for them."""


@dataclass
class Registration:
    """One connection's beginning.

    Attributes:
        caps: What was agreed.
        nick: What we are called; certain once `is_done`.
        is_done: Whether the server knows us.
    """

    identity: Identity
    caps: set[str] = field(default_factory=set[str])
    nick: str = ""
    is_done: bool = False
    _offered: dict[str, str] = field(default_factory=dict[str, str])
    _tries: int = 0
    _is_ended: bool = False

    def begin(self) -> list[Line]:
        """The first lines."""
        who = self.identity
        self.nick = who.nick
        lines = [Line("WEBIRC", who.webirc)] if who.webirc else []
        lines.append(Line("CAP", ("LS", "302")))
        if who.password:
            lines.append(Line("PASS", (who.password,)))
        user = Line("USER", (who.username, "0", "*", who.realname))
        return [*lines, Line("NICK", (self.nick,)), user]

    def hear(self, line: Line) -> list[Line]:
        """What a line is answered with.

        Raises:
            CannotRegister: There is no way in.
        """
        match line.command:
            case "CAP":
                return self._cap(line)
            case "AUTHENTICATE" if line.param(0) == "+":
                return self._proof()
            case "903" | "907":
                return self._end()
            case command if command in _SASL_FAILED:
                raise CannotRegister(f"SASL: {line.params[-1] if line.params else command}")
            case "432" | "433" | "436" | "437" if not self.is_done:
                return [self._another()]
            case "464" | "465" if not self.is_done:
                raise CannotRegister(line.params[-1] if line.params else line.command)
            case "001":
                if self.identity.sasl_user and not self._is_ended:
                    raise CannotRegister("the server does not speak SASL")
                self.is_done = True
                self.nick = line.param(0) or self.nick
            case _:
                pass
        return []

    def _cap(self, line: Line) -> list[Line]:
        verb = line.param(1).upper()
        named = line.params[-1].split() if len(line.params) > 2 else []
        if verb == "LS":
            for one in named:
                name, _, value = one.partition("=")
                self._offered[name] = value
            return [] if line.param(2) == "*" and len(line.params) > 3 else self._request()
        if verb == "NEW" or verb == "DEL":
            if verb == "DEL":
                self.caps.difference_update(named)
            return []
        if verb == "ACK":
            self.caps |= {one for one in named if not one.startswith("-")}
            if "sasl" in named and self.identity.sasl_user:
                return [Line("AUTHENTICATE", ("PLAIN",))]
            return self._end()
        return self._end() if verb == "NAK" else []

    def _request(self) -> list[Line]:
        who = self.identity
        wanted = [one for one in WANTED if one in self._offered and one != "sasl"]
        mechanisms = self._offered.get("sasl")
        if who.sasl_user and mechanisms is not None:
            if mechanisms and "PLAIN" not in mechanisms.split(","):
                raise CannotRegister(f"SASL: PLAIN is not offered: {mechanisms}")
            wanted.append("sasl")
        elif who.sasl_user:
            raise CannotRegister("the server does not offer SASL")
        return [Line("CAP", ("REQ", " ".join(wanted)))] if wanted else self._end()

    def _proof(self) -> list[Line]:
        who = self.identity
        plain = f"{who.sasl_user}\0{who.sasl_user}\0{who.sasl_password}".encode()
        written = base64.b64encode(plain).decode()
        pieces = [written[at : at + _PIECE] for at in range(0, len(written), _PIECE)]
        if len(pieces[-1]) == _PIECE:
            pieces.append("+")
        return [Line("AUTHENTICATE", (piece,)) for piece in pieces]

    def _end(self) -> list[Line]:
        if self._is_ended:
            return []
        self._is_ended = True
        return [Line("CAP", ("END",))]

    def _another(self) -> Line:
        """The nick is taken, or none: one like it."""
        self._tries += 1
        if self._tries > 20:
            raise CannotRegister("no nick is free")
        tail = "_" * self._tries if self._tries <= 3 else str(self._tries)
        # Nine characters are what every server bears.
        base = self.identity.nick if self._tries <= 2 else self.identity.nick[: 9 - len(tail)]
        self.nick = f"{base}{tail}"
        return Line("NICK", (self.nick,))
