"""How many connections there may be, in all and from one address (pure)."""

from collections import Counter
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NETWORK_BITS = 64
"""As many name the network of an IPv6 address; the others each of its users chooses at will."""


class Crowd:
    """Those who are connected.

    Args:
        limit: Most of them at a time; 0: any number.
        address_limit: Most of one address, or of one IPv6 network of 64 bits; 0: any number.
        exempt: Addresses or networks for which only the first of these holds.
    """

    def __init__(self, limit: int, address_limit: int, exempt: Sequence[str] = ()) -> None:
        self._limit = limit
        self._address_limit = address_limit
        self._exempt = [ip_network(one, strict=False) for one in exempt]
        self._connections = 0
        self._from: Counter[str] = Counter()

    def refusal(self, address: str) -> str:
        """Why one more from there may not come in; empty: it may."""
        if self._limit and self._connections >= self._limit:
            return "Too many connections"
        if self._address_limit and self._from[_place(address)] >= self._address_limit:
            found = _read(address)
            if not any(found in one for one in self._exempt):
                return "Too many connections from your address"
        return ""

    def come(self, address: str) -> None:
        """One more is there."""
        self._connections += 1
        self._from[_place(address)] += 1

    def go(self, address: str) -> None:
        """One less."""
        self._connections -= 1
        place = _place(address)
        self._from[place] -= 1
        if not self._from[place]:
            del self._from[place]


def _place(address: str) -> str:
    found = _read(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, _NETWORK_BITS), strict=False))
    return str(found)


def _read(address: str) -> IPv4Address | IPv6Address:
    found = ip_address(address.partition("%")[0])
    return getattr(found, "ipv4_mapped", None) or found
