"""The wire: what is a command, what is not, and how answers look."""

import json

import msgspec
import pytest

from hubbub.hub import wire


def test_a_frame_holds_commands_line_by_line() -> None:
    frame = '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"a"}}\n{}\n'
    found = wire.commands(frame)
    assert [(number, name) for number, name, _ in found] == [
        (1, "connect"),
        (2, "subscribe"),
        (0, ""),
    ]
    assert found[1][2].channel == "a"
    assert wire.commands(frame.encode()) == found


@pytest.mark.parametrize(
    "frame",
    [
        "{}\n" * 1024,
        "[]",
        "{",
        "nonsense",
        '{"id":1}',
        '{"id":1,"connect":{},"ping":{}}',
        '{"connect":{}}',
        '{"id":1,"send":{"data":1}}',
        '{"id":-1,"ping":{}}',
        '{"id":4294967296,"ping":{}}',
        '{"id":"1","ping":{}}',
        '{"id":1,"subscribe":{"channel":5}}',
        '{"id":1,"publish":{"channel":"a","data":}}',
        '{"id":1,"unknown":{}}',
        '{"id":1,"rpc":{"data":' + "[" * 100_000 + "]" * 100_000 + "}}",
    ],
)
def test_what_is_no_command_is_told_so(frame: str) -> None:
    with pytest.raises(wire.BadFrame):
        wire.commands(frame)


def test_bytes_that_are_no_utf_8_are_no_command() -> None:
    with pytest.raises(wire.BadFrame):
        wire.commands(b'{"id":1,"rpc":{"method":"\xff"}}')


def test_what_applications_say_travels_as_it_is() -> None:
    data = '{"a" :  [1.0, 2e3,"\\u00e4"]}'
    ((_, _, request),) = wire.commands(f'{{"id":1,"publish":{{"channel":"x","data":{data}}}}}')
    assert bytes(request.data) == data.encode()


class Posted(msgspec.Struct):
    """Something that came over HTTP."""

    data: msgspec.Raw


def test_what_came_over_http_may_stand_in_a_frame() -> None:
    posted = wire.decode(b'{"data":\n[ "\\n\xc3\xa4",\n 1\n]}', Posted)
    assert bytes(posted.data) == b'[ "\\n\xc3\xa4",  1 ]'
    nested = wire.decode(b'{"data":{"data":\n1}}', Posted)
    assert bytes(wire.decode(nested.data, Posted).data) == b"1"


@pytest.mark.parametrize(
    "json",
    [b'{"data":"\xff\xfe"}', b'{"data":"\n"}', b'{"data":' + b"[" * 100_000, b'{"\xff":1}', b"{}"],
)
def test_what_came_over_http_and_is_no_json_is_told_so(json: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        wire.decode(json, Posted)


def test_answers_and_pushes_are_json() -> None:
    assert json.loads(wire.reply(7, "ping", {})) == {"id": 7, "ping": {}}
    assert json.loads(wire.refusal(7, 103, 'no "x"', temporary=True)) == {
        "id": 7,
        "error": {"code": 103, "message": 'no "x"', "temporary": True},
    }
    assert "temporary" not in wire.refusal(7, 103, "no", temporary=False)
    assert json.loads(wire.push('a"b', "join", {"info": 1})) == {
        "push": {"channel": 'a"b', "join": {"info": 1}}
    }
    assert json.loads(wire.push("", "message", {"data": 1})) == {"push": {"message": {"data": 1}}}


def test_what_is_not_said_is_left_out() -> None:
    result = wire.SubscribeResult(recoverable=True, epoch="x")
    assert json.loads(wire.encode(result)) == {"recoverable": True, "epoch": "x"}
