"""What a bridge keeps on disk: what waits, how far it has come, which ids belong together."""

import asyncio
from pathlib import Path

import pytest

from hubbub.bridges.link.flow import Flow
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.remote import Author, Delivery, Say

pytestmark = pytest.mark.anyio


def delivery(text: str, channel: str = "#a", at: int = 1) -> Delivery:
    return Delivery(0, channel, Author("u", "Ada"), Say(text), text, at)


async def test_what_waits_survives(tmp_path: Path) -> None:
    path = tmp_path / "bridges.sqlite3"
    async with Ledger(path).opened() as ledger:
        assert ledger.cursor("net", "room") is None
        ledger.take("net", "room", 5, delivery("one"))
        ledger.take("net", "room", 6, None)
        ledger.take("net", "room", 7, delivery("two"))
    async with Ledger(path).opened() as ledger:
        assert ledger.cursor("net", "room") == 7
        waiting = ledger.waiting("net", "#a", 0, 10)
        assert [one.message for one in waiting] == ["one", "two"]
        assert ledger.length("net") == (2, 1)
        ledger.sending(waiting[0].number)
        assert ledger.take_uncertain("net") == 1
        assert [one.message for one in ledger.waiting("net", "#a", 0, 10)] == ["two"]


async def test_the_oldest_go_when_there_are_too_many_or_it_took_too_long(tmp_path: Path) -> None:
    async with Ledger(tmp_path / "l").opened() as ledger:
        for number in range(10):
            ledger.take("net", "room", number, delivery(str(number), at=number))
            ledger.take("other", "room", number, delivery(str(number), at=number))
        assert ledger.shorten("net", 100, 3) == 3
        assert ledger.shorten("net", 4, 0) == 3
        assert [one.message for one in ledger.waiting("net", "#a", 0, 99)] == list("6789")
        assert ledger.length("other") == (10, 0)


async def test_one_at_a_time_has_the_file(tmp_path: Path) -> None:
    order: list[str] = []

    async def use(name: str) -> None:
        async with Ledger(tmp_path / "l").opened() as ledger:
            order.append(f"{name} in")
            ledger.block("net", name)
            await asyncio.sleep(0)
            order.append(f"{name} out")

    await asyncio.gather(use("a"), use("b"))
    assert order in (["a in", "a out", "b in", "b out"], ["b in", "b out", "a in", "a out"])


async def test_a_flow_says_one_after_the_other_and_again_what_was_not_acknowledged(
    tmp_path: Path,
) -> None:
    async with Ledger(tmp_path / "l").opened() as ledger:
        given: list[Delivery] = []
        flow = Flow(ledger, "net", "#a", given.append)
        for number in range(250):
            ledger.take("net", "room", number, delivery(str(number)))
        ledger.take("net", "room", 250, delivery("elsewhere", "#b"))
        flow.pump()
        assert not given
        flow.open()
        flow.pump()
        assert [one.message for one in given] == ["0"]
        flow.shut()
        flow.open()
        assert [one.message for one in given] == ["0", "0"]
        while flow.underway is not None:
            ledger.done(flow.underway.number)
            assert flow.settled(flow.underway.number) is not None
            flow.pump()
        assert [one.message for one in given] == ["0", *map(str, range(250))]
        assert ledger.length("net") == (1, 1)
        assert flow.settled(given[-1].number) is None
        ledger.take("net", "room", 251, delivery("more"))
        flow.pump()
        assert given[-1].message == "more"


async def test_a_message_keeps_its_first_name_and_is_found_by_all(tmp_path: Path) -> None:
    async with Ledger(tmp_path / "l").opened() as ledger:
        # Within one millisecond, and by a clock that is set back.
        for at, name in ((50, "first"), (50, "second"), (20, "third"), (90, "first")):
            ledger.name("net", "#a", name, "m", at)
        ledger.name("net", "#a", "else", "n", 10)
        assert ledger.remote_ids("net", "m") == ["first", "second", "third"]
        assert {ledger.message("net", "#a", one) for one in ("first", "second", "third")} == {"m"}
        assert ledger.remote_ids("net", "none") == []
        # As long as one of them is young, all are kept.
        ledger.forget_names(52)
        assert ledger.remote_ids("net", "m") == ["first", "second", "third"]
        assert ledger.remote_ids("net", "n") == []
        ledger.forget_names(53)
        assert ledger.remote_ids("net", "m") == []
