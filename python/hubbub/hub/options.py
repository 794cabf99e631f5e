"""What the channels of a hub do, by the beginnings of their names (pure)."""

from dataclasses import dataclass, field
from typing import Literal

from hubbub.config import duration_s, size_bytes
from hubbub.errors import Misuse

Subscribers = Literal["anyone", "authorized"]
"""Who may subscribe: everybody, or who has a token or is let in by `authorize`."""

Publishers = Literal["nobody", "subscribers", "anyone", "authorized"]
"""Which clients may publish: "authorized" asks `on_publish`, which then has to be there."""

Slow = Literal["close", "drop-newest", "drop-oldest", "conflate"]
"""What happens to a subscriber that reads too slowly, or to what it is sent."""

Duration = str | float
Size = str | int


@dataclass(frozen=True)
class ChannelOptions:
    """Options of all channels whose names begin alike."""

    history_limit: int = 0
    """How many publications are kept; 0: none, and nobody can resume."""

    history_age: Duration = "300s"
    """How long they are kept."""

    history_limit_bytes: Size = "4MiB"
    """How much of them is kept."""

    resumable: Duration = "24h"
    """How long a channel without publications can still be resumed."""

    persistent: bool = False
    """Whether the history outlives the process: on disk before anybody hears of it."""

    presence: bool = False
    """Whether it is known, and told to subscribers, who is there."""

    join_leave: bool = False
    """Whether subscribers who want it are told of each who comes and goes."""

    cache: bool = False
    """Who resumes wants the newest publication only, however many were missed."""

    delta: bool = False
    """Whether clients that ask for it get what changed since the publication before."""

    slow: Slow = "close"
    """What happens to who reads too slowly: "close", it comes back and resumes; or what is left out
    for it: "drop-newest", "drop-oldest", or "conflate": of those published under the same key only
    the newest waits. The offsets of what it hears then show how many were left out."""

    subscribe: Subscribers = "authorized"
    """Who may subscribe."""

    publish: Publishers = "nobody"
    """Which clients may publish."""

    history_age_s: float = field(init=False, default=0)
    resumable_s: float = field(init=False, default=0)
    history_bytes: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Reads durations and sizes.

        Raises:
            Misuse: One of them is none, or options contradict each other.
        """
        try:
            object.__setattr__(self, "history_age_s", duration_s(self.history_age))
            object.__setattr__(self, "resumable_s", duration_s(self.resumable))
            object.__setattr__(self, "history_bytes", size_bytes(self.history_limit_bytes))
        except ValueError as error:
            raise Misuse(str(error)) from None
        if self.persistent and self.history_limit == 0:
            raise Misuse("persistent keeps a history: give history_limit=1 or more")
        if self.cache and self.history_limit == 0:
            raise Misuse("a cache needs a history: give history_limit=1 or more")
        if self.slow != "close" and (self.history_limit > 0 or self.delta):
            raise Misuse("nothing may be left out of a history, or between deltas: slow='close'")

    @property
    def is_plain(self) -> bool:
        """Whether a publication goes out as it is, to everybody alike, and is done with."""
        return not self.persistent and not self.delta and self.slow == "close"

    @property
    def is_numbered(self) -> bool:
        """Whether publications have offsets: to resume, or to see that some were left out."""
        return self.history_limit > 0 or self.slow != "close"


_FOUND_MAX = 4096
"""For how many names the answer is remembered."""


class ChannelTable:
    """Options by pattern: a whole name, or its beginning and a star. The longest decides."""

    def __init__(self) -> None:
        self._exact: dict[str, ChannelOptions] = {}
        self._prefixes: list[tuple[str, ChannelOptions]] = []
        self._default = ChannelOptions()
        self._found: dict[str, ChannelOptions] = {}

    def add(self, pattern: str, options: ChannelOptions) -> None:
        """Declares the options of a pattern.

        Raises:
            Misuse: It is declared already.
        """
        self._found.clear()
        prefix = pattern.removesuffix("*")
        known = self._exact if prefix == pattern else dict(self._prefixes)
        if prefix in known:
            raise Misuse(f"declared twice: channel {pattern!r}")
        if prefix == pattern:
            self._exact[pattern] = options
        else:
            self._prefixes.append((prefix, options))
            self._prefixes.sort(key=lambda one: -len(one[0]))

    def declared(self) -> list[tuple[str, ChannelOptions]]:
        """All that was declared, by pattern."""
        prefixes = [(prefix + "*", options) for prefix, options in self._prefixes]
        return [*prefixes, *self._exact.items()]

    def of(self, channel: str) -> ChannelOptions:
        """The options of a channel."""
        found = self._found.get(channel)
        if found is None:
            if len(self._found) >= _FOUND_MAX:
                self._found.clear()
            found = self._found[channel] = self._find(channel)
        return found

    def _find(self, channel: str) -> ChannelOptions:
        exact = self._exact.get(channel)
        if exact is not None:
            return exact
        for prefix, options in self._prefixes:
            if channel.startswith(prefix):
                return options
        return self._default
