"""What people say and do to what was said, as IRC hears it: messages of the chat to events."""

from hubbub.apps.chat import ChatService
from hubbub.apps.chat import events as ev
from hubbub.apps.chat.events import Heard
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.chat.caller import IrcCaller, session_of
from hubbub.bridges.irc.chat.spelling import Channels
from hubbub.bridges.irc.chat.who import Who
from hubbub.bridges.irc.front.events import Event, Reacted, Redacted, Said, Typing
from hubbub.bridges.wording import excerpt, text_of


class Messages:
    """Messages of the chat in IRC's terms.

    Args:
        service: The chat.
        who: People, as IRC calls them.
        channels: Rooms, as IRC calls them.
    """

    def __init__(self, service: ChatService, who: Who, channels: Channels) -> None:
        self._service = service
        self._who = who
        self._channels = channels

    def event(self, room: Room, event: Heard, origin: object) -> Event | None:
        """What is told of something that was said, or done to what was; None: it is none."""
        match event:
            case ev.Said(message=Message() as message):
                return self.said(room, message, origin=origin)
            case ev.Edited():
                edited = self._message(room, event.id)
                if edited is None:
                    return None
                return self.said(room, edited, origin=origin, is_edit=True)
            case ev.Deleted():
                name, to = self.address(room, event.by)
                reason = origin.reason if isinstance(origin, IrcCaller) else ""
                person, session = self._who.person(event.by), session_of(origin)
                return Redacted(name, person, event.id, reason, to, session)
            case ev.Reacted():
                name, to = self.address(room, event.user)
                target = self._message(room, event.id)
                about = excerpt(target.text) if target is not None else ""
                person, session = self._who.person(event.user), session_of(origin)
                return Reacted(name, person, event.id, event.emoji, event.on, to, about, session)
            case ev.Typing():
                name, to = self.address(room, event.user)
                person, session = self._who.person(event.user), session_of(origin)
                return Typing(name, person, event.on, to, session)
            case _:
                return None

    def said(
        self,
        room: Room,
        message: Message,
        *,
        origin: object = None,
        is_edit: bool = False,
    ) -> Said:
        """A message as IRC hears it.

        Args:
            room: Where.
            message: What.
            origin: Who has asked for it to be said.
            is_edit: Whether it says something else now.
        """
        name, to = self.address(room, message.user)
        sender = self._who.then(message.user, message.nick)
        words = text_of(message, message.text, self._answered(room, message))
        if is_edit:
            return Said(
                "",
                message.edited,
                sender,
                words,
                name,
                to,
                "text",
                message.id,
                message.lang,
                is_edit=True,
            )
        tags = origin.tags if isinstance(origin, IrcCaller) else dict[str, str]()
        return Said(
            message.id,
            message.ts,
            sender,
            words,
            name,
            to,
            message.kind,
            message.reply_to,
            message.lang,
            tags,
            origin=session_of(origin),
        )

    def address(self, room: Room, user: str) -> tuple[str, str]:
        """For whom something is that somebody says in a room: a channel, or a nick."""
        if room.kind != "direct":
            return self._channels.name(room.id, room.name), ""
        others = [one for one in room.members if one != user]
        return "", self._who.person(others[0]).nick if others else "*"

    def _answered(self, room: Room, message: Message) -> str:
        """The nick of whom a message answers, where that is not clear anyway."""
        if not message.reply_to or room.kind == "direct":
            return ""
        answered = self._message(room, message.reply_to)
        if answered is None or answered.user == message.user or not answered.nick:
            return ""
        return self._who.then(answered.user, answered.nick).nick

    def _message(self, room: Room, id: str) -> Message | None:  # noqa: A002
        try:
            return self._service.live.message(room, id)
        except Refused:
            return None
