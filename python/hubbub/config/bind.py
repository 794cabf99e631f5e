"""Where to listen, as people write it: "127.0.0.1:8000", "unix:/run/x.sock", "systemd" (pure).

Knows nothing of sockets; binding them is `hubbub.listening`'s.
"""

import json
from dataclasses import dataclass

PORT_MAX = 65_535

EXPECTED = '"HOST:PORT", "[IPv6]:PORT", "unix:/PATH", "fd:NUMBER", "systemd" or "systemd:NAME"'
"""The forms there are, for messages."""


@dataclass(frozen=True)
class Tcp:
    """A host, by name or address, and a port."""

    host: str
    """Without brackets."""

    port: int
    """0: the system picks one."""


@dataclass(frozen=True)
class Unix:
    """A socket in the file system."""

    path: str


@dataclass(frozen=True)
class Descriptor:
    """A socket that whoever started us has opened."""

    number: int


@dataclass(frozen=True)
class Systemd:
    """Sockets that systemd has opened (socket activation)."""

    name: str = ""
    """`FileDescriptorName=` of the socket unit; if empty, every socket that was passed."""


Bind = Tcp | Unix | Descriptor | Systemd


def parse_bind(text: str) -> Bind:
    """Reads where to listen.

    Raises:
        ValueError: It is none of the forms there are.
    """
    kind, colon, rest = text.partition(":")
    match kind:
        case "unix" if rest.removeprefix("//"):
            return Unix(rest.removeprefix("//"))
        case "fd" if rest.isascii() and rest.isdigit():
            return Descriptor(int(rest))
        case "systemd" if rest or not colon:
            return Systemd(rest)
        case _:
            return parse_tcp(text, EXPECTED)


def parse_tcp(text: str, expected: str = '"HOST:PORT" or "[IPv6]:PORT"') -> Tcp:
    """Reads an address that is a host and a port.

    Args:
        text: The address.
        expected: The forms there are, for the message.

    Raises:
        ValueError: It is none of them.
    """
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    # More than one colon is an IPv6 address, and it cannot be told where its port begins.
    if not bare or (":" in bare and bare == host) or not (port.isascii() and port.isdigit()):
        raise ValueError(f"expected {expected}: found {json.dumps(text, ensure_ascii=False)}")
    if int(port) > PORT_MAX:
        raise ValueError(f"expected a port from 0 to {PORT_MAX}: found {port}")
    return Tcp(bare, int(port))
