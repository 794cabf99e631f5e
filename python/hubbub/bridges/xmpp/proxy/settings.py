"""What can be said about the proxy in `[app.config]` or `[app.config.xmpp.proxy]` (pure)."""

import ipaddress
from typing import Literal

from msgspec import Struct

from hubbub.bridges.xmpp.proxy.session import domain_of


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The server of one domain."""

    host: str = ""
    """Where it is, a name or an address; empty: the domain itself."""

    port: int = 0
    """0: 5222, and with `tls = "direct"` 5223."""

    tls: Literal["starttls", "direct", "none"] = "starttls"
    """How the connection is secured; "none" only with a server on this machine."""

    ca: str = ""
    """A file of certificates, in PEM, that may sign the server's; empty: whom the system trusts."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        if not 0 <= self.port <= 65_535:
            raise ValueError(f"port: expected 0 to 65535: {self.port}")
        if self.tls == "none" and not _is_here(self.host):
            raise ValueError('tls: "none" only with a host on this machine, such as "127.0.0.1"')
        if self.tls == "none" and self.ca:
            raise ValueError('ca: needs another tls than "none"')

    def address(self, domain: str) -> tuple[str, int]:
        """Host and port of the server of a domain."""
        return self.host or domain, self.port or (5223 if self.tls == "direct" else 5222)


class ProxySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How browser clients of XMPP come in, and where they may go."""

    servers: dict[str, ServerSettings] = {}
    """The servers that can be reached, by their domains; no others can."""

    path: str = "/xmpp-websocket"
    """Where WebSockets are accepted, below where the app is mounted."""

    url: str = ""
    """What host-meta names; empty: `path` on the host that was asked."""

    host_meta: bool = True
    """Whether `/.well-known/host-meta` tells clients where to connect."""

    origins: tuple[str, ...] = ()
    """Pages of which other origins may connect; "*": of any."""

    frame_limit_bytes: int = 262_144
    """How long one element of a browser's may be."""

    stanza_limit_bytes: int = 1_048_576
    """How long one element of a server's may be."""

    streams_per_address: int = 20
    """How many may be open from one address: the servers see only ours."""

    open_s: float = 10.0
    """When somebody who has connected must have opened a stream."""

    connect_s: float = 15.0
    """How long a server may take to answer and to secure the connection."""

    close_s: float = 5.0
    """How long a server may take to close."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        for domain in self.servers:
            if not domain or domain != domain_of(domain):
                raise ValueError(f'servers: expected a domain in small letters: "{domain}"')
        if not self.path.startswith("/"):
            raise ValueError('path: expected one like "/xmpp-websocket"')
        if self.url and not self.url.startswith(("wss://", "ws://")):
            raise ValueError(f"url: expected wss://HOST/PATH: {self.url}")
        for name in ("frame_limit_bytes", "stanza_limit_bytes"):
            # RFC 6120 §13.12: no limit below 10,000 bytes.
            if getattr(self, name) < 10_000:
                raise ValueError(f"{name}: expected 10000 or more")
        for name in ("streams_per_address", "open_s", "connect_s", "close_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: expected a number above 0")


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
