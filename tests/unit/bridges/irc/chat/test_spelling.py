"""Names of the chat as IRC spells them: never two alike, never one that no client can bear."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.bridges.irc.chat.spelling import (
    Channels,
    channel_of,
    host_of,
    is_chat_nick,
    mark,
    nick_of,
)
from hubbub.bridges.irc.front.names import is_nick, room_of


@pytest.mark.parametrize(
    ("nick", "spelled"),
    [
        ("ada", "ada"),
        ("Ada_L-1", "Ada_L-1"),
        ("José", "Jose|"),
        ("Ada.L", "Ada_L|"),
        ("ada·w3c", "ada-w3c|"),
        ("4you", "_4you|"),
        ("Ада", "_|"),
        ("Hubbub", "Hubbub|"),
        ("-x", "_-x|"),
    ],
)
def test_nicks(nick: str, spelled: str) -> None:
    found = nick_of(nick, "u1")
    assert found == (spelled + mark("u1") if spelled.endswith("|") else spelled)
    assert is_chat_nick(nick) is (found == nick)
    assert nick_of(nick, "u2") == found or spelled.endswith("|")


@given(st.text(max_size=40), st.text(max_size=60))
def test_every_nick_and_host_can_stand_in_a_line(nick: str, user: str) -> None:
    assert is_nick(nick_of(nick, user))
    host = host_of(user)
    assert 0 < len(host) <= 63
    assert host.isascii()
    assert not set(host) & set(" :!@*")


@given(st.text(max_size=64))
def test_every_room_is_a_channel(name: str) -> None:
    assert room_of("#" + channel_of(name)) == channel_of(name)


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("Lobby", "lobby"),
        ("Garden Party", "garden-party"),
        ("Café, 2. Stock", "café-2.-stock"),
        ("日本語", "日本語"),
        ("!?", "room"),
        ("#c", "c"),
    ],
)
def test_channels(name: str, channel: str) -> None:
    assert channel_of(name) == channel


def test_two_rooms_never_share_a_channel() -> None:
    named = {"tea party": "r1", "tea-party": "r2"}
    channels = Channels(lambda name: named.get(name.lower()))
    assert channels.name("r1", "Tea Party") == f"tea-party|{mark('r1')}"
    assert channels.name("r2", "Tea-Party") == "tea-party"
    assert channels.room("TEA-party") == "r2"
    assert channels.room(f"tea-party|{mark('r1')}") == "r1"
    assert channels.name("r1", "Coffee") == f"tea-party|{mark('r1')}"
    assert channels.forget("r1") == f"tea-party|{mark('r1')}"
    assert channels.name("r1", "Coffee") == "coffee"
    assert channels.room("nowhere") is None
