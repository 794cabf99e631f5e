"""WEBIRC: gateways that may say from where their users come (IRCv3 webirc; pure)."""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Gateway:
    """A gateway that is believed."""

    password: str
    addresses: tuple[str, ...] = ("127.0.0.1", "::1")
    """From where it comes: addresses or networks."""

    def may_be(self, address: str, password: str) -> bool:
        """Whether somebody who comes from there with this password is it."""
        if not hmac.compare_digest(self.password.encode(), password.encode()):
            return False
        try:
            came_from = ipaddress.ip_address(address.partition("%")[0])
            return any(
                came_from in ipaddress.ip_network(one, strict=False) for one in self.addresses
            )
        except ValueError:
            return False


def address_told(gateways: Sequence[Gateway], peer: str, params: Sequence[str]) -> str | None:
    """The address that a gateway tells of its user; None: it is no gateway, or tells none.

    Args:
        gateways: Who is believed.
        peer: From where the line comes.
        params: Those of WEBIRC: password, name of the gateway, host, address.
    """
    if len(params) < 4 or not any(one.may_be(peer, params[0]) for one in gateways):
        return None
    # "If the IP begins with a colon, it MUST be sent with a leading zero": both are read.
    try:
        return str(ipaddress.ip_address(params[3]))
    except ValueError:
        return None
