"""The engine as the selector of a stock `asyncio.SelectorEventLoop`: one epoll for both.

What concerns the engine is handled inside `select`; what asyncio registered comes out of it.
Knows nothing of applications, nor of loops that somebody else has made (see `loop`).
"""

import selectors
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from hubbub._core import Engine


class EngineSelector(selectors.BaseSelector):
    """A selector that serves connections while it waits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys: dict[int, selectors.SelectorKey] = {}
        self._map = _Map(self._keys)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watches a descriptor.

        Raises:
            KeyError: It is watched already.
            ValueError: It is no descriptor, or there are no such events.
        """
        if not events or events & ~(selectors.EVENT_READ | selectors.EVENT_WRITE):
            raise ValueError(f"not events: {events!r}")
        fd = descriptor(fileobj)
        if fd in self._keys:
            raise KeyError(f"{fileobj!r} (descriptor {fd}) is already registered")
        key = selectors.SelectorKey(fileobj, fd, events, data)
        self._engine.register(fd, events, key)
        self._keys[fd] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Watches a descriptor no more.

        Raises:
            KeyError: It was not watched.
        """
        key = self._keys.pop(self._map.descriptor_of(fileobj))
        # What was closed before is watched no more already.
        with suppress(OSError):
            self._engine.unregister(key.fd)
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Changes what is watched.

        Raises:
            KeyError: It is not watched.
        """
        old = self._keys[descriptor(fileobj)]
        key = selectors.SelectorKey(old.fileobj, old.fd, events, data)
        self._engine.modify(key.fd, events, key)
        self._keys[key.fd] = key
        return key

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Waits, serves, and returns asyncio's own descriptors that are ready."""
        return self._engine.select(timeout)

    def close(self) -> None:
        """Drops all connections: the end of the loop is the end of its engine."""
        self._keys.clear()
        self._engine.shutdown()

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """What is watched, by descriptor or file object."""
        return self._map


class _Map(Mapping[Any, selectors.SelectorKey]):
    """The keys by descriptor; a file object is found by its own."""

    def __init__(self, keys: dict[int, selectors.SelectorKey]) -> None:
        self._keys = keys

    def __getitem__(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys[self.descriptor_of(fileobj)]

    def descriptor_of(self, fileobj: Any) -> int:
        """The number that a file object was registered with, be it that it is closed by now.

        Raises:
            KeyError: It was not.
        """
        try:
            return descriptor(fileobj)
        except ValueError:
            for fd, key in self._keys.items():
                if key.fileobj is fileobj:
                    return fd
            raise KeyError(f"{fileobj!r} is not registered") from None

    def __iter__(self) -> Iterator[int]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


def descriptor(fileobj: Any) -> int:
    """The number of a descriptor, given as such or as an object with `fileno()`.

    Raises:
        ValueError: It is neither, or closed.
    """
    try:
        fd = fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"not a file object: {fileobj!r}") from None
    if fd < 0:
        raise ValueError(f"not a descriptor: {fd}")
    return fd
