"""What a message says to those who see but text."""

import pytest

from hubbub.apps.chat.message import FileLink, Message, Via
from hubbub.bridges.wording import addressed, excerpt, text_of


def message(**what: object) -> Message:
    fixed = {"id": "M1", "room": "r", "seq": 1, "ts": 1, "user": "u"}
    told = {
        "nick": "ada",
        "kind": "text",
        "text": "hi",
        "lang": "en",
        "lang_source": "user",
        **what,
    }
    return Message(**fixed, **told)  # type: ignore[arg-type]


def test_what_belongs_to_a_text_is_in_it() -> None:
    files = (FileLink("https://x.example/a.png", "a.png"),)
    assert text_of(message(files=files), "look") == "look\na.png https://x.example/a.png"
    assert text_of(message(files=files), "") == "a.png https://x.example/a.png"
    assert text_of(message(via=Via("xmpp", "eve")), "hi") == "<eve> hi"
    # A bridge's people have nicks of their own.
    assert text_of(message(via=Via("xmpp", "eve"), nick="eve·xmpp"), "hi") == "hi"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("yes", "bob: yes"),
        ("Bob: yes", "Bob: yes"),
        ("@bob yes", "@bob yes"),
        ("> quoted\nyes", "bob:\n> quoted\nyes"),
        ("```\nx\n```", "bob:\n```\nx\n```"),
    ],
)
def test_a_reply_names_whom_it_answers(text: str, told: str) -> None:
    assert text_of(message(), text, "bob") == told
    assert text_of(message(kind="action"), text, "bob") == text


def test_whom_somebody_speaks_to() -> None:
    nicks = {"ada": "Ada", "Jose|abcd": "José"}
    assert addressed("ada: hello", nicks.get) == "@Ada: hello"
    assert addressed("ada, hello", nicks.get) == "@Ada, hello"
    assert addressed("Jose|abcd: hello", nicks.get) == "@José: hello"
    for text in ("eve: hello", "ada hello", "ada:hello", "well, ada: hello", "http://x.example: y"):
        assert addressed(text, nicks.get) == text


def test_how_a_text_begins() -> None:
    assert excerpt("short\n text") == "short text"
    assert excerpt("x" * 60) == "x" * 39 + "…"
