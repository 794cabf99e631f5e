"""Networks that send more than anybody can keep: what the chat holds of it stays within bounds."""

import contextlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.integration.bridges.house import MANY
from tests.integration.bridges.test_irc_hostile import attacked as by_irc
from tests.integration.bridges.test_irc_hostile import network
from tests.integration.bridges.xmpp.test_hostile_room import ROOM, At
from tests.integration.bridges.xmpp.test_hostile_room import attacked as by_xmpp
from tests.memory import peak
from tests.waiting import until

pytestmark = pytest.mark.anyio

MIB = 1 << 20
SENT = 128
"""How many MiB come without an end."""

BOUND_MIB = 24
CROWD, ROUNDS = 1_000, 3


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Holds that this process, in which the chat is, grows little meanwhile, at any time."""
    with peak() as growth:
        yield
        grown = growth() / MIB
    assert grown <= BOUND_MIB, f"{grown:.0f} MiB"


async def test_a_line_of_irc_without_an_end(tmp_path: Path) -> None:
    async with network() as hostile, by_irc(hostile, tmp_path) as at:
        assert hostile.writer is not None
        with bounded():
            hostile.raw(b":bob!b@h PRIVMSG #lobby :")
            for _ in range(SENT):
                hostile.raw(b"x" * MIB)
                await hostile.writer.drain()
            hostile.raw(b"\r\n")
            hostile.send(":carol!c@h JOIN #lobby")
            await until(lambda: at.link.stats().people == 2, within_s=20)


async def test_words_of_irc_without_an_end(tmp_path: Path) -> None:
    async with network() as hostile, by_irc(hostile, tmp_path, limits=MANY) as at:
        assert hostile.writer is not None
        lines = [f":eve!e@h PRIVMSG #lobby :{n} {'x' * 400}" for n in range(1_000)]
        hostile.send(":eve!e@h JOIN #lobby")
        with bounded():
            for _ in range(8):
                hostile.send(*lines)
                await hostile.writer.drain()
            await until(lambda: at.link.stats().given_up_in > 5_000, within_s=60)


async def test_people_of_irc_without_an_end(tmp_path: Path) -> None:
    async with network() as hostile, by_irc(hostile, tmp_path) as at:

        async def storm(turn: int) -> None:
            hostile.send(*(f":n{turn}x{n}!u@h{n} JOIN #lobby" for n in range(CROWD)))
            hostile.send(*(f":n{turn}x{n}!u@h{n} NICK m{turn}x{n}" for n in range(CROWD)))
            hostile.send(*(f":m{turn}x{n}!u@h{n} QUIT :" for n in range(CROWD)))
            hostile.send(f":last{turn}!u@h JOIN #lobby")
            members = at.house.service.live.room("lobby").members
            await until(
                lambda: any(one.nick == f"last{turn}·net" for one in members.values()),
                within_s=60,
            )

        await storm(0)
        with bounded():
            for turn in range(1, ROUNDS + 1):
                await storm(turn)
        assert at.link.stats().people == 1 + ROUNDS + 1


async def test_a_stanza_without_an_end(tmp_path: Path) -> None:
    """The stream ends, and the bridge comes back."""
    async with by_xmpp(tmp_path, connections=3) as at:
        for opening in (f"<message from='{ROOM}/bob'><body>", "<message from='"):
            writer, connections = at.room.writer, at.room.connections
            assert writer is not None
            with bounded(), contextlib.suppress(ConnectionError):
                writer.write(opening.encode())
                for _ in range(SENT):
                    writer.write(b"x" * MIB)
                    await writer.drain()
            assert writer.is_closing()
            await until(partial(_has_come_back, at, connections + 1), within_s=20)


def _has_come_back(at: At, connections: int) -> bool:
    return at.room.connections == connections and at.link.stats().channels == 1


async def test_words_of_xmpp_without_an_end(tmp_path: Path) -> None:
    async with by_xmpp(tmp_path) as at:
        assert at.room.writer is not None
        at.room.comes("eve")
        with bounded():
            for n in range(8_000):
                at.room.says("eve", f"{n} {'x' * 400}", f"f{n}")
                await at.room.writer.drain()
            await until(lambda: at.link.stats().given_up_in > 5_000, within_s=60)


async def test_people_of_xmpp_without_an_end(tmp_path: Path) -> None:
    async with by_xmpp(tmp_path) as at:

        async def storm(turn: int) -> None:
            for n in range(CROWD):
                at.room.comes(f"n{turn}x{n}")
            for n in range(CROWD):
                at.room.goes(f"n{turn}x{n}", 303, f"m{turn}x{n}")
                at.room.comes(f"m{turn}x{n}")
            for n in range(CROWD):
                at.room.goes(f"m{turn}x{n}")
            at.room.comes(f"last{turn}")
            await until(lambda: f"last{turn}·jab" in at.nicks(), within_s=60)

        await storm(0)
        with bounded():
            for turn in range(1, ROUNDS + 1):
                await storm(turn)
        assert at.link.stats().people == 1 + ROUNDS + 1
