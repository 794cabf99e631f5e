"""Lines of JSON: one object each, whatever is in it."""

import json
import logging
import sys
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hubbub.log import JsonFormatter
from hubbub.log.lines import rfc3339


def line_of(message: str, *args: object, **extra: object) -> str:
    logger = logging.getLogger("hubbub.test")
    record = logger.makeRecord(
        "hubbub.test", logging.WARNING, "", 0, message, args, None, extra=extra or None
    )
    return JsonFormatter().format(record)


def test_a_line_has_its_fields() -> None:
    line = json.loads(line_of("closed: %d", 4, connection=7, path="/ws", who={"a": 1}))
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "warning",
        "logger": "hubbub.test",
        "message": "closed: 4",
        "connection": 7,
        "path": "/ws",
        "who": {"a": 1},
    }


def test_an_exception_has_type_message_and_stack() -> None:
    try:
        raise KeyError("token=abcdef")
    except KeyError:
        record = logging.LogRecord("x", logging.ERROR, "", 0, "oops", (), sys.exc_info())
    error = json.loads(JsonFormatter().format(record))["exception"]
    assert error["type"] == "KeyError"
    assert error["message"] == "'token=***'"
    assert "test_lines.py" in error["stack"]
    assert "abcdef" not in error["stack"]


def test_an_exception_that_cannot_be_shown() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    record = logging.LogRecord("x", logging.ERROR, "", 0, "oops", (), (Mute, Mute(), None))
    error = json.loads(JsonFormatter().format(record))["exception"]
    assert error["type"].endswith("Mute")
    assert error["message"] == "(cannot be shown)"


def test_extra_fields_hide_secrets_and_spare_ours() -> None:
    line = json.loads(line_of("x", token="abcdef", level=5, note="?key=abcdef", code=1006))
    assert line["token"] == "***"
    assert line["note"] == "?key=***"
    assert line["level"] == "warning"
    assert line["level_"] == 5
    assert line["code"] == 1006


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text(), max_size=3))
def test_one_line_without_controls(message: str, extra: dict[str, Any]) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "%s", (message,), None)
    record.given = extra
    text = JsonFormatter().format(record)
    assert not [char for char in text if ord(char) < 32 or 0x7F <= ord(char) < 0xA0]
    text.encode()
    line = json.loads(text)
    assert set(line) == {"time", "level", "logger", "message", "given"}


def test_what_json_does_not_know_is_shown_as_text() -> None:
    assert json.loads(line_of("x", place=object))["place"] == "<class 'object'>"


def test_times() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000Z"
    assert rfc3339(1_700_000_000.2509) == "2023-11-14T22:13:20.250Z"


def test_secrets_are_hidden_at_any_depth_and_of_any_type() -> None:
    deep: object = "password=hunter2"
    for _ in range(20):
        deep = [deep]
    text = line_of(
        "x",
        headers={"authorization": "Bearer hunter2", "Cookie": "sid=hunter2", "accept": "*/*"},
        pairs=[("authorization", "hunter2"), (b"Set-Cookie", b"hunter2"), ("accept", "*/*")],
        form={"user": {"password": ["hunter2"], "age": 7, "has_token": True}},
        token=42_4242,
        password=b"hunter2",
        items=["password=hunter2", b"password=hunter2", {"?key=hunter2"}],
        keys={("password=hunter2", 1): 1, 2: None, None: 3},
        deep=deep,
    )
    assert "hunter2" not in text
    assert "424242" not in text
    line = json.loads(text)
    assert line["headers"] == {"authorization": "***", "Cookie": "***", "accept": "*/*"}
    assert line["pairs"][2] == ["accept", "*/*"]
    assert line["form"] == {"user": {"password": "***", "age": 7, "has_token": True}}
    assert (line["keys"]["2"], line["keys"]["null"]) == (None, 3)


def test_what_cannot_be_shown_hides_nothing_else() -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError

    circle: dict[str, object] = {"a": 1}
    circle["self"] = circle
    line = json.loads(line_of("x", mute=[Mute()], circle=circle))
    assert line["mute"] == ["(cannot be shown)"]
    assert line["circle"]["a"] == 1
