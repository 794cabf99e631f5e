"""Secrets are taken out of lines (A2), and what is none stays readable."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.log import redacted, redacted_query
from hubbub.log.redaction import is_secret

SECRET = "c0rrect-horse-battery"


@pytest.mark.parametrize(
    "text",
    [
        f"GET /ws?token={SECRET}",
        f"GET /ws?a=1&access_token={SECRET}&b=2",
        f"GET /ws?accessToken={SECRET}",
        f"GET /ws?tok%65n={SECRET}",
        f"GET /ws?X-Amz-Signature={SECRET}",
        f"GET /back?code={SECRET}&state=x",
        f"wss://h/?key={SECRET}#top",
        f"connect(password={SECRET!r})",
        f"{{'api_key': '{SECRET}', 'n': 1}}",
        f'{{"refresh_token":"{SECRET}"}}',
        f"client_secret: {SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"authorization: Digest username=x, response={SECRET}",
        f"<Headers [('host', 'h'), ('authorization', 'Basic {SECRET}')]>",
        f"<Headers [('cookie', 'a={SECRET}; b={SECRET}')]>",
        f"Cookie: session={SECRET}; other={SECRET}",
        f"Set-Cookie: sid={SECRET}; HttpOnly",
        f"sent bearer {SECRET} to the peer",
        f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET}",
        f"Traceback\n  File x\nValueError: bad token={SECRET}\n\nand passwd='{SECRET} x'\n",
        f"DB_PASSWORD={SECRET}",
        f"postgres://h/?dbname=x&password={SECRET}",
    ],
)
def test_a_secret_does_not_stay(text: str) -> None:
    shown = redacted(text)
    assert SECRET not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "text",
    [
        "/ws/lobby?name=Ada&room=7",
        "closed with code=1006, key=4",
        "the tokens were counted: 7",
        "monkey=1 keyboard: us",
        "basic auth is off",
        "serving on http://127.0.0.1:8000 (ctrl-c to stop)",
        "a: b, c=d; e",
        "",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_query_keeps_what_is_harmless() -> None:
    query = f"room=7&token={SECRET}&page=2;jwt={SECRET}&sig={SECRET}"
    assert redacted_query(query) == "room=7&token=***&page=2;jwt=***&sig=***"
    assert redacted_query("") == ""


def test_names() -> None:
    assert is_secret("sessionToken")
    assert is_secret("APIKey")
    assert is_secret("x-api-key")
    assert not is_secret("code")
    assert not is_secret("monkey")


@given(st.text(alphabet="abt=&?;: '\"token\n.,-%", max_size=200))
def test_any_text_is_taken_and_twice_is_once(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


def test_long_texts_take_linear_time() -> None:
    # Backtracking over any of these would take hours.
    for hostile in ("a" * 500_000, "?a=" * 200_000, "&;" * 200_000, "token:" * 100_000):
        redacted(hostile)
