"""The selector as asyncio sees it; here over an engine that only keeps books."""

import selectors
import socket
from typing import Any

import pytest

import hubbub
from hubbub.selector import EngineSelector, descriptor


class Books:
    """What was registered at the engine."""

    def __init__(self) -> None:
        self.watched: dict[int, tuple[int, Any]] = {}
        self.is_shut_down = False

    def register(self, fd: int, events: int, key: Any) -> None:
        self.watched[fd] = events, key

    modify = register

    def unregister(self, fd: int) -> None:
        del self.watched[fd]

    def select(self, timeout: float | None) -> list[tuple[Any, int]]:
        return [(key, events) for events, key in self.watched.values()]

    def shutdown(self) -> None:
        self.is_shut_down = True


@pytest.fixture
def engine() -> Any:
    return Books()


def test_what_was_closed_before_can_be_taken_out() -> None:
    """As asyncio's own loops have it; its number may be somebody else's by then."""
    loop = hubbub.new_event_loop()
    try:
        one, other = socket.socketpair()
        number = one.fileno()
        loop.add_reader(one, print)
        one.close()
        assert loop.remove_reader(one)
        assert not loop.remove_reader(one)
        again, last = socket.socketpair()
        assert number in (again.fileno(), last.fileno())
        for each in (again, last):
            loop.add_reader(each, print)
            assert loop.remove_reader(each)
        for each in (other, again, last):
            each.close()
    finally:
        loop.close()


def test_keys_come_back_from_select(engine: Any) -> None:
    selector = EngineSelector(engine)
    key = selector.register(7, selectors.EVENT_READ, "data")
    assert selector.select(0) == [(key, selectors.EVENT_READ)]
    assert (key.fd, key.data) == (7, "data")
    changed = selector.modify(7, selectors.EVENT_WRITE, "other")
    assert selector.select(0) == [(changed, selectors.EVENT_WRITE)]
    assert selector.get_key(7) == changed
    assert dict(selector.get_map()) == {7: changed}
    assert selector.unregister(7) == changed
    assert selector.select(0) == []


def test_what_stock_selectors_refuse(engine: Any) -> None:
    selector = EngineSelector(engine)
    selector.register(7, selectors.EVENT_READ)
    with pytest.raises(KeyError):
        selector.register(7, selectors.EVENT_READ)
    for wrong in (selector.unregister, selector.get_key):
        with pytest.raises(KeyError):
            wrong(8)
    with pytest.raises(KeyError):
        selector.modify(8, selectors.EVENT_READ)
    for events in (0, 4):
        with pytest.raises(ValueError, match="not events"):
            selector.register(9, events)
    assert -1 not in selector.get_map()


def test_file_objects(engine: Any) -> None:
    selector = EngineSelector(engine)
    left, right = socket.socketpair()
    with left, right:
        key = selector.register(left, selectors.EVENT_READ)
        assert key.fd == left.fileno()
        assert selector.get_key(left) == key
        assert len(selector.get_map()) == 1
        selector.unregister(left)
    for closed in (left, "x", None, -1):
        with pytest.raises(ValueError, match="not a"):
            descriptor(closed)


def test_closing_ends_the_engine(engine: Any) -> None:
    EngineSelector(engine).close()
    assert engine.is_shut_down
