"""One place where a server listens, as it is declared; binding it is the server's."""

from dataclasses import dataclass

from hubbub.config.declare import setting
from hubbub.config.tls import TlsSettings

BACKLOG_MAX = 65_535
"""The kernel's own limit, `net.core.somaxconn`, is at most this."""


@dataclass(frozen=True)
class ListenSettings:
    """An address, and what is spoken there."""

    bind: str = setting("127.0.0.1:8000", path="bind", hint="[::]:443")
    """Where to listen: "HOST:PORT", "unix:/PATH", "fd:NUMBER" or "systemd" ("systemd:NAME")."""

    tls: TlsSettings | None = None
    """Certificate and key, for `https` and `wss`; without them, plain `http` and `ws`."""

    proxy_protocol: bool = False
    """Whether each connection begins with a PROXY header (v1 or v2) from a trusted proxy."""

    mode: str = setting("", hint="0660")
    """Permissions of a Unix socket's file, in octal; if empty, what the umask leaves."""

    backlog: int = setting(4096, between=(1, BACKLOG_MAX))
    """How many connections the kernel may hold ready."""
