"""Byte ranges: what is asked for, what is ignored, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.http.ranges import RANGE_LIMIT, Unsatisfiable, parts


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-99", [(0, 10)]),
        ("bytes=5-", [(5, 5)]),
        ("bytes=-3", [(7, 3)]),
        ("bytes=-99", [(0, 10)]),
        ("Bytes = 1-2 , 4-5", [(1, 2), (4, 2)]),
        ("bytes=8-,0-1", [(8, 2), (0, 2)]),
        ("bytes=0-1,20-30", [(0, 2)]),
        ("bytes=2-1", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=1-2,x", None),
        ("bytes 1-2", None),
        ("lines=1-2", None),
        ("bytes=٣-٤", None),
        ("bytes=" + "9" * 30 + "-", None),
    ],
)
def test_parts(field: str, expected: list[tuple[int, int]] | None) -> None:
    assert parts(field, 10) == expected


@pytest.mark.parametrize(
    "field",
    ["bytes=10-", "bytes=99-100", "bytes=-0", "bytes=0-5,5-6", "bytes=0-,0-", "bytes=-2,0-"],
)
def test_what_is_refused(field: str) -> None:
    with pytest.raises(Unsatisfiable):
        parts(field, 10)


def test_so_many_parts_and_no_more() -> None:
    def field(count: int) -> str:
        return "bytes=" + ",".join(f"{2 * number}-{2 * number}" for number in range(count))

    found = parts(field(RANGE_LIMIT), 100)
    assert found is not None
    assert len(found) == RANGE_LIMIT
    with pytest.raises(Unsatisfiable):
        parts(field(RANGE_LIMIT + 1), 100)
    with pytest.raises(Unsatisfiable):
        parts("bytes=" + "," * 100_000, 100)


def test_nothing_is_in_an_empty_file() -> None:
    with pytest.raises(Unsatisfiable):
        parts("bytes=0-", 0)


@given(st.text("bytes=-,0123456789 "), st.integers(0, 1000))
def test_every_part_is_there(spec: str, size: int) -> None:
    try:
        found = parts("bytes=" + spec, size)
    except Unsatisfiable:
        return
    for start, length in found or ():
        assert start >= 0
        assert length > 0
        assert start + length <= size
    assert sum(length for _, length in found or ()) <= size
