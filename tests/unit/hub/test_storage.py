"""Histories on disk: what comes back after the end, what is refused, and in which order."""

import asyncio
import sqlite3
import time
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
        self.table = ChannelTable()
        self.table.add("room", KEPT)
        self.sessions = Sessions(self._hear, self.table, store=self.store)

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


@pytest.mark.parametrize("goes", ["by its number", "by hand"])
async def test_a_key_is_known_longer_than_its_publication(tmp_path: Path, goes: str) -> None:
    path = tmp_path / "history.sqlite3"
    first = World(path)
    place = await first.sessions.publish("room", b"0", key="k")
    if goes == "by hand":
        first.sessions.forget("room")
    else:
        await asyncio.gather(*(first.sessions.publish("room", b"1") for _ in range(100)))
    heard = len(first.heard)
    assert await first.sessions.publish("room", b"0", key="k") == place
    assert len(first.heard) == heard
    last = await first.sessions.publish("room", b"2")
    assert last == first.sessions.channels.position("room", 0.0)[::-1]  # type: ignore[index]
    first.store.close()
    second = World(path)
    assert await second.sessions.publish("room", b"0", key="k") == place
    assert second.heard == []
    assert await second.sessions.publish("room", b"3") == (last[0] + 1, place[1])
    second.store.close()


async def appended(store: SqliteHistory, key: str | None, at_s: float) -> tuple[int, bool]:
    """Stores a publication beside everybody's back; tells its offset and whether it is new."""
    told: asyncio.Future[tuple[int, bool]] = asyncio.get_running_loop().create_future()
    entry = Entry("room", "abc", 0, at_s, b"1", None, None, key, 5, 60.0)
    store.append(entry, lambda offset, is_new, failure: told.set_result((offset, is_new)))
    return await told


async def test_keys_leave_the_disk_after_two_minutes(tmp_path: Path) -> None:
    store = SqliteHistory(tmp_path / "history.sqlite3", asyncio.get_running_loop())
    assert await appended(store, "a", 1_000.0) == (1, True)
    assert await appended(store, "b", 1_119.0) == (2, True)
    assert await appended(store, "a", 1_119.0) == (1, False)
    assert await appended(store, "a", 1_120.0) == (3, True)
    assert await appended(store, "c", 1_239.0) == (4, True)
    keys = store._reader.execute("select key, offset from recent_keys order by key").fetchall()
    assert keys == [("a", 3), ("c", 4)]
    store.close()


async def test_keys_of_older_files_are_known(tmp_path: Path) -> None:
    path, now_s = tmp_path / "history.sqlite3", time.time()
    older = sqlite3.connect(path, isolation_level=None)
    older.executescript("""
        create table streams (
            channel text primary key, epoch text not null, offset integer not null
        ) without rowid;
        create table publications (
            channel text not null, offset integer not null, at_s real not null,
            data blob not null, info blob, tags blob, key text,
            primary key (channel, offset)
        ) without rowid;
        create index keys on publications (channel, key) where key is not null;
        insert into streams values ('room', 'abc', 2);
    """)
    for offset, at_s in ((1, now_s - 500), (2, now_s - 5)):
        row = ("room", offset, at_s, b"1", None, None, "k")
        older.execute("insert into publications values (?, ?, ?, ?, ?, ?, ?)", row)
    older.close()
    world = World(path)
    assert await world.sessions.publish("room", b"1", key="k") == (2, "abc")
    assert await world.sessions.publish("room", b"1") == (3, "abc")
    world.store.close()


async def test_memory_that_stands_elsewhere_than_the_disk_catches_up(tmp_path: Path) -> None:
    world = World(tmp_path / "history.sqlite3")
    _, epoch = await world.sessions.publish("room", b"0")
    entry = Entry("room", epoch, 1, time.time(), b"1", None, None, None, 5, 60.0)
    world.store.append(entry, lambda offset, is_new, failure: None)
    at_once = [world.sessions.publish("room", b"%d" % number) for number in (2, 3)]
    assert [offset for offset, _ in await asyncio.gather(*at_once)] == [3, 4]
    assert ['"offset":3' in frame for frame in world.heard] == [False, True, False]
    found = world.sessions.channels.after("room", epoch, 0, world.sessions.clock_s())
    assert found == [b'{"data":%d,"offset":%d}' % (offset - 1, offset) for offset in (1, 2, 3, 4)]
    world.store.close()


async def test_a_stream_goes_on_where_it_stood_before_it_was_persistent(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite3"
    first = World(path)
    _, epoch = await first.sessions.publish("room", b"0")
    # As while a reloaded app declares it otherwise.
    assert first.sessions.say("room", KEPT, b"1") == (2, epoch)
    assert await first.sessions.publish("room", b"2") == (3, epoch)
    first.store.close()
    second = World(path)
    assert await second.sessions.publish("room", b"3") == (4, epoch)
    now_s = second.sessions.clock_s()
    found = second.sessions.channels.after("room", epoch, 2, now_s)
    assert found == [b'{"data":2,"offset":3}', b'{"data":3,"offset":4}']
    assert second.sessions.channels.after("room", epoch, 1, now_s) is None, "one is not on disk"
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


async def test_one_that_cannot_be_told_keeps_no_other_from_being_heard(tmp_path: Path) -> None:
    world = World(tmp_path / "history.sqlite3")
    world.table.add("other", KEPT)
    hear = world._hear

    def broken(topic: str, frame: str, /, *, key: str | None = None) -> int:
        if "other" in topic:
            raise RuntimeError("nobody is reached")
        return hear(topic, frame)

    world.sessions._publish = broken
    at_once = [world.sessions.publish(channel, b"1") for channel in ("room", "other", "room")]
    async with asyncio.timeout(10):
        first, failed, last = await asyncio.gather(*at_once, return_exceptions=True)
    assert isinstance(failed, RuntimeError)
    assert (first, last) == ((1, first[1]), (2, first[1]))  # type: ignore[index]
    assert len(world.heard) == 2
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
        entry = Entry("room", "abc", 0, 0.0, b"1", None, None, None, 1_000, 60.0)
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
