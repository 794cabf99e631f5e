"""One client of the front: its lines in, its lines out (no socket, no clock, no randomness).

Dispatches. How somebody comes in is in `registration`, what is done in rooms in `channels`, what is
asked of people in `asking`, what is heard in `hearing`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.front.events import Event, Person
from hubbub.bridges.irc.front.face import Chat, ChatRefused
from hubbub.bridges.irc.front.names import FrontInfo
from hubbub.bridges.irc.front.outbox import Outbox
from hubbub.bridges.irc.front.registration import Entrance, Registration
from hubbub.bridges.irc.front.webirc import Gateway
from hubbub.bridges.irc.line import BadLine, Line, is_utf8, parse

Handler = Callable[["Session", Line], Awaitable[None]]


@dataclass(frozen=True)
class Command:
    """What is done for a command."""

    run: Handler
    least: int = 0
    """Parameters without which it is none."""


@dataclass(frozen=True)
class Watched:
    """Somebody whom a client waits for (MONITOR)."""

    nick: str
    """As the client has spelled it."""

    is_online: bool


@dataclass(frozen=True)
class Surroundings:
    """What a session needs of the world."""

    chat: Chat
    info: FrontInfo
    now_ms: Callable[[], int]
    write: Callable[[Line], None]
    """Sends a line."""

    close: Callable[[], None]
    """Ends the connection when everything has left."""

    commands: Mapping[str, Command]
    hear: "Callable[[Session, Event], None]"
    """Tells a session what has happened."""

    show: "Callable[[Session, str, Person], None]"
    """Tells a session that it is in a room."""

    address: str = ""
    """From where the client comes."""

    gateways: tuple[Gateway, ...] = ()
    """Who may say that the client comes from elsewhere."""


class Session:
    """One client.

    Attributes:
        person: Who they are, once they are in.
        rooms: The rooms they are in, as they are spelled, by folded name.
        watched: Whom they wait for, by folded nick.
    """

    def __init__(self, around: Surroundings) -> None:
        self.chat = around.chat
        self.info = around.info
        self.out = Outbox(around.info.server, around.write, around.now_ms)
        self.person: Person | None = None
        self.rooms: dict[str, str] = {}
        self.watched: dict[str, Watched] = {}
        self.is_closed = False
        self._has_quit = False
        self._around = around
        entrance = Entrance(around.chat, around.address, around.gateways, self)
        self._registration = Registration(around.info, entrance, self.out, self._welcomed)

    @property
    def me(self) -> Person:
        """Who they are.

        Raises:
            AssertionError: They are not in yet.
        """
        assert self.person is not None  # noqa: S101 - commands run only once they are in
        return self.person

    def caps(self, *names: str) -> bool:
        """Whether the client has all of these capabilities."""
        return self.out.caps.issuperset(names)

    def now_ms(self) -> int:
        """The time."""
        return self._around.now_ms()

    def in_room(self, room: str) -> bool:
        """Whether they are in a room."""
        return folded(room) in self.rooms

    async def receive(self, raw: bytes) -> None:
        """Takes one line."""
        if self.is_closed:
            return
        try:
            line = parse(raw)
        except BadLine as bad:
            if bad.command:
                with self.out.labelled(bad.tags):
                    if self.person is None:
                        self.out.reply("451", "You have not registered")
                    else:
                        self.out.reply("421", bad.command, "Unknown command")
            return
        with self.out.labelled(line.tags):
            if not is_utf8(raw):
                self.out.fail(line.command, "INVALID_UTF8", "Message rejected: not UTF-8")
                return
            await self._carry_out(line)
        # Behind the label's answers, or they would not leave.
        if self._has_quit:
            self._around.close()

    def too_long(self) -> None:
        """A line was longer than allowed."""
        self.out.reply("417", "Input line was too long")

    def is_me(self, person: Person) -> bool:
        """Whether that is who they are."""
        return self.person is not None and self.person.user == person.user

    def tell(self, line: Line, origin: object = None) -> None:
        """Sends a line: as an answer, if it is one to this client's command."""
        if origin is self:
            self.out.answer(line)
        else:
            self.out.tell(line)

    def seen(self, person: Person, *, is_online: bool) -> None:
        """Somebody is there, or not any more: those who wait for them are told."""
        watched = self.watched.get(folded(person.nick))
        if watched is not None and watched.is_online != is_online:
            self.watched[folded(person.nick)] = Watched(watched.nick, is_online)
            name = person.source if is_online else person.nick
            self.out.tell(self.out.numeric("730" if is_online else "731", name))

    def hear(self, event: Event) -> None:
        """Tells the client what has happened."""
        if self.person is not None and not self.is_closed:
            self._around.hear(self, event)

    def ping(self) -> None:
        """Asks whether the client is still there."""
        self.out.tell(Line("PING", (self.info.server,)))

    async def end(self, reason: str) -> None:
        """The connection is gone, or shall go."""
        if self.is_closed:
            return
        self.is_closed = True
        if self.person is not None:
            await self.chat.leave(self.person, reason, self)

    async def quit(self, reason: str) -> None:
        """Takes leave."""
        await self._take_leave(reason)
        self._around.close()

    async def _carry_out(self, line: Line) -> None:
        match line.command:
            case "PING" if not line.params:
                self.out.reply("409", "No origin specified")
                return
            case "PING":
                self.out.answer(Line("PONG", (self.info.server, line.params[0]), self.info.server))
                return
            case "PONG":
                return
            case "QUIT":
                self._has_quit = True
                await self._take_leave(line.param(0) or "Client quit")
                return
            case _:
                pass
        if await self._registration.receive(line):
            return
        if self.person is None:
            self.out.reply("451", "You have not registered")
            return
        command = self._around.commands.get(line.command)
        if command is None:
            self.out.reply("421", line.command, "Unknown command")
        elif len(line.params) < command.least:
            self.out.reply("461", line.command, "Not enough parameters")
        else:
            try:
                await command.run(self, line)
            except ChatRefused as refused:
                self._refused(line, refused)

    async def _take_leave(self, reason: str) -> None:
        self.out.answer(farewell(reason))
        await self.end(reason)

    def _refused(self, line: Line, refused: ChatRefused) -> None:
        """What the chat will not do, in IRC's words."""
        target = line.param(0)
        words = refused.message
        match refused.why:
            case "no-such-room":
                self.out.reply("403", target, words)
            case "no-such-nick":
                self.out.reply("401", line.param(1) if line.command == "KICK" else target, words)
            case "not-in-room":
                self.out.reply("442", target, words)
            case "already-in-room":
                self.out.reply("443", target, line.param(1), words)
            case "no-such-message":
                self.out.fail(line.command, "UNKNOWN_MSGID", target, line.param(1), words)
            case "members-only":
                self.out.reply("473", target, words)
            case "banned":
                self.out.reply("474" if line.command == "JOIN" else "404", target, words)
            case "not-allowed":
                is_said = line.command in ("PRIVMSG", "NOTICE", "TAGMSG")
                self.out.reply("404" if is_said else "482", target, words)
            case "nick-taken":
                self.out.reply("433", target, words)
            case "bad-nick":
                self.out.reply("432", target, words)
            case _:
                self.out.fail(line.command, refused.why.upper().replace("-", "_"), words)

    async def _welcomed(self, person: Person) -> None:
        self.person = person
        # Whoever is in rooms is in them by every client of theirs.
        for place, me in self.chat.rooms_of(person, person):
            self.rooms[folded(place.name)] = place.name
            self._around.show(self, place.name, me)


def farewell(reason: str) -> Line:
    """The last line that a client hears."""
    return Line("ERROR", (f"Closing link: {reason}",))
