"""The test kit's HTTP client: what it makes of an answer."""

import pytest

from hubbub.testing.http import Answer, parse


def test_an_answer() -> None:
    raw = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}'
    answer = parse(raw)
    fields = {"content-type": "application/json", "content-length": "7"}
    assert answer == Answer(200, fields, b'{"a":1}')
    assert answer.text == '{"a":1}'
    assert answer.json() == {"a": 1}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
    ],
)
def test_no_answer(raw: bytes) -> None:
    with pytest.raises(ConnectionError):
        parse(raw)
