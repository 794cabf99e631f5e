"""What can be said about a bridge to XMPP in `[app.config.bridges.NAME]` (pure)."""

from hubbub.bridges.link.settings import LinkSettings
from hubbub.bridges.xmpp.proxy.settings import ServerSettings
from hubbub.config import duration_s


class XmppBridge(LinkSettings, frozen=True, kw_only=True, tag="xmpp", tag_field="kind"):
    """An account, or a component, in rooms (XEP-0045)."""

    jid: str
    """The account, as "hubbub@example.org"; or the component, as "hubbub.example.org"."""

    password: str
    """The account's, or the component's secret."""

    server: ServerSettings = ServerSettings()
    """Where the server is. A component's connection is not secured: its server is on this
    machine."""

    nick: str = "hubbub"
    """What the bridge is called in rooms."""

    puppets: bool = True
    """Of a component: whether everybody of the chat is there under a name of their own."""

    puppets_limit: int = 500
    """How many of them may be in one room."""

    passwords: dict[str, str] = {}  # noqa: RUF012 - msgspec copies it
    """Passwords of rooms that need one."""

    archive: bool = True
    """Whether what was said meanwhile is learned from the archives of rooms (XEP-0313)."""

    archive_age: str = "24h"
    """How far back, when the bridge starts."""

    ping_interval_s: float = 60.0
    """How often it is made sure that we are still in a room (XEP-0410)."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        super().__post_init__()
        user, _, domain = self.jid.rpartition("@")
        if not domain or "/" in self.jid or (self.jid.startswith("@") and not user):
            raise ValueError(f"jid: expected hubbub@example.org, or a component: {self.jid}")
        for channel in self.rooms.values():
            name, _, service = channel.partition("@")
            if not name or not service or "/" in channel or channel != channel.lower():
                raise ValueError(f"rooms: expected the address of a room: {channel}")
        duration_s(self.archive_age)
        if not self.nick.strip():
            raise ValueError("nick: expected a name")
        if self.is_component and self.server.tls != "none":
            raise ValueError('server.tls: expected "none" for a component')
        if self.puppets_limit < 0 or self.ping_interval_s <= 0:
            raise ValueError("puppets_limit, ping_interval_s: expected numbers above 0")

    @property
    def is_component(self) -> bool:
        """Whether it is a component (XEP-0114)."""
        return "@" not in self.jid

    @property
    def domain(self) -> str:
        """The domain of the account, or the component itself."""
        return self.jid.rpartition("@")[2]

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the server."""
        host, port = self.server.address(self.domain)
        if self.is_component and not self.server.port:
            return host, 5347
        return host, port
