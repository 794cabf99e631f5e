"""What can be said about the chat's IRC side in `[app.config.irc]` (pure)."""

from ipaddress import ip_network

from msgspec import Struct

from hubbub.bridges.irc.front import Gateway
from hubbub.config.bind import parse_tcp


class GatewaySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """A web gateway that may say from where its users come (WEBIRC)."""

    password: str
    """What it proves itself by."""

    addresses: tuple[str, ...] = ("127.0.0.1", "::1")
    """From where it comes: addresses or networks."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        _check_networks("addresses", self.addresses)

    def gateway(self) -> Gateway:
        """The same, as the front knows it."""
        return Gateway(self.password, self.addresses)


class IrcSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How IRC's clients come into the chat."""

    enabled: bool = False
    """Whether they do."""

    bind: tuple[str, ...] = ("127.0.0.1:6667",)
    """Where to listen without TLS: "HOST:PORT"; none: nowhere."""

    tls_bind: tuple[str, ...] = ()
    """Where to listen with TLS: "HOST:PORT", usually port 6697."""

    certificate: str = ""
    """The file with the certificate and its chain, in PEM; read again when it changes."""

    key: str = ""
    """The file with the certificate's key, in PEM."""

    websocket: str = "/irc"
    """The path of IRC over WebSocket, below where the chat is mounted; empty: none."""

    origins: tuple[str, ...] = ()
    """Pages of which other origins may connect to it; "*": of any."""

    server: str = "irc.hubbub.invalid"
    """What the server calls itself in its lines: a name with a dot."""

    network: str = "Hubbub"
    """What clients call the network."""

    motd: tuple[str, ...] = ()
    """The lines of the message of the day."""

    gateways: tuple[GatewaySettings, ...] = ()
    """Web gateways that are believed."""

    burst_lines: int = 40
    """How many lines a client may send at once."""

    lines_per_s: float = 4.0
    """How many lines a second it may send beyond these; more of them wait."""

    connection_limit: int = 10_000
    """Most connections by TCP at a time; 0: no limit."""

    address_connection_limit: int = 512
    """Most of one address (IPv6: of one network of 64 bits); 0: no limit; gateways have none."""

    exempt_networks: tuple[str, ...] = ("127.0.0.0/8", "::1")
    """Addresses and networks for which the limit per address does not hold."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        if self.tls_bind and not (self.certificate and self.key):
            raise ValueError("tls_bind: needs certificate and key")
        for name in ("server", "network"):
            word = getattr(self, name)
            if not word or not word.isascii() or not word.isprintable() or " " in word:
                raise ValueError(f"{name}: expected one word of ASCII")
        if self.server.startswith(":") or "!" in self.server or "@" in self.server:
            raise ValueError("server: expected a name like irc.example.org")
        if self.websocket and not self.websocket.startswith("/"):
            raise ValueError('websocket: expected a path like "/irc"')
        if self.burst_lines < 1 or self.lines_per_s <= 0:
            raise ValueError("burst_lines, lines_per_s: expected numbers above 0")
        if self.connection_limit < 0 or self.address_connection_limit < 0:
            raise ValueError("connection_limit, address_connection_limit: expected 0 or more")
        _check_networks("exempt_networks", self.exempt_networks)
        for name in ("bind", "tls_bind"):
            for address in getattr(self, name):
                try:
                    parse_tcp(address)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None


def _check_networks(name: str, networks: tuple[str, ...]) -> None:
    for network in networks:
        try:
            ip_network(network, strict=False)
        except ValueError:
            expected = "an address or a network such as 192.0.2.0/24"
            raise ValueError(f"{name}: expected {expected}: found {network!r}") from None
