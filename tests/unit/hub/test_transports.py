"""Streams that are read too slowly: each policy, and the memory of all of them."""

import pytest

from hubbub.hub.options import Slow
from hubbub.hub.transports import Listeners, StreamTransport

pytestmark = pytest.mark.anyio

FRAME = "x" * 100


def stream(listeners: Listeners, *topics: str) -> StreamTransport:
    transport = StreamTransport(listeners, 1_000)
    for topic in topics:
        transport.listen(topic)
    return transport


async def heard(transport: StreamTransport) -> list[str]:
    return [frame[:2] for frame in await transport.take()]


def tell(listeners: Listeners, slow: Slow, count: int, keys: int = 0) -> None:
    for number in range(count):
        key = str(number % keys) if keys else None
        listeners.tell("t", f"{number:02}" + FRAME[2:], slow, key)


async def test_close_is_told_and_holds_nothing() -> None:
    listeners = Listeners()
    slow = stream(listeners, "t")
    slow.send("hello")
    assert await heard(slow) == ["he"]
    tell(listeners, "close", 11)
    assert slow.is_closed
    (farewell,) = await slow.take()
    assert '"code":3008' in farewell
    assert listeners.slow_closed == 1
    assert listeners.held_bytes == 0
    assert listeners.tell("t", FRAME) == 0


async def test_the_newest_are_left_out() -> None:
    listeners = Listeners()
    slow = stream(listeners, "t")
    tell(listeners, "drop-newest", 15)
    assert await heard(slow) == [f"{number:02}" for number in range(10)]
    assert listeners.dropped == 5


async def test_the_oldest_are_left_out_but_never_an_answer() -> None:
    listeners = Listeners()
    slow = stream(listeners, "t")
    slow.send("an" + FRAME[2:])
    tell(listeners, "drop-oldest", 15)
    assert await heard(slow) == ["an"] + [f"{number:02}" for number in range(6, 15)]
    assert listeners.dropped == 6


async def test_of_each_key_the_newest_waits_where_the_first_stood() -> None:
    listeners = Listeners()
    slow = stream(listeners, "t")
    slow.send("an" + FRAME[2:])
    tell(listeners, "conflate", 95, keys=9)
    assert await heard(slow) == ["an", "90", "91", "92", "93", "94", "86", "87", "88", "89"]
    assert (listeners.conflated, listeners.dropped) == (86, 0)
    tell(listeners, "conflate", 1, keys=9)
    assert await heard(slow) == ["00"], "what was read is not replaced"


async def test_all_streams_together_hold_so_much_and_no_more() -> None:
    listeners = Listeners(held_limit_bytes=1_500)
    first, second = stream(listeners, "t"), stream(listeners, "t")
    tell(listeners, "drop-newest", 10)
    assert listeners.held_bytes <= 1_500
    assert listeners.dropped == 5
    first.abandon()
    assert listeners.held_bytes == 700
    assert len(await second.take()) == 7
    assert listeners.held_bytes == 0


async def test_an_answer_goes_however_long_it_is() -> None:
    listeners = Listeners()
    reader = stream(listeners)
    reader.send("{}")
    reader.send("an" + "x" * 5_000)
    assert await heard(reader) == ["{}", "an"]
    reader.send("an" + "x" * 5_000)
    assert await heard(reader) == ["an"]
    assert not reader.is_closed


async def test_a_publication_goes_however_long_it_is_when_nothing_waits() -> None:
    listeners = Listeners()
    reader = stream(listeners, "t")
    for slow in ("close", "drop-newest", "drop-oldest", "conflate"):
        listeners.tell("t", slow + "x" * 5_000, slow)
        assert await heard(reader) == [slow[:2]]
    assert not reader.is_closed


async def test_who_waits_for_more_gets_what_there_was_before_it_was_too_much() -> None:
    listeners = Listeners()
    reader = stream(listeners)
    for number in range(3):
        reader.send(f"{number}" + "x" * 5_000)
    first, farewell = await reader.take()
    assert first[0] == "0", "or it would come back for the same, and for ever"
    assert '"code":3008' in farewell
    assert await reader.take() == []
    assert listeners.held_bytes == 0


async def test_what_all_streams_may_hold_bounds_the_longest_frame() -> None:
    listeners = Listeners(held_limit_bytes=4_000)
    reader = stream(listeners, "t")
    listeners.tell("t", "x" * 5_000, "drop-newest")
    assert listeners.dropped == 1
    reader.send("x" * 5_000)
    (farewell,) = await reader.take()
    assert '"code":3008' in farewell
