"""Histories on disk: what comes back after the end, what is refused, and in which order."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from hubbub.hub.options import ChannelOptions, ChannelTable
from hubbub.hub.sessions import Sessions
from hubbub.hub.storage import Entry, SqliteHistory, StorageFailure
from hubbub.hub.wire import SubscribeRequest, SubscribeResult

pytestmark = pytest.mark.anyio

KEPT = ChannelOptions(subscribe="anyone", history_limit=5, persistent=True)


class World:
    """A hub's tables on a file, as often as one wants."""

    def __init__(self, path: Path) -> None:
        self.heard: list[str] = []
        self.store = SqliteHistory(path, asyncio.get_running_loop())
        table = ChannelTable()
        table.add("room", KEPT)
        self.sessions = Sessions(self._hear, table, store=self.store)

    def _hear(self, topic: str, frame: str, /, *, key: str | None = None) -> int:
        self.heard.append(frame)
        return 0


async def test_a_stream_goes_on_where_it_ended(tmp_path: Path) -> None:
    path = tmp_path / "new folder/history.sqlite3"
    first = World(path)
    places = [await first.sessions.publish("room", b"%d" % number) for number in range(7)]
    assert [offset for offset, _ in places] == [1, 2, 3, 4, 5, 6, 7]
    epoch = places[0][1]
    first.store.close()
    second = World(path)
    assert await second.sessions.publish("room", b"7") == (8, epoch)
    found = second.sessions.channels.after("room", epoch, 5, second.sessions.clock_s())
    assert found == [b'{"data":%d,"offset":%d}' % (offset - 1, offset) for offset in (6, 7, 8)]
    assert second.sessions.channels.after("room", epoch, 2, second.sessions.clock_s()) is None
    second.store.close()


async def test_nobody_hears_what_is_not_on_disk(tmp_path: Path) -> None:
    world = World(tmp_path / "history.sqlite3")
    publishing = world.sessions.publish("room", b"1")
    assert not publishing.is_done
    assert world.heard == []
    await publishing
    assert len(world.heard) == 1
    world.store.close()


async def test_a_key_is_stored_once_also_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    first = World(path)
    at_once = [first.sessions.publish("room", b"1", key="k") for _ in range(3)]
    places = await asyncio.gather(*at_once)
    assert len(set(places)) == 1
    assert len(first.heard) == 1
    first.store.close()
    second = World(path)
    assert await second.sessions.publish("room", b"1", key="k") == places[0]
    assert await second.sessions.publish("room", b"1", key="other") == (2, places[0][1])
    assert len(second.heard) == 1
    second.store.close()


async def test_what_cannot_be_stored_is_told_and_heard_by_nobody(tmp_path: Path) -> None:
    world = World(tmp_path / "history.sqlite3")
    await world.sessions.publish("room", b"1")
    # As a full disk does: the next page cannot be had.
    world.store._writer.execute("pragma max_page_count = 1")
    large = b'"' + b"x" * 100_000 + b'"'
    publishing = world.sessions.publish("room", large)
    frames: set[int] = set()
    for _ in range(3):
        with pytest.raises(StorageFailure, match="full") as raised:
            await publishing
        frames.add(len(raised.traceback))
    assert len(frames) == 1, "it is told anew each time, without the frames of before"
    assert len(world.heard) == 1
    world.store._writer.execute("pragma max_page_count = 1000000")
    assert (await world.sessions.publish("room", b"2"))[0] == 2
    world.store.close()


async def test_old_publications_leave_the_disk(tmp_path: Path) -> None:
    world = World(tmp_path / "history.sqlite3")
    await asyncio.gather(*(world.sessions.publish("room", b"1") for _ in range(100)))
    stream = world.store.load("room", 1_000)
    assert stream is not None
    assert stream.offset == 100
    assert len(stream.publications) == 5
    world.store.close()


async def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    path.write_bytes(b"this is no database at all, but long enough to be looked at" * 10)
    with pytest.raises(StorageFailure, match=r"history\.sqlite3"):
        World(path)


async def test_the_end_of_the_loop_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    store = SqliteHistory(path, asyncio.get_running_loop())
    for _ in range(50):
        entry = Entry("room", "abc", 0.0, b"1", None, None, None, 1_000, 60.0)
        store.append(entry, lambda offset, is_new, failure: None)
    store.close()
    again = SqliteHistory(path, asyncio.get_running_loop())
    stream = again.load("room", 1_000)
    assert stream is not None
    assert (stream.epoch, stream.offset, len(stream.publications)) == ("abc", 50, 50)
    again.close()


async def test_what_memory_had_to_forget_is_read_again(tmp_path: Path) -> None:
    world = World(tmp_path / "history.sqlite3")
    places = [await world.sessions.publish("room", b"%d" % number) for number in range(5)]
    world.sessions.channels.set_held_limit(1)
    epoch = places[0][1]
    assert world.sessions.channels.after("room", epoch, 2, world.sessions.clock_s()) is None
    world.sessions.channels.set_held_limit(1 << 20)
    request = SubscribeRequest("room", recover=True, epoch=epoch, offset=2)
    result = SubscribeResult(epoch=epoch, offset=5)
    world.sessions._recover(False, request, result, world.sessions.clock_s())
    assert result.recovered
    assert [msgspec.json.decode(one)["data"] for one in result.publications] == [2, 3, 4]
    world.sessions.forget("room")
    assert (await world.sessions.publish("room", b"9"))[0] == 6
    stream = world.store.load("room", 10)
    assert stream is not None
    assert [one[0] for one in stream.publications] == [b"9"]
    world.store.close()
