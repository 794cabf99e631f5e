"""Ids of our own messages: known again, by whom they are, and not to be made up."""

from hypothesis import given
from hypothesis import strategies as st

from hubbub.bridges.xmpp.muc.marks import Marks, origin_of


def test_an_id_is_known_again() -> None:
    marks = Marks("secret")
    id_ = marks.id_of(42)
    assert Marks("secret").number_of(id_) == 42
    assert origin_of(id_) == marks.mark
    assert Marks("other").number_of(id_) is None
    assert origin_of("guest-1") == ""


@given(st.integers(0, 10**18 - 1), st.text(max_size=60))
def test_an_id_cannot_be_made_up(number: int, text: str) -> None:
    marks = Marks("secret")
    id_ = marks.id_of(number)
    forged = id_[:-1] + ("0" if id_[-1] != "0" else "1")
    assert marks.number_of(id_) == number
    assert marks.number_of(forged) is None
    assert marks.number_of(id_.replace(f"-{number}-", f"-{number}1-")) is None
    assert marks.number_of(text) is None
