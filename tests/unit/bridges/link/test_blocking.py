"""The kill switch: by which names people of a network are kept out."""

import pytest

from hubbub.bridges.link.blocking import Blocks
from hubbub.bridges.link.remote import Person

ADA = Person("ada", "Ada", "host.evil.example", "ada_account")


@pytest.mark.parametrize(
    "who", ["ada", "ADA", "Ada_Account", "host.evil.example", "evil.example", "example"]
)
def test_a_person_is_blocked_by_any_of_their_names(who: str) -> None:
    blocks = Blocks()
    assert ADA not in blocks
    blocks.add(who)
    assert ADA in blocks
    blocks.remove(who)
    assert ADA not in blocks


@pytest.mark.parametrize("who", ["bob", "vil.example", "host", ""])
def test_others_are_not(who: str) -> None:
    assert ADA not in Blocks([who])
    assert Person("x", "x") not in Blocks([who])
