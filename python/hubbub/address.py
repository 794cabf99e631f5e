"""Where a server listens: how the engine spells addresses, and the URLs that lead there (pure)."""

import ipaddress

_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - names them, binds nothing


def tcp_address(host: str, port: int) -> str:
    """How the engine spells it: "tcp://127.0.0.1:80", "tcp://[::1]:80"."""
    return f"tcp://{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """An IPv6 address in brackets, anything else as it is."""
    return f"[{host}]" if ":" in host else host


def is_ip(host: str) -> bool:
    """Whether it is an address rather than a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def port_of(address: str) -> int:
    """The port of "tcp://…:port"."""
    return int(address.rpartition(":")[2])


def url_of(address: str, scheme: str) -> str:
    """The URL that leads to a bound address from this machine.

    "tcp://0.0.0.0:8000" → "http://127.0.0.1:8000"; a Unix socket has none: "unix:/path" stays.
    """
    if not address.startswith("tcp://"):
        return address
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    bare = host.strip("[]")
    return f"{scheme}://{bracketed(_HERE.get(bare, bare))}:{port}"
