"""What happens in a room, as what a remote is to tell (pure, but for what it looks up)."""

from msgspec.structs import replace

from hubbub.apps.chat import ChatService
from hubbub.apps.chat import events as ev
from hubbub.apps.chat.events import Heard
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import Room
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.people import LinkCaller, People
from hubbub.bridges.link.remote import (
    Author,
    Delivery,
    Edit,
    Quoted,
    React,
    Retract,
    Say,
    SetTopic,
    What,
)
from hubbub.bridges.wording import with_files

_EXCERPT_LIMIT = 200


class Outgoing:
    """Makes deliveries of events.

    Args:
        service: The chat.
        bridge: The bridge's name.
        people: Who is of the remote itself: what they do is known there.
        ledger: What is called how.
        topics: Whether topics are told.
    """

    def __init__(
        self,
        service: ChatService,
        bridge: str,
        people: People,
        ledger: Ledger,
        *,
        topics: bool,
    ) -> None:
        self._service = service
        self._bridge = bridge
        self._people = people
        self._ledger = ledger
        self._topics = topics

    def delivery(self, room: Room, channel: str, event: Heard, origin: object) -> Delivery | None:
        """What an event comes to; None: nothing that the remote need be told."""
        if isinstance(origin, LinkCaller) and origin.bridge == self._bridge:
            return None
        match event:
            case ev.Said(message=Message() as message):
                via = message.via
                if (via is not None and via.bridge == self._bridge) or message.deleted:
                    return None
                reply = self._quoted(room, message.reply_to) if message.reply_to else None
                what: What = Say(
                    with_files(message, message.text), message.lang, message.kind, reply
                )
                return self._made(channel, event.ts, message.user, message.nick, what, message.id)
            case ev.Edited():
                before = self._quoted(room, event.id)
                return self._by(channel, event.ts, event.by, Edit(event.text, before), event.id)
            case ev.Deleted():
                return self._deleted(room, channel, event)
            case ev.Reacted():
                what = React(event.emoji, self._quoted(room, event.id), event.on)
                return self._by(channel, event.ts, event.user, what, event.id)
            case ev.TopicSet() if self._topics:
                return self._by(channel, event.ts, event.by, SetTopic(event.topic), "")
            case _:
                return None

    def author(self, user: str, nick: str = "") -> Author:
        """Somebody of the chat."""
        account = self._service.people.account(user)
        called = nick or (account.nick if account is not None else "")
        if account is None:
            return Author(user, called)
        return Author(user, called, account.preferred, account.guest)

    def _deleted(self, room: Room, channel: str, event: ev.Deleted) -> Delivery | None:
        """What is not theirs most networks let nobody take away: so its author takes it back."""
        before = self._quoted(room, event.id)
        made = self._by(channel, event.ts, event.by, Retract(before), event.id)
        message = self._message(room, event.id)
        if made is None or message is None or before.is_remote or message.user == event.by:
            return made
        author = self.author(message.user)
        if not author.nick:
            author = self.author(message.user, message.nick)
        return replace(made, author=author, what=Retract(before, made.author))

    def _by(self, channel: str, ts: int, user: str, what: What, message: str) -> Delivery | None:
        if self._people.is_ours(user) or user == self._bridge:
            return None
        return self._made(channel, ts, user, "", what, message)

    def _made(
        self, channel: str, ts: int, user: str, nick: str, what: What, message: str
    ) -> Delivery:
        return Delivery(0, channel, self.author(user, nick), what, message, ts)

    def _quoted(self, room: Room, id: str) -> Quoted:  # noqa: A002
        message = self._message(room, id)
        if message is None:
            return Quoted()
        is_remote = message.via is not None and message.via.bridge == self._bridge
        nick = message.via.name if is_remote and message.via is not None else message.nick
        quoted = Quoted("", nick, message.text[:_EXCERPT_LIMIT], is_remote)
        return self._named(quoted, id)

    def _message(self, room: Room, id: str) -> Message | None:  # noqa: A002
        try:
            return self._service.live.message(room, id)
        except Refused:
            return None

    def _named(self, quoted: Quoted, message: str) -> Quoted:
        names = self._ledger.remote_ids(self._bridge, message)
        return replace(quoted, remote_id=names[0], edits=tuple(names[1:])) if names else quoted

    def refreshed(self, delivery: Delivery) -> Delivery:
        """A delivery that has waited, with the names that the remote has given meanwhile."""
        what = delivery.what
        match what:
            case Edit() | Retract():
                return _replaced(delivery, before=self._named(what.before, delivery.message))
            case React():
                return _replaced(delivery, to=self._named(what.to, delivery.message))
            case _:
                return delivery


def _replaced(delivery: Delivery, **changes: Quoted) -> Delivery:
    return replace(delivery, what=replace(delivery.what, **changes))
