"""The small nouns: ids, limits, presence, texts, exports."""

import pytest

from hubbub.apps.chat import export
from hubbub.apps.chat.ids import Ulids, encode, first_at
from hubbub.apps.chat.limits import Buckets, Rate
from hubbub.apps.chat.message import Message, checked_text, mentioned
from hubbub.apps.chat.presence import Presences
from hubbub.apps.chat.refusals import Refused


def test_ids_ascend_whatever_the_clock_does() -> None:
    ulids = Ulids(lambda bits: (1 << bits) - 1)
    made = [ulids.next(now) for now in (5, 5, 4, 6, 1, 7)]
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {26}
    assert first_at(5) <= made[0] < first_at(7)
    assert encode(0) == "0" * 26


def test_a_bucket_fills_again() -> None:
    buckets = Buckets(Rate(2, 4))
    for _ in range(4):
        buckets.take("a", 10.0)
    with pytest.raises(Refused) as refused:
        buckets.take("a", 10.0)
    assert (refused.value.code, refused.value.temporary) == (429, True)
    buckets.take("b", 10.0)
    buckets.take("a", 10.5)
    assert buckets.wait_s("a", 10.5) == pytest.approx(0.5)
    # A clock that goes back gives nothing and takes nothing.
    assert buckets.wait_s("a", 9.0) == pytest.approx(0.5)


def test_who_comes_and_goes_at_once_is_not_told() -> None:
    presences = Presences()
    presences.note("r", "a", is_online=True)
    presences.note("r", "b", is_online=True)
    presences.note("r", "b", is_online=False)
    presences.note("r", "c", is_online=False)
    assert presences.take() == [("r", ("a",), ("c",))]
    assert presences.take() == []


def test_texts() -> None:
    assert checked_text("a\r\nb \n", 10) == "a\nb"
    assert checked_text("", 10, may_be_empty=True) == ""
    assert mentioned("@Ada, ask @bob.b. or a@b.c @ada") == ["Ada", "bob.b", "ada"]


def test_an_export_is_text() -> None:
    message = Message(
        "01M",
        "r",
        1,
        0,
        "u",
        "<i>",
        "text",
        '**a** `<b>` [x](https://h/?a="&b) <script>',
        "en",
        "user",
    )
    page = export.html_message(message)
    assert "<script" not in page
    assert "<i>" not in page
    assert "<strong>a</strong> <code>&lt;b&gt;</code>" in page
