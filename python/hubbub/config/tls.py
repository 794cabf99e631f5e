"""TLS of one listener, as it is declared; loading certificates is `hubbub.tls`'s."""

from dataclasses import dataclass
from typing import Literal

from hubbub.config.declare import setting

ClientAuth = Literal["off", "optional", "required"]
"""Whether clients show a certificate."""

TlsVersion = Literal["1.2", "1.3"]
"""Versions of TLS that are still safe (RFC 8996)."""


@dataclass(frozen=True)
class CertificatePair:
    """A further certificate, for further names: the client says which one it wants (SNI)."""

    cert: str = setting(path="file", hint="/etc/hubbub/example.net.pem")
    """PEM file of the certificate, followed by those that lead to its authority."""

    key: str = setting(path="file", hint="/etc/hubbub/example.net.key")
    """PEM file of its private key."""


@dataclass(frozen=True)
class TlsSettings:
    """Certificates and rules of a listener that speaks TLS."""

    cert: str = setting("", path="file", hint="/etc/hubbub/fullchain.pem")
    """PEM file of the certificate, followed by those that lead to its authority."""

    key: str = setting("", path="file", hint="/etc/hubbub/privkey.pem")
    """PEM file of its private key; if empty, it stands in `cert`, too."""

    dev: bool = False
    """Instead of both, a certificate for this machine's own names, made for development."""

    key_password: str = setting("", is_secret=True)
    """Opens `key`, if it is encrypted; a key that only the server can read serves as well."""

    more: tuple[CertificatePair, ...] = ()
    """Further pairs of certificate and key, chosen by the name a client asks for (SNI)."""

    client_ca: str = setting("", path="file", hint="/etc/hubbub/clients.pem")
    """PEM file of the authorities whose client certificates are accepted."""

    client_auth: ClientAuth = "off"
    """Whether clients show a certificate: "off", "optional" or "required"; needs `client_ca`."""

    minimum_version: TlsVersion = "1.2"
    """Oldest version that is spoken: "1.2" or "1.3"."""
