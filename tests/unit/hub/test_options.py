"""What channels do, by the closest pattern."""

import pytest

from hubbub.errors import Misuse
from hubbub.hub.options import ChannelOptions, ChannelTable


def test_the_closest_pattern_decides() -> None:
    table = ChannelTable()
    some, more, exact = (ChannelOptions(history_limit=number) for number in (1, 2, 3))
    table.add("room:*", some)
    table.add("room:quiet:*", more)
    table.add("room:quiet:hall", exact)
    assert table.of("room:a") is some
    assert table.of("room:quiet:a") is more
    assert table.of("room:quiet:hall") is exact
    assert table.of("other") == ChannelOptions()
    assert table.of("room") == ChannelOptions()


def test_a_pattern_is_declared_once() -> None:
    table = ChannelTable()
    table.add("a", ChannelOptions())
    table.add("a*", ChannelOptions())
    for pattern in ("a", "a*"):
        with pytest.raises(Misuse):
            table.add(pattern, ChannelOptions())


def test_options_are_read_as_people_write_them() -> None:
    options = ChannelOptions(history_limit=1, history_age="5min", history_limit_bytes="1KiB")
    assert (options.history_age_s, options.history_bytes) == (300, 1024)
    with pytest.raises(Misuse, match="12 bananas"):
        ChannelOptions(history_age="12 bananas")
    with pytest.raises(Misuse, match="history"):
        ChannelOptions(cache=True)
    for contradiction in ({"history_limit": 1}, {"delta": True}):
        with pytest.raises(Misuse, match="left out"):
            ChannelOptions(slow="conflate", **contradiction)  # type: ignore[arg-type]
