"""`Delivering`: what one connection was given to tell, until its server has acknowledged it (pure).

With echo-message a server shows us each line when it has told it on; without, a PING behind the
lines comes back as a PONG when it has worked them off.
"""

from collections import OrderedDict
from dataclasses import dataclass

from hubbub.bridges.irc.client.sending import Out
from hubbub.bridges.irc.line import Line
from hubbub.bridges.link import remote as net

LATE_S = 20.0
"""After this time a line that was not shown is asked after."""

_TOKEN = "hubbub-"  # noqa: S105 - what a PING carries
_CONFIRMED_LIMIT = 1_000


@dataclass
class Underway:
    """A delivery whose lines were put, and not all acknowledged."""

    number: int
    key: str
    left: int
    """Lines that were not shown yet."""

    unwritten: int
    """Lines that wait for their turn."""

    since_s: float
    """When the last one was written."""

    by_echo: bool
    remote_id: str = ""
    is_asked: bool = False


class Delivering:
    """Deliveries of one connection, and of those before it: what was shown is not said again."""

    def __init__(self) -> None:
        self._underway: dict[int, Underway] = {}
        self._shown: OrderedDict[int, tuple[int, str]] = OrderedDict()

    def put(self, number: int, key: str, lines: list[Line], *, has_echo: bool) -> list[Out]:
        """The lines of a delivery, as they are to be sent.

        Args:
            number: The delivery's.
            key: Its channel, folded.
            lines: All its lines.
            has_echo: Whether the server shows us what we say.
        """
        by_echo = has_echo and all(one.command in ("PRIVMSG", "NOTICE") for one in lines)
        shown, remote_id = self._shown.get(number, (0, "")) if by_echo else (0, "")
        rest = lines[min(shown, len(lines) - 1) :]
        self._underway[number] = Underway(
            number, key, len(rest), len(rest), 0.0, by_echo, remote_id
        )
        outs = [Out(line, number, is_first=at == 0) for at, line in enumerate(rest)]
        return outs if by_echo else [*outs, Out(asked(number))]

    def wrote(self, number: int, now_s: float) -> None:
        """A line of it is on its way."""
        one = self._underway.get(number)
        if one is not None:
            one.unwritten -= 1
            one.since_s = now_s

    def echoed(self, key: str, remote_id: str) -> net.Told | None:
        """The server has shown us a line of ours."""
        one = self._of(key)
        if one is None:
            return None
        one.remote_id = one.remote_id or remote_id
        one.left -= 1
        if not one.by_echo:
            return None
        if one.left > 0:
            lines, _ = self._shown.get(one.number, (0, ""))
            self._shown[one.number] = (lines + 1, one.remote_id)
            if len(self._shown) > _CONFIRMED_LIMIT:
                self._shown.popitem(last=False)
            return None
        return self._done(one)

    def ponged(self, token: str) -> net.Told | None:
        """The server has worked off what was before a PING."""
        number = token.removeprefix(_TOKEN)
        one = self._underway.get(int(number)) if number.isdigit() else None
        if one is None:
            return None
        if one.by_echo:
            # It was taken, and told nobody: a filter of theirs.
            del self._underway[one.number]
            return net.Rejected(one.number, "the server has not told it on")
        return self._done(one)

    def refused(self, key: str, reason: str) -> net.Told | None:
        """The server says that something cannot be said in a channel."""
        one = self._of(key)
        if one is None:
            return None
        del self._underway[one.number]
        return net.Rejected(one.number, reason)

    def late(self, now_s: float) -> list[Line]:
        """What to ask the server for what it has not shown for long."""
        found = [
            one
            for one in self._underway.values()
            if one.by_echo
            and not one.is_asked
            and not one.unwritten
            and now_s - one.since_s > LATE_S
        ]
        for one in found:
            one.is_asked = True
        return [asked(one.number) for one in found]

    def underway_in(self, key: str) -> int | None:
        """The number of what is underway in a channel."""
        one = self._of(key)
        return one.number if one is not None else None

    def drop(self, key: str) -> None:
        """What is underway in a channel will not be answered."""
        one = self._of(key)
        if one is not None:
            del self._underway[one.number]

    def clear(self) -> None:
        """Nothing will be answered."""
        self._underway.clear()

    def _done(self, one: Underway) -> net.Told:
        del self._underway[one.number]
        self._shown.pop(one.number, None)
        return net.Acknowledged(one.number, one.remote_id)

    def _of(self, key: str) -> Underway | None:
        return next((one for one in self._underway.values() if one.key == key), None)


def asked(number: int) -> Line:
    """The line behind a delivery whose answer acknowledges it."""
    return Line("PING", (f"{_TOKEN}{number}",))
