"""`Session`: one connection's life on a server: registers, joins and comes back, delivers.

Tells as a remote tells; what is told of others by a puppet's session nobody needs to hear.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from hubbub.bridges.irc.client.connection import Connection
from hubbub.bridges.irc.client.crowd import Crowd
from hubbub.bridges.irc.client.delivering import Delivering, asked
from hubbub.bridges.irc.client.isupport import Support
from hubbub.bridges.irc.client.playback import Playback
from hubbub.bridges.irc.client.registration import CannotRegister, Identity, Registration
from hubbub.bridges.irc.client.saying import Voice, lines_of
from hubbub.bridges.irc.client.sending import Out
from hubbub.bridges.irc.line import Line
from hubbub.bridges.link import remote as net

REJOIN_S = 3.0
"""How soon a channel is tried again of which we were put out, the first time."""

REJOIN_LIMIT_S = 300.0
STEADY_S = 600.0
"""Who is in for so long begins anew."""

REGISTER_S = 60.0
TICK_S = 5.0
_REFUSED = {"401", "404", "411", "412", "415", "416", "442", "482", "486", "531"}


class Session:
    """One connection.

    Args:
        connection: The connection.
        identity: Who we are.
        channels: Where to be.
        delivering: What is underway; outlives this.
        mark: By which what we say is known.
        tell: Told of everything.
        munge: Whether nicks are parted.

    Attributes:
        is_up: Whether the server knows us.
        playback: What is of the past.
    """

    def __init__(
        self,
        connection: Connection,
        identity: Identity,
        channels: Sequence[str],
        delivering: Delivering,
        mark: str,
        tell: Callable[[net.Told], None],
        *,
        is_puppet: bool = False,
        munge: bool = True,
    ) -> None:
        self.is_up = False
        self.support = Support()
        self.crowd = Crowd(self.support, list(channels))
        self.registration = Registration(identity)
        self.playback = Playback()
        self.hear_message: Callable[[Line], None] = _nobody
        """Called with what others say: PRIVMSG, NOTICE, TAGMSG, REDACT."""

        self._connection = connection
        self._delivering = delivering
        self._mark = mark
        self._tell = tell
        self._is_puppet = is_puppet
        self._munge = munge
        self._tries: dict[str, tuple[int, float]] = {}
        self._later: set[asyncio.TimerHandle] = set()
        self._shutting: dict[int, net.Shut] = {}
        self._failure: CannotRegister | None = None
        self._is_renamed = False

    async def run(self) -> None:
        """Lives until the connection is gone.

        Raises:
            Lost: It is.
            CannotRegister: The server does not take us.
        """
        self._connection.send(*self.registration.begin())
        reading = asyncio.create_task(self._connection.run(self._hear))
        ticking = asyncio.create_task(self._tick())
        try:
            await asyncio.wait([reading, ticking], return_when=asyncio.FIRST_COMPLETED)
            if self._failure is not None:
                raise self._failure
            await (reading if reading.done() else ticking)
        finally:
            self.is_up = False
            for handle in self._later:
                handle.cancel()
            self._delivering.clear()
            for task in (reading, ticking):
                task.cancel()
            await asyncio.wait([reading, ticking])
            for task in (reading, ticking):
                if not task.cancelled():
                    task.exception()

    async def quit(self) -> None:
        """Takes leave."""
        if self.is_up:
            await self._connection.quit("the bridge closes")

    async def _tick(self) -> None:
        begun = time.monotonic()
        while self._failure is None:
            await asyncio.sleep(TICK_S if self.is_up else 0.1)
            if not self.is_up and time.monotonic() - begun > REGISTER_S:
                raise CannotRegister("the server does not answer")
            self._connection.send(*self._delivering.late(time.monotonic()))
            wanted = self.registration.identity.nick
            if self.is_up and not self._is_puppet and not self.crowd.is_me(wanted):
                self._connection.put("", Out(Line("NICK", (wanted,))))

    # What is heard

    def _hear(self, line: Line) -> None:
        try:
            self._understand(line)
        except CannotRegister as failure:
            self._failure = failure

    def _understand(self, line: Line) -> None:
        match line.command:
            case "PING":
                self._connection.send(Line("PONG", line.params[-1:]))
                return
            case "PONG":
                self._answered(self._delivering.ponged(line.params[-1] if line.params else ""))
                return
            case "005":
                self.support.learn(line.params[1:-1])
                self.crowd.refold()
                return
            case "PRIVMSG" | "NOTICE" | "TAGMSG" | "REDACT":
                self._message(line)
                return
            case "BATCH":
                self.playback.batch(line)
                return
            case "ERROR" if not self.is_up:
                raise CannotRegister(line.param(0))
            case command if command in _REFUSED and len(line.params) > 2:
                key = self.support.folded(line.param(1))
                self._answered(self._delivering.refused(key, line.params[-1]))
                return
            case _:
                pass
        if not self.is_up or line.command == "CAP":
            self._connection.send(*self.registration.hear(line))
            self.crowd.nick = self.registration.nick
            if line.command in ("376", "422") and self.registration.is_done:
                self._enter()
                return
        for told in self.crowd.hear(line):
            self._place(told)

    def _enter(self) -> None:
        self.is_up = True
        self._tell(net.Up())
        for channel in self.crowd.channels.values():
            self._join(channel.name)
        if self._is_renamed:
            # Where the bridge sees it: it knows its puppets by their nicks.
            self.call(self.registration.identity.nick)

    def _place(self, told: net.Told) -> None:
        """Who is where; and where we are ourselves."""
        if isinstance(told, net.Shut):
            key = self.support.folded(told.channel)
            self._join_later(key, told.channel)
            if self._is_uncertain(key, told):
                return
        self._tell(told)

    def _is_uncertain(self, key: str, shut: net.Shut) -> bool:
        """Whether what is underway may have been told although we were put out meanwhile.

        Then it is known a little later, from the server's answer, and only then is told that the
        channel is shut: otherwise the same would be said twice.
        """
        is_unsent = self._connection.drop(key)
        number = self._delivering.underway_in(key)
        if number is None:
            return False
        if is_unsent:
            self._delivering.drop(key)
            return False
        self._shutting[number] = shut
        self._connection.send(asked(number))
        return True

    def _message(self, line: Line) -> None:
        nick = line.source.partition("!")[0]
        if self.crowd.is_me(nick):
            if self.playback.has(line):
                # We have said it once: it shows nothing of what is underway.
                return
            key = self.support.folded(line.param(0))
            self._answered(self._delivering.echoed(key, line.tags.get("msgid", "")))
        elif not self.crowd.is_own(nick):
            self.hear_message(line)

    def _answered(self, told: net.Told | None) -> None:
        if not isinstance(told, net.Acknowledged | net.Rejected):
            return
        shut = self._shutting.pop(told.number, None)
        if shut is None or isinstance(told, net.Acknowledged):
            self._tell(told)
        if shut is not None:
            self._tell(shut)

    # What is done

    def join(self, channels: Sequence[str]) -> None:
        """Says in which channels to be."""
        for name in channels:
            if self.crowd.channel(name) is None:
                self.crowd.want(name)
                if self.is_up:
                    self._join(name)

    def part(self, name: str) -> None:
        """Leaves a channel for good."""
        if self.crowd.leave(name) and self.is_up:
            self._connection.put("", Out(Line("PART", (name,))))

    def call(self, nick: str) -> None:
        """Wants to be called otherwise."""
        self.registration.identity = replace(self.registration.identity, nick=nick)
        self._is_renamed = not self.is_up
        if self.is_up:
            self._connection.put("", Out(Line("NICK", (nick,))))

    def is_open(self, channel: str) -> bool:
        """Whether something can be said in a channel."""
        found = self.crowd.channel(channel)
        return self.is_up and found is not None and found.is_open

    def deliver(self, delivery: net.Delivery) -> list[Line]:
        """Says something; returns the lines."""
        caps = self.registration.caps
        voice = Voice(self.crowd.source, caps, self._mark, self._is_puppet, self._munge)
        lines = lines_of(delivery, voice, self.support.topic_limit)
        if not lines:
            # Nothing is said of it here: then it is told.
            told = net.Acknowledged(delivery.number)
            asyncio.get_running_loop().call_soon(self._tell, told)
            return []
        key = self.support.folded(delivery.channel)
        outs = self._delivering.put(
            delivery.number,
            key,
            lines,
            has_echo="echo-message" in caps,
        )
        self._connection.put(key, *outs)
        return lines

    def notice(self, nick: str, lines: Sequence[Line]) -> None:
        """Says something to one person."""
        self._connection.put(nick, *map(Out, lines))

    def _join(self, name: str) -> None:
        if self.is_up and (found := self.crowd.channel(name)) is not None and not found.is_entered:
            self._connection.put("", Out(Line("JOIN", (name,))))

    def _join_later(self, key: str, name: str) -> None:
        tries, since = self._tries.get(key, (0, 0.0))
        if time.monotonic() - since > STEADY_S:
            tries = 0
        self._tries[key] = (tries + 1, time.monotonic())
        delay_s = min(REJOIN_LIMIT_S, REJOIN_S * float(1 << min(tries, 10)))

        def again() -> None:
            self._later.discard(handle)
            self._join(name)

        handle = asyncio.get_running_loop().call_later(delay_s, again)
        self._later.add(handle)


def _nobody(line: Line) -> None:
    """Nobody listens."""
