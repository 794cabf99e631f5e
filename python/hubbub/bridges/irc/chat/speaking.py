"""`Speaking`: what somebody on IRC says, takes back, and reads again. A part of `House`."""

from collections.abc import Sequence
from dataclasses import replace

from hubbub.apps.chat import ChatService, wire
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.chat.caller import IrcCaller
from hubbub.bridges.irc.chat.helper import Helper
from hubbub.bridges.irc.chat.places import Places
from hubbub.bridges.irc.chat.recall import last_said, recalled
from hubbub.bridges.irc.chat.refusing import refusing
from hubbub.bridges.irc.chat.spelling import HELPER
from hubbub.bridges.irc.chat.translating import Translating
from hubbub.bridges.irc.front.events import Person, Reacted, Said, Tagged, Typing
from hubbub.bridges.irc.front.face import ChatRefused, Conversation, Saying, Stretch
from hubbub.bridges.wording import addressed


class Speaking(Places):
    """Messages, by the chat's own procedures."""

    def __init__(self, service: ChatService) -> None:
        super().__init__(service)
        self._helper = Helper(service, self._who, self._tell)
        translating = Translating(service, self._who, self._telling, self._tell)
        service.listen(translating.heard)

    async def say(self, person: Person, saying: Saying, origin: object) -> None:
        """Says something in a room, or to somebody; returns when it is kept."""
        if folded(saying.to) == HELPER:
            self._echo(person, saying, origin)
            await self._helper.answer(person, saying.text)
            return
        if saying.to and folded(saying.to) == folded(person.nick):
            self._echo(person, saying, origin)
            return
        room = await self._spoken_in(person, saying.room, saying.to)
        # IRC's clients do not say a thing again.
        await self._service.talking.may_speak(person.user, room.id)
        caller = IrcCaller(person.user, origin, tags=saying.tags)
        reply_to = saying.reply_to
        with refusing(_400="failed"):
            try:
                if reply_to:
                    self._service.live.message(room, reply_to)
            except Refused:
                reply_to = ""
            text = saying.text
            if not saying.to and saying.kind == "text":
                text = addressed(text, lambda nick: self._member_nick(room, nick))
            params = wire.SayParams(room.id, text, kind=saying.kind, reply_to=reply_to)
            await self._service.talking.say(caller, params)

    def _echo(self, person: Person, saying: Saying, origin: object) -> None:
        """What somebody says to themselves, or to who answers questions, nobody else reads."""
        now = self._service.now_ms()
        id_ = self._service.ulids.next(now)
        said = Said(
            id_,
            now,
            person,
            saying.text,
            "",
            saying.to,
            saying.kind,
            tags=saying.tags,
            only_for=frozenset((person.user,)),
            origin=origin,
        )
        self._tell(said)
        if folded(saying.to) == folded(person.nick):
            self._tell(Said(id_, now, person, saying.text, "", person.nick, saying.kind))

    def _member_nick(self, room: Room, nick: str) -> str | None:
        account = self._who.account(nick)
        return account.nick if account is not None and account.user in room.members else None

    async def _spoken_in(self, person: Person, room: str, nick: str) -> Room:
        """The room in which somebody speaks; with somebody for the first time, it is made."""
        if room:
            return self._room(person, room)
        account = self._account(person, nick)
        if account is None:
            raise ChatRefused("no-such-nick", "No such nick/channel")
        direct = self._direct(person.user, account.user)
        if direct is None:
            with refusing():
                caller = IrcCaller(person.user)
                info = await self._service.rooms.direct(caller, wire.UserParams(account.user))
            direct = self._service.live.room(info.id)
        if direct is None:
            raise ChatRefused("failed", "The conversation is gone")
        return direct

    async def redact(self, person: Person, target: Reacted, reason: str, origin: object) -> None:
        """Takes a message back, or away: the one that the target names."""
        room = self._there(person, target.room, target.to)
        await self._service.talking.may_speak(person.user, room.id)
        with refusing(_404="no-such-message"):
            params = wire.MessageParams(room.id, target.id)
            await self._service.talking.delete(IrcCaller(person.user, origin, reason), params)

    async def react(self, reaction: Reacted) -> None:
        """Reacts to a message, or takes that back."""
        person = reaction.person
        if reaction.to and folded(reaction.to) == folded(person.nick):
            key = "+draft/react" if reaction.on else "+draft/unreact"
            tags = {key: reaction.emoji, "+draft/reply": reaction.id}
            self.relay(Tagged("", person, tags, reaction.to, reaction.origin))
            return
        room = self._there(person, reaction.room, reaction.to)
        await self._service.talking.may_speak(person.user, room.id)
        with refusing(_404="no-such-message"):
            params = wire.ReactParams(room.id, reaction.id, reaction.emoji, reaction.on)
            await self._service.talking.react(IrcCaller(person.user, reaction.origin), params)

    def typing(self, typing: Typing) -> None:
        """Tells those who look at a room that somebody is typing, if that is not too often."""
        try:
            room = self._there(typing.person, typing.room, typing.to)
            caller = IrcCaller(typing.person.user, typing.origin)
            self._service.talking.typing(caller, wire.TypingParams(room.id, typing.on))
        except (ChatRefused, Refused):
            pass

    def relay(self, tagged: Tagged) -> None:
        """Tells others on IRC what only clients understand."""
        id_ = self._service.ulids.next(self._service.now_ms())
        told = replace(tagged, tags={**tagged.tags, "msgid": id_})
        self._tell(told)
        if tagged.to and folded(tagged.to) == folded(tagged.person.nick):
            self._tell(replace(told, origin=None))

    async def history(
        self, person: Person, conversation: Conversation, wanted: Stretch, limit: int
    ) -> Sequence[Said]:
        """Messages of a conversation, ascending."""
        room = self._there(person, conversation.room, conversation.nick)
        with refusing():
            self._service.slow("actions_per_user", person.user)
            read = self._service.store.read
            found = await read(lambda reader: recalled(reader, room.id, wanted, limit))
        return [self._telling.messages.said(room, one) for one in found]

    async def conversations(
        self, person: Person, after_ms: int, before_ms: int, limit: int
    ) -> Sequence[Conversation]:
        """Where something was said between two moments that somebody may read, ascending."""
        rooms = {room.id: room for room in self._rooms(person.user, direct=True)}
        read = self._service.store.read
        found = await read(lambda reader: last_said(reader, [*rooms], after_ms, before_ms))
        told: list[Conversation] = []
        for message in found[:limit]:
            name, nick = self._telling.messages.address(rooms[message.room], person.user)
            told.append(Conversation(name, nick, message.ts))
        return told
