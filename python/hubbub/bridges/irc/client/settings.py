"""What can be said about a bridge to IRC in `[app.config.bridges.NAME]` (pure)."""

import re
from typing import Literal

from msgspec import Struct

from hubbub.bridges.link.settings import LinkSettings
from hubbub.config.bind import parse_tcp

_NICK = re.compile(r"[A-Za-z\[\]\\`_^{|}][A-Za-z0-9\[\]\\`_^{|}-]{0,31}")
_WORD = re.compile(r"[!-~]+")


class PuppetSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A connection of its own for each of the chat's people who is online."""

    suffix: str = ""
    """What stands behind their nicks, as "|web"."""

    limit: int = 100
    """How many at most; for the others, the bridge speaks."""

    accounts_only: bool = False
    """Whether guests of the chat have none."""

    webirc_password: str = ""
    """By which the network believes from where they come (WEBIRC); empty: they come from here."""

    webirc_gateway: str = "hubbub"
    """How the gateway calls itself."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        if not 1 <= self.limit <= 10_000:
            raise ValueError("limit: expected 1 to 10,000")
        if self.suffix and not _NICK.fullmatch(f"a{self.suffix}"):
            raise ValueError("suffix: expected characters of a nick")
        if not _WORD.fullmatch(self.webirc_gateway):
            raise ValueError("webirc_gateway: expected one word")


class IrcBridge(LinkSettings, frozen=True, kw_only=True, tag="irc", tag_field="kind"):
    """A bridge to a network of IRC."""

    server: str
    """Where it is: "HOST:PORT", usually port 6697."""

    tls: bool = True
    """Whether to speak TLS."""

    certificates: str = ""
    """A file with the certificates that are believed, in PEM; empty: the system's."""

    nick: str = "hubbub"
    """What the bridge is called there, if that is free."""

    username: str = "hubbub"
    """The part of its address before the host."""

    realname: str = "A bridge of Hubbub"
    """What it tells of itself: say whom to write to."""

    password: str = ""
    """The server's (PASS)."""

    sasl_user: str = ""
    """The account on the network; empty: none."""

    sasl_password: str = ""
    """Its password."""

    mode: Literal["relay", "puppets"] = "relay"
    """Whether the bridge speaks for all, or everybody has a connection of their own."""

    puppets: PuppetSettings = PuppetSettings()
    """What holds for these."""

    munge: bool = True
    """Whether an invisible character parts the nicks of the chat, so that nobody is highlighted by
    what they say themselves."""

    burst_lines: int = 5
    """How many lines may be sent at once."""

    lines_per_s: float = 0.5
    """How many lines a second beyond these, as the network allows."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        super().__post_init__()
        try:
            parse_tcp(self.server)
        except ValueError as error:
            raise ValueError(f"server: {error}") from None
        if not _NICK.fullmatch(self.nick):
            raise ValueError("nick: expected a nick of IRC")
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,10}", self.username):
            raise ValueError("username: expected up to 10 letters, digits and any of . _ -")
        for name in ("realname", "password", "sasl_user", "sasl_password"):
            if re.search(r"[\r\n\0]", getattr(self, name)):
                raise ValueError(f"{name}: expected one line")
        if self.sasl_user and not self.sasl_password:
            raise ValueError("sasl_password: needed with sasl_user")
        for channel in self.rooms.values():
            if not re.fullmatch(r"[#&+!][^\s,\x00-\x1f:]{1,63}", channel):
                raise ValueError(f"rooms: expected a channel as #name: {channel}")
        if self.burst_lines < 1 or self.lines_per_s <= 0:
            raise ValueError("burst_lines, lines_per_s: expected numbers above 0")
