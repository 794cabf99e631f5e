"""The remote procedures about rooms and messages: from parameters to a room's command and back."""

import asyncio
import sqlite3
import time
from typing import TYPE_CHECKING

from hubbub.apps.chat import commands as do
from hubbub.apps.chat import events as ev
from hubbub.apps.chat import refusals, wire
from hubbub.apps.chat.commands import Caller, Person
from hubbub.apps.chat.languages import checked_tag, language_of
from hubbub.apps.chat.message import (
    NONCE_LIMIT,
    Message,
    Via,
    checked_emoji,
    checked_files,
    checked_text,
)
from hubbub.apps.chat.room import Room
from hubbub.apps.chat.wire import Done, Sent

if TYPE_CHECKING:
    from hubbub.apps.chat.service import ChatService

ENGINE_LIMIT = 40
_PERSONS_LIMITS = ("messages_per_user", "actions_per_user")


class Talking:
    """What is done with messages."""

    def __init__(self, chat: "ChatService") -> None:
        self._chat = chat
        for name, handler in (
            ("say", self.say),
            ("edit", self.edit),
            ("delete", self.delete),
            ("react", self.react),
            ("lang", self.lang),
            ("attach", self.attach),
            ("typing", self.typing),
            ("read", self.read),
        ):
            chat.hub.rpc(name)(handler)

    async def say(self, client: Caller, params: wire.SayParams) -> Sent:
        """Says something; answered when it is on disk. The same nonce again is the same message."""
        return await self.say_for(client, params, None)

    async def say_for(
        self, client: Caller, params: wire.SayParams, via: Via | None, *, is_past: bool = False
    ) -> Sent:
        """The same for a bridge, which alone may tell for whom it speaks.

        Args:
            client: Who asks.
            params: What is said.
            via: For whom the bridge speaks.
            is_past: Whether it was said a while ago: how quickly, only the room is asked.
        """
        chat = self._chat
        if params.nonce:
            known = await self._said(client.user, params.nonce)
            if known is not None:
                return Sent(known)
        person, room = self._where(client, params.room, is_past=is_past)
        files = checked_files(params.files)
        limit = chat.config.text_limit
        text = checked_text(params.text, limit, may_be_empty=bool(files))
        if params.reply_to:
            chat.live.message(room, params.reply_to)
        self._count(client, room, is_past=is_past)
        lang, source = language_of(text, params.lang, person)
        command = do.Say(
            chat.ulids.next(chat.now_ms()),
            text,
            lang,
            source,
            params.kind,
            params.reply_to,
            files,
            via,
            params.nonce,
        )
        waiting = chat.live.carry_out(room, command, person, origin=client)
        if not params.nonce:
            return Sent(_message(await waiting))
        key = (client.user, params.nonce)
        chat.saying[key] = waiting
        try:
            return Sent(_message(await asyncio.shield(waiting)))
        finally:
            chat.saying.pop(key, None)

    async def edit(self, client: Caller, params: wire.EditParams) -> Done:
        """Gives one's own message another text."""
        person, room = self._where(client, params.room)
        text = checked_text(params.text, self._chat.config.text_limit)
        message = self._chat.live.message(room, params.id)
        self._count(client, room)
        lang, source = language_of(text, params.lang, person)
        return await self._do(client, room, do.Edit(message, text, lang, source), person)

    async def delete(self, client: Caller, params: wire.MessageParams) -> Done:
        """Takes one's own message back, or as a moderator another's away."""
        person, room = self._where(client, params.room)
        message = self._chat.live.message(room, params.id)
        self._count(client, room)
        return await self._do(client, room, do.Delete(message), person)

    async def react(self, client: Caller, params: wire.ReactParams) -> Done:
        """Reacts to a message, or takes it back."""
        person, room = self._where(client, params.room)
        message = self._chat.live.message(room, params.id)
        command = do.React(message, checked_emoji(params.emoji), params.on)
        return await self._do(client, room, command, person)

    async def lang(self, client: Caller, params: wire.LangParams) -> Done:
        """Says in what language a message is."""
        person, room = self._where(client, params.room)
        message = self._chat.live.message(room, params.id)
        return await self._do(client, room, do.Correct(message, checked_tag(params.lang)), person)

    async def attach(self, client: Caller, params: wire.AttachParams) -> Done:
        """Attaches a translation made by the sender's own browser to the sender's message."""
        person, room = self._where(client, params.room)
        message = self._chat.live.message(room, params.id)
        if message.user != client.user:
            # What one reader's machine has made of another's words is nobody else's business.
            raise refusals.forbidden("only its sender may attach a translation")
        text = checked_text(params.text, 2 * self._chat.config.text_limit)
        engine = checked_text(params.engine, ENGINE_LIMIT)
        command = do.Attach(message, checked_tag(params.lang), text, engine, "client")
        return await self._do(client, room, command, person)

    def typing(self, client: Caller, params: wire.TypingParams) -> Done:
        """Tells those who look at a room that somebody is writing."""
        _, room = self._where(client, params.room)
        if client.user in room.members:
            event = ev.Typing(0, self._chat.now_ms(), client.user, params.on)
            self._chat.hub.publish(f"live:{room.id}", event)
            self._chat.heard(room, event, client)
        return Done()

    def read(self, client: Caller, params: wire.MessageParams) -> Done:
        """Has read a room up to a message; one's other devices hear of it."""
        chat = self._chat
        _, room = self._where(client, params.room)
        message = chat.live.message(room, params.id)
        row = (message.seq, room.id, client.user, message.seq)

        def write(db: sqlite3.Connection) -> None:
            db.execute(
                "update members set read_seq = ? where room = ? and user = ? and read_seq < ?", row
            )

        def done(failure: Exception | None) -> None:
            if failure is None:
                told = {"type": "read", "room": room.id, "id": message.id, "seq": message.seq}
                chat.tell(client.user, told)

        # Nobody waits for it: what is lost with the power is read once more.
        chat.store.submit(write, done)
        return Done()

    # Inside

    def _where(self, client: Caller, room: str, *, is_past: bool = False) -> tuple[Person, Room]:
        if not is_past:
            self._chat.slow("actions_per_user", client.user)
        return self._chat.person(client), self._chat.room_for(client, room)

    def wait_s(self, user: str, room: str, *, is_past: bool = False) -> float:
        """In how many seconds somebody may speak, or what they have said be told; 0: now."""
        limits, now = self._chat.limits, time.monotonic()
        room_s = limits["messages_per_room"].wait_s(room, now)
        if is_past:
            return room_s
        person_s = (limits[one].wait_s(user, now) for one in _PERSONS_LIMITS)
        return max(room_s, *person_s)

    async def may_speak(self, user: str, room: str, *, is_past: bool = False) -> None:
        """Waits until somebody may speak: for those who cannot be told that they are too quick."""
        while True:
            wait_s = self.wait_s(user, room, is_past=is_past)
            if wait_s <= 0:
                return
            await asyncio.sleep(wait_s)

    def _count(self, client: Caller, room: Room, *, is_past: bool = False) -> None:
        if not is_past:
            self._chat.slow("messages_per_user", client.user)
        self._chat.slow("messages_per_room", room.id)

    async def _do(self, client: Caller, room: Room, command: do.Command, person: Person) -> Done:
        await self._chat.live.carry_out(room, command, person, origin=client)
        return Done()

    async def _said(self, user: str, nonce: str) -> Message | None:
        if len(nonce) > NONCE_LIMIT:
            raise refusals.too_long("the nonce", len(nonce), NONCE_LIMIT)
        underway = self._chat.saying.get((user, nonce))
        if underway is not None:
            return _message(await asyncio.shield(underway))
        return self._chat.store.here.said(user, nonce)


def _message(events: list[ev.RoomEvent]) -> Message:
    said = next(one for one in events if isinstance(one, ev.Said))
    if said.message is None:
        raise AssertionError("a message was said")
    return said.message
