"""What is read of a room's archive: backwards, until what is known, and how much at most."""

import contextlib
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from hubbub.bridges.xmpp.muc import names as ns
from hubbub.bridges.xmpp.muc.archive import since

pytestmark = pytest.mark.anyio

ROOM = "tea@rooms.test"
START = datetime.fromtimestamp(0, UTC)


class Archive:
    """A room's, with messages of these numbers, asked as a connection asks."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked = 0
        self._results: list[Element] = []

    @contextlib.contextmanager
    def collecting(self, query_id: str) -> Iterator[list[Element]]:
        self._results = []
        yield self._results

    async def ask(self, to: str, query: Element, kind: str) -> Element:
        assert (to, kind) == (ROOM, "set")
        self.asked += 1
        before = query.findtext(f"{{{ns.RSM}}}set/{{{ns.RSM}}}before")
        size = int(query.findtext(f"{{{ns.RSM}}}set/{{{ns.RSM}}}max") or 0)
        end = int(before) if before else self.count
        first = max(0, end - size)
        self._results += [_result(number) for number in range(first, end)]
        complete = "true" if first == 0 else "false"
        return ElementTree.fromstring(f"<iq><fin xmlns='{ns.MAM}' complete='{complete}'/></iq>")


def _result(number: int) -> Element:
    return ElementTree.fromstring(
        f"<result xmlns='{ns.MAM}' id='{number}'><forwarded xmlns='{ns.FORWARD}'>"
        f"<message xmlns='jabber:client' from='{ROOM}/ada' type='groupchat'>"
        f"<body>{number}</body></message></forwarded></result>"
    )


async def read(archive: Any, known: int = 0) -> list[int]:
    found = since(archive, ROOM, START, lambda id_: int(id_) < known)
    return [int(one.body()[0]) async for one in found]


async def test_all_of_it_in_order() -> None:
    assert await read(Archive(0)) == []
    assert await read(Archive(1)) == [0]
    assert await read(Archive(1_234)) == list(range(1_234))


async def test_what_is_known_ends_it_a_page_later() -> None:
    archive = Archive(5_000)
    assert await read(archive, known=4_810) == list(range(4_810, 5_000))
    assert archive.asked == 5


async def test_of_too_much_the_newest_and_never_silently(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "hubbub"):
        assert await read(Archive(10_000)) == list(range(10_000))
        assert not caplog.records
        assert await read(Archive(30_000)) == list(range(20_000, 30_000))
    (record,) = caplog.records
    assert "more was said" in record.getMessage()
