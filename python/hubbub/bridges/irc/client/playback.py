"""`Playback`: which lines are of the past: a server, or a bouncer, plays them back (pure).

Those in a batch of history (IRCv3 chathistory, ZNC's playback), and those that bear a time before
we came, by the server's own clock: nobody but the server can say so.
"""

from hubbub.bridges.irc.client.crowd import Channel
from hubbub.bridges.irc.line import Line

PAST_LIMIT = 5_000
"""So much of a channel's past is none's flood, each time we come in; more is as if said now."""

BATCHES_LIMIT = 100
"""How many batches may be open at once; a server that opens more is not believed."""

_HISTORIES = {"chathistory", "znc.in/playback"}


class Playback:
    """What one connection is played."""

    def __init__(self) -> None:
        self._batches: set[str] = set()

    def batch(self, line: Line) -> None:
        """A batch begins or ends."""
        name, kind = line.param(0), line.param(1)
        if name.startswith("-"):
            self._batches.discard(name[1:])
        elif (kind in _HISTORIES or self.has(line)) and len(self._batches) < BATCHES_LIMIT:
            self._batches.add(name[1:])

    def has(self, line: Line) -> bool:
        """Whether a line is in a batch of history."""
        return line.tags.get("batch") in self._batches

    def is_past(self, line: Line, channel: Channel) -> bool:
        """Whether what a line says was said before we came into a channel."""
        return self.has(line) or line.tags.get("time", channel.since) < channel.since

    def is_excused(self, channel: Channel) -> bool:
        """Counts something past; tells whether it is no flood."""
        channel.past += 1
        return channel.past <= PAST_LIMIT
