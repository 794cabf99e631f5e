"""Conditions of a request, and what they come to."""

import pytest
from tests.asked import request

from hubbub.http.conditional import evaluate, is_range_wanted

TAG = '"abc"'
NOW = 784_111_777
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, 200),
        ({"if-none-match": TAG}, 304),
        ({"if-none-match": f'"x", W/{TAG}'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"x"', "if-modified-since": DATE}, 200),
        ({"if-modified-since": DATE}, 304),
        ({"if-modified-since": BEFORE}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-modified-since": "Sun, 99 Foo 1994 08:49:37 GMT"}, 200),
        ({"if-match": TAG}, 200),
        ({"if-match": "*"}, 200),
        ({"if-match": f"W/{TAG}"}, 412),
        ({"if-match": '"x"'}, 412),
        ({"if-match": '"x"', "if-none-match": TAG}, 412),
        ({"if-unmodified-since": BEFORE}, 412),
        ({"if-unmodified-since": DATE}, 200),
        ({"if-unmodified-since": DATE, "if-none-match": TAG}, 304),
    ],
)
def test_conditions(headers: dict[str, str], verdict: int) -> None:
    assert evaluate(request(headers=headers), TAG, NOW) == verdict


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        (None, True),
        (TAG, True),
        (f"W/{TAG}", False),
        ('"x"', False),
        (DATE, True),
        (BEFORE, False),
        ("nonsense", False),
    ],
)
def test_if_range(condition: str | None, wanted: bool) -> None:
    headers = {} if condition is None else {"if-range": condition}
    assert is_range_wanted(request(headers=headers), TAG, NOW) is wanted
