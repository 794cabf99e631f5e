"""Well-behaved clients beside floods: of messages, of requests, of handshakes (B8)."""

import time

import pytest

from ..authority import Authority
from .acts import ByTls
from .conftest import Attack
from .figures import Figures
from .flood import flooding
from .healthy import Compared, compared, healthy, waits

pytestmark = pytest.mark.torture

LENGTH_S = 3.0
EVERYBODY = ("--exempt-networks", "192.0.2.0/24")
"""Nobody here is exempt from the rates, or loopback would be."""

FLOODS = {
    "messages": ("messages", 100, (), 100_000),
    "messages at their rate": ("messages", 100, EVERYBODY, 100_000),
    "messages, 2 threads": ("messages", 100, ("--threads", "2"), 100_000),
    "requests": ("requests", 100, (), 2_000),
    "handshakes": ("handshakes", 200, (), 1_000),
}
"""What is sent, by how many connections, which flags the server has, and how much must arrive for
it to be called a flood."""


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_hardly_delays_the_others(attack: Attack, figures: Figures, name: str) -> None:
    """Each connection has its turn, however much waits in the others."""
    what, connections, flags, least = FLOODS[name]
    victim = attack(*flags)

    def measure() -> Compared:
        alone = waits(victim.address, duration_s=LENGTH_S)
        with (
            flooding(victim.address, what, connections) as flood,
            healthy(victim.address, duration_s=LENGTH_S) as beside,
        ):
            began, before = time.monotonic(), victim.stats()
            found = beside.waits()
            took_s, after = time.monotonic() - began, victim.stats()
            flood.stop()
        counter = {"messages": "messages_in", "requests": "requests", "handshakes": "upgraded"}
        worked_off = after[counter[what]] - before[counter[what]]
        assert worked_off >= least
        # Two that serve sockets, and Python's: more than the machine may have processors.
        threads = 3 if "--threads" in flags else 1
        return Compared(alone, found, f"{worked_off / took_s:,.0f} a second", threads)

    found = compared(measure)
    figures.note("B8", f"beside {connections} with a flood of {name} ({found.rest}): {found}")
    assert found.are_unhurt, found


def test_a_flood_of_hellos_hardly_delays_the_others(
    attack: Attack, figures: Figures, authority: Authority
) -> None:
    """Each costs the server a key exchange and a signature, and who sends it nearly nothing.

    The others are there already; they come by a Unix socket, without TLS.
    """
    victim = attack(*ByTls(authority).flags)
    address = f"unix:{victim.local}"

    def measure() -> Compared:
        alone = waits(address, duration_s=LENGTH_S)
        with (
            flooding(victim.address, "hellos", 200) as flood,
            healthy(address, duration_s=LENGTH_S) as beside,
        ):
            began, before = time.monotonic(), victim.stats()
            found = beside.waits()
            took_s, after = time.monotonic() - began, victim.stats()
            flood.stop()
        # Not all who knock come in: the attacker runs out of ports at times.
        worked_off = after["accepted"] - before["accepted"]
        assert worked_off >= 1_000
        return Compared(alone, found, f"{worked_off / took_s:,.0f} a second")

    found = compared(measure)
    figures.note("B8", f"beside 200 with a flood of TLS hellos ({found.rest}): {found}")
    assert found.are_unhurt, found
