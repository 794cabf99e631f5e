"""Who comes and goes, told in portions when they are many.

The first who comes is told at once; who follows within a moment is gathered, and told in one frame.
Of each client the last event counts: whoever hears all frames ends with the exact set.
"""

from collections.abc import Callable

from msgspec import Raw

from hubbub.hub import wire

_GATHER_S = 0.1
_FRAME_LIMIT = 60_000
"""How long a frame may be: clients have limits, too."""

Later = Callable[[float, Callable[[], None]], object]
"""Calls something so many seconds from now."""


class Storms:
    """Comings and goings of all channels that are not told yet.

    Args:
        tell: Sends a frame to all who want to know of a channel.
        later: When the gathered ones are told; without it all are told at once.
    """

    def __init__(self, tell: Callable[[str, str], None], later: Later | None) -> None:
        self._tell = tell
        self._later = later
        self._gathered: dict[str, dict[str, tuple[str, bytes]]] = {}
        self._is_over = False

    def tell(self, channel: str, what: str, client: str, about: bytes) -> None:
        """A client has come ("join") or gone ("leave")."""
        if self._is_over:
            return
        gathered = self._gathered.get(channel)
        if gathered is not None:
            # In the place of its last event, not in that of its first.
            gathered.pop(client, None)
            gathered[client] = what, about
            return
        self._tell(channel, _push(channel, what, about))
        if self._later is not None:
            self._gather(channel, self._later)

    def calm_all(self) -> None:
        """Tells all that is gathered."""
        for channel in tuple(self._gathered):
            self._flush(channel, self._gathered.pop(channel))

    def end(self) -> None:
        """Nobody is there any more who could be told."""
        self._is_over = True
        self._gathered.clear()

    def _gather(self, channel: str, later: Later) -> None:
        self._gathered[channel] = {}
        later(_GATHER_S, lambda: self._calm(channel, later))

    def _calm(self, channel: str, later: Later) -> None:
        gathered = self._gathered.pop(channel, None)
        if gathered:
            self._flush(channel, gathered)
            self._gather(channel, later)

    def _flush(self, channel: str, gathered: dict[str, tuple[str, bytes]]) -> None:
        lines: list[str] = []
        size = 0
        for what, about in gathered.values():
            line = _push(channel, what, about)
            if size + len(line) > _FRAME_LIMIT:
                self._tell(channel, "\n".join(lines))
                lines, size = [], 0
            lines.append(line)
            size += len(line) + 1
        if lines:
            self._tell(channel, "\n".join(lines))


def _push(channel: str, what: str, about: bytes) -> str:
    return wire.push(channel, what, {"info": Raw(about)})
