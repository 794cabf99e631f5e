"""The first lines to a network: capabilities, SASL, nicks that are taken, WEBIRC."""

import base64

import pytest

from hubbub.bridges.irc.client.registration import CannotRegister, Identity, Registration
from hubbub.bridges.irc.line import Line, encode, parse

ADA = Identity("ada", "ada", "Ada L", sasl_user="bot", sasl_password="secret")
PLAIN = Identity("ada", "ada", "Ada L")


def said(registration: Registration, *lines: str) -> list[str]:
    answers: list[Line] = []
    for line in lines:
        answers += registration.hear(parse(line))
    return [encode(one).decode() for one in answers]


def test_the_order_of_the_first_lines() -> None:
    identity = Identity("ada", "u", "Ada L", "pass", webirc=("pw", "gw", "host", "fd00::1"))
    lines = [encode(one).decode() for one in Registration(identity).begin()]
    assert lines == [
        "WEBIRC pw gw host fd00::1",
        "CAP LS 302",
        "PASS pass",
        "NICK ada",
        "USER u 0 * :Ada L",
    ]


def test_capabilities_and_sasl() -> None:
    registration = Registration(ADA)
    registration.begin()
    assert said(registration, ":s CAP * LS * :batch other/thing") == []
    assert said(registration, ":s CAP * LS :echo-message sasl=PLAIN,EXTERNAL") == [
        "CAP REQ :echo-message batch sasl"
    ]
    assert said(registration, ":s CAP ada ACK :echo-message batch sasl") == ["AUTHENTICATE PLAIN"]
    (proof,) = said(registration, "AUTHENTICATE +")
    assert base64.b64decode(proof.split()[1]) == b"bot\0bot\0secret"
    assert said(registration, ":s 900 ada x :in", ":s 903 ada :ok") == ["CAP END"]
    assert said(registration, ":s 001 ada2 :hi") == []
    assert (registration.nick, registration.is_done) == ("ada2", True)
    assert registration.caps == {"echo-message", "batch", "sasl"}
    said(registration, ":s CAP ada2 DEL :echo-message")
    assert "echo-message" not in registration.caps


def test_a_long_proof_comes_in_pieces() -> None:
    identity = Identity("a", "a", "a", sasl_user="u", sasl_password="x" * 296)
    registration = Registration(identity)
    said(registration, ":s CAP * LS :sasl", ":s CAP a ACK :sasl")
    pieces = [one.split()[1] for one in said(registration, "AUTHENTICATE +")]
    assert [len(one) for one in pieces] == [400, 1]
    assert pieces[-1] == "+"


@pytest.mark.parametrize(
    "lines",
    [
        (":s CAP * LS :batch",),
        (":s CAP * LS :sasl=EXTERNAL",),
        (":s CAP * LS :sasl", ":s CAP a ACK :sasl", ":s 904 a :wrong"),
        (":s 001 ada :hi",),
        (":s 464 ada :bad password",),
        (":s 465 ada :banned",),
    ],
)
def test_there_is_no_way_in(lines: tuple[str, ...]) -> None:
    registration = Registration(ADA)
    with pytest.raises(CannotRegister):
        said(registration, *lines)


def test_a_server_without_capabilities_is_enough() -> None:
    registration = Registration(PLAIN)
    assert said(registration, ":s 421 * CAP :unknown", ":s 001 ada :hi") == []
    assert registration.is_done


def test_a_nick_that_is_taken() -> None:
    registration = Registration(Identity("abcdefghijk", "a", "a"))
    registration.begin()
    tried = [said(registration, ":s 433 * x :taken")[0].split()[1] for _ in range(5)]
    assert tried == ["abcdefghijk_", "abcdefghijk__", "abcdef___", "abcdefgh4", "abcdefgh5"]
    with pytest.raises(CannotRegister):
        said(registration, *[":s 433 * x :taken"] * 20)
