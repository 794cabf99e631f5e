"""What the environment says about sockets that are open already."""

import os

import pytest

from hubbub.errors import Failure
from hubbub.inheritance import CHANNEL, SOCKETS, Inheritance, encode


def test_sockets_of_systemd() -> None:
    environment = {
        "LISTEN_PID": "7",
        "LISTEN_FDS": "3",
        "LISTEN_FDNAMES": "web:admin:web",
        "PATH": "/bin",
    }
    found = Inheritance.read(environment, 7)
    assert environment == {"PATH": "/bin"}
    assert found.activated == [("web", 3), ("admin", 4), ("web", 5)]
    assert found.take_activated("web") == [3, 5]
    assert found.take_activated("web") == []
    assert found.take_activated("") == [4]


def test_sockets_without_names() -> None:
    found = Inheritance.read({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, 7)
    assert found.activated == [("unknown", 3), ("unknown", 4)]


def test_sockets_of_another_process_are_not_ours() -> None:
    environment = {"LISTEN_PID": "6", "LISTEN_FDS": "1"}
    assert Inheritance.read(environment, 7) == Inheritance()
    assert environment == {}


def test_a_handover_arrives_as_it_was_sent() -> None:
    sent = [("tcp://127.0.0.1:0", 5), ('unix:/tmp/"x', 6), ("tcp://127.0.0.1:0", 7)]
    found = Inheritance.read(environment := encode(sent, 9), 1)
    assert environment == {}
    assert (found.handed_over, found.channel) == (sent, 9)
    assert found.take_handed_over("tcp://127.0.0.1:0") == 5
    assert found.take_handed_over("tcp://127.0.0.1:0") == 7
    assert found.take_handed_over("tcp://127.0.0.1:0") is None


def test_what_nobody_takes_is_closed() -> None:
    read, write = os.pipe()
    found = Inheritance(handed_over=[("unix:/x", write)])
    found.close_rest()
    assert os.read(read, 1) == b""
    os.close(read)


@pytest.mark.parametrize(
    "environment",
    [
        {"LISTEN_PID": "7", "LISTEN_FDS": "many"},
        {SOCKETS: "{"},
        {SOCKETS: "[1]"},
        {SOCKETS: '[["a", "b"]]'},
        {CHANNEL: "x"},
    ],
)
def test_nonsense_is_told(environment: dict[str, str]) -> None:
    with pytest.raises(Failure, match="environment"):
        Inheritance.read(environment, 7)
