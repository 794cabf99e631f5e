"""Names of channels: which are none."""

import pytest

from hubbub.hub.codes import Refused
from hubbub.hub.sessions import check_name

GOOD = {
    "plain": "room:lobby 2",
    "255 bytes": "x" * 255,
    "Persian with a non-joiner": "می\u200cخواهم",
    "a profession, joined": "👩\u200d💻",
    "Tamil": "அறை",
}
BAD = {
    "nothing": "",
    "256 bytes": "x" * 256,
    "more bytes than characters": "é" * 128,
    "a control character": "a\x01b",
    "one beside a joiner": "a\u200db\x06",
    "a direction": "a\u202eb",
    "another space": "a\u00a0b",
    "a line": "a\u2028b",
    "private": "a\ue000b",
    "half a character": "a\ud800b",
}


@pytest.mark.parametrize("name", GOOD.values(), ids=GOOD)
def test_names(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize("name", BAD.values(), ids=BAD)
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(Refused) as refused:
        check_name(name)
    assert refused.value.code == 107
