"""How many may be there, in all and from one place."""

import pytest

from hubbub.bridges.irc.front.crowd import Crowd


def crowded(limit: int, address_limit: int, come: list[str], exempt: tuple[str, ...] = ()) -> Crowd:
    crowd = Crowd(limit, address_limit, exempt)
    for one in come:
        crowd.come(one)
    return crowd


@pytest.mark.parametrize(
    ("there", "one_more", "is_let_in"),
    [
        (["192.0.2.1"], "192.0.2.1", True),
        (["192.0.2.1"] * 2, "192.0.2.1", False),
        (["192.0.2.1"] * 2, "192.0.2.2", True),
        # Who has one address of an IPv6 network has 2^64.
        (["2001:db8::1", "2001:db8::2"], "2001:db8::ffff:3", False),
        (["2001:db8::1", "2001:db8::2"], "2001:db8:0:1::1", True),
        # The same address, as sockets of either kind show it.
        (["192.0.2.1", "::ffff:192.0.2.1"], "192.0.2.1", False),
        (["fe80::1%eth0", "fe80::2%eth0"], "fe80::3%eth0", False),
        (["198.51.100.1"] * 9, "198.51.100.1", True),
        (["127.0.0.1"] * 9, "::ffff:127.0.0.1", True),
    ],
)
def test_of_one_address(there: list[str], one_more: str, is_let_in: bool) -> None:
    crowd = crowded(100, 2, there, ("198.51.100.0/24", "127.0.0.0/8"))
    assert (crowd.refusal(one_more) == "") is is_let_in


def test_in_all_whoever_it_is() -> None:
    crowd = crowded(2, 2, ["192.0.2.1", "127.0.0.1"], ("127.0.0.0/8",))
    assert crowd.refusal("127.0.0.1") == "Too many connections"
    crowd.go("192.0.2.1")
    assert crowd.refusal("127.0.0.1") == ""


def test_no_limit() -> None:
    assert crowded(0, 0, ["192.0.2.1"] * 100).refusal("192.0.2.1") == ""


def test_nothing_is_kept_of_who_has_gone() -> None:
    crowd = crowded(0, 3, [])
    for last in range(200):
        crowd.come(f"192.0.2.{last}")
        crowd.go(f"192.0.2.{last}")
    assert not crowd._from
