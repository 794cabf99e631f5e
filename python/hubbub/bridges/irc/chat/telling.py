"""What happens in the chat, told to IRC: who comes and goes there, and what becomes of rooms.

What is said there, `messages` puts in IRC's terms.
Only rooms that somebody on IRC is in are followed; nobody's phone call is a channel.
"""

from collections.abc import Callable

from hubbub.apps.chat import ChatService
from hubbub.apps.chat import events as ev
from hubbub.apps.chat.events import Heard
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.chat.caller import IrcCaller, session_of
from hubbub.bridges.irc.chat.messages import Messages
from hubbub.bridges.irc.chat.roster import Roster
from hubbub.bridges.irc.chat.spelling import Channels
from hubbub.bridges.irc.chat.who import Who
from hubbub.bridges.irc.front.events import (
    Changed,
    Event,
    Invited,
    Joined,
    ModeSet,
    Parted,
    Person,
    Quit,
    Role,
    RoomRenamed,
    Seen,
    TopicSet,
)

_LETTERS: dict[Role, str] = {"owner": "o", "moderator": "o", "voice": "v", "": ""}


class Telling:
    """Hears the chat and tells the front.

    Args:
        service: The chat.
        who: People, as IRC calls them.
        channels: Rooms, as IRC calls them.
        tell: Tells the front.

    Attributes:
        messages: What is said, in IRC's terms.
        roster: Who is where, as far as IRC was told.
        topics: Who has set a topic and when, in s, as far as that was heard.
    """

    def __init__(
        self,
        service: ChatService,
        who: Who,
        channels: Channels,
        tell: Callable[[Event], None],
    ) -> None:
        self._service = service
        self._who = who
        self._channels = channels
        self._tell = tell
        self.messages = Messages(service, who, channels)
        self.roster = Roster()
        self.topics: dict[str, tuple[str, int]] = {}
        self._flags: dict[str, str] = {}

    def channel(self, room: Room) -> str:
        """What IRC calls a room."""
        return self._channels.name(room.id, room.name)

    # What is heard

    def heard(self, room: Room, event: Heard, origin: object) -> None:
        """Tells what has happened in a room."""
        if room.kind == "direct":
            if any(user in self._who.visits for user in room.members):
                self._spoken(room, event, origin)
            return
        if isinstance(event, ev.Invited):
            self._invited(room, event, origin)
        elif isinstance(event, ev.Presence):
            self._seen(event)
            self._present(room)
        elif isinstance(event, ev.Erased):
            self._erased(room, event.user)
        elif isinstance(event, ev.MemberSet) and (
            self.roster.follows(room.id) or event.user in self._who.visits
        ):
            self._member(room, event, origin)
        elif self.roster.follows(room.id):
            self._spoken(room, event, origin)
            self._ruled(room, event, origin)

    def _spoken(self, room: Room, event: Heard, origin: object) -> None:
        """What people say and do to what was said."""
        if isinstance(event, ev.Said) and event.message is not None:
            user = event.message.user
            # Nobody speaks before they are there, though coming is told a little later.
            if room.kind != "direct" and self._service.people.is_online(user):
                self.arrived(room, user)
        told = self.messages.event(room, event, origin)
        if told is not None:
            self._tell(told)

    def _ruled(self, room: Room, event: Heard, origin: object) -> None:
        """What becomes of a room, and of those in it."""
        session = session_of(origin)
        match event:
            case ev.TopicSet():
                by = self._who.person(event.by)
                self.topics[room.id] = (by.nick, event.ts // 1000)
                self._tell(TopicSet(self.channel(room), by, event.topic, origin=session))
            case ev.Parted():
                self._parted(room, event, origin)
            case ev.Unbanned():
                by, mask = self._who.person(event.by), self.mask(event.user)
                self._tell(ModeSet(self.channel(room), by, "-b", (mask,), session))
            case ev.RoomSet():
                self._configured(room, event, session)
            case _:
                pass

    # Who comes and goes

    def follow(self, room: Room, besides: str = "") -> None:
        """Somebody on IRC comes into a room: from now on it is a channel.

        Args:
            room: Which.
            besides: Somebody who is not there yet, as far as IRC is to know.
        """
        if not self.roster.follows(room.id):
            there = [one for one in self._who.members(room) if one[0] != besides]
            self.roster.follow(room.id, there)
            self._flags[room.id] = flags_of(room)

    def arrived(self, room: Room, user: str, session: object = None) -> None:
        """A member of a room is there now."""
        if user in self._who.visits:
            self.follow(room, user)
        role = room.members[user].role if user in room.members else ""
        is_new = self.roster.follows(room.id) and user not in self.roster.present(room.id)
        if is_new:
            self.roster.put(room.id, user, role)
        if is_new or session is not None:
            self._tell(Joined(self.channel(room), self._who.person(user, role), session))

    def gone(self, person: Person, reason: str, session: object = None) -> None:
        """Somebody is not there any more."""
        rooms = self.roster.take_all(person.user)
        self._who.gone(person.user)
        self._tell(Quit(person, self._named(rooms), reason, session))
        self._tell(Seen(person, is_online=False))
        for room in rooms:
            self.drop_if_deserted(room)

    def changed(self, user: str, session: object, nick: str = "", *, guest: bool = False) -> None:
        """Somebody is called otherwise, away, or back."""
        told = self._who.changed(user, nick, guest=guest)
        if told is not None:
            before, after = told
            rooms = self._named(self.roster.rooms_of(user))
            self._tell(Changed(before, after, rooms, session))
            if folded(before.nick) != folded(after.nick):
                self._tell(Seen(before, is_online=False))
                self._tell(Seen(after, is_online=True))

    def _member(self, room: Room, event: ev.MemberSet, origin: object) -> None:
        session = session_of(origin)
        if event.joined:
            if self._service.people.is_online(event.user):
                self.arrived(room, event.user, session)
            return
        self.changed(event.user, session, event.nick, guest=event.guest)
        before = self.roster.present(room.id).get(event.user)
        if before is None or before == event.role:
            return
        self.roster.put(room.id, event.user, event.role)
        old, new = _LETTERS[before], _LETTERS[event.role]
        if old == new:
            return
        change = (f"-{old}" if old else "") + (f"+{new}" if new else "")
        by = self._who.person(event.by) if event.by else None
        nicks = (self._who.person(event.user).nick,) * (len(change) // 2)
        self._tell(ModeSet(self.channel(room), by, change, nicks, session))

    def _parted(self, room: Room, event: ev.Parted, origin: object) -> None:
        session, name = session_of(origin), self.channel(room)
        by = self._who.person(event.by) if event.by and event.by != event.user else None
        if event.kind == "ban" and by is not None:
            self._tell(ModeSet(name, by, "+b", (self.mask(event.user),), session))
        if not self.roster.take(room.id, event.user):
            return
        reason = event.reason or (origin.reason if isinstance(origin, IrcCaller) else "")
        self._tell(Parted(name, self._who.person(event.user), by, reason, session))
        self.drop_if_deserted(room.id)

    def _erased(self, room: Room, user: str) -> None:
        # Their connections end only now, when nobody knows any more what they were called.
        person = self._who.person(user)
        if self.roster.take(room.id, user):
            self._tell(Parted(self.channel(room), person, reason="is gone for ever"))
            self.drop_if_deserted(room.id)
        self._who.gone(user)
        self._tell(Seen(person, is_online=False))

    def _present(self, room: Room) -> None:
        """Who has come online and gone offline by a browser, told at most once a second."""
        if not self.roster.follows(room.id):
            return
        now, before = dict(self._who.members(room)), set(self.roster.present(room.id))
        for user in now.keys() - before:
            self.arrived(room, user)
        for user in before - now.keys():
            if not self._service.people.is_online(user):
                self.gone(self._who.person(user), "")

    def _seen(self, event: ev.Presence) -> None:
        for user in event.online:
            self._tell(Seen(self._who.person(user), is_online=True))
        for user in event.offline:
            if user not in self._who.visits:
                self._tell(Seen(self._who.person(user), is_online=False))

    def _invited(self, room: Room, event: ev.Invited, origin: object) -> None:
        if self.roster.follows(room.id) or event.user in self._who.visits:
            person, by = self._who.person(event.user), self._who.person(event.by)
            self._tell(Invited(self.channel(room), person, by, session_of(origin)))

    def invited(self, room: Room, user: str, by: str, session: object) -> None:
        """Somebody is invited who is already: they are told again."""
        told = Invited(self.channel(room), self._who.person(user), self._who.person(by), session)
        self._tell(told)

    def same_topic(self, room: Room, by: Person, session: object) -> None:
        """Somebody gives a room the topic that it has: they alone are told."""
        self._tell(TopicSet(self.channel(room), by, room.topic, session, session))

    def seen(self, person: Person) -> None:
        """Somebody has come."""
        self._tell(Seen(person, is_online=True))

    def _configured(self, room: Room, event: ev.RoomSet, session: object) -> None:
        before = self.channel(room)
        self._channels.forget(room.id)
        after = self.channel(room)
        if before != after:
            self._tell(RoomRenamed(before, after))
        by = self._who.person(event.by) if event.by else None
        old, new = self._flags.get(room.id, ""), flags_of(room)
        change = "".join(f"-{one}" for one in old if one not in new)
        change += "".join(f"+{one}" for one in new if one not in old)
        self._flags[room.id] = new
        if change:
            self._tell(ModeSet(after, by, change, (), session))

    def drop_if_deserted(self, room: str) -> None:
        """A room in which nobody is by IRC is no channel any more."""
        if not any(user in self._who.visits for user in self.roster.present(room)):
            self.roster.drop(room)
            self._flags.pop(room, None)

    def _named(self, rooms: list[str]) -> frozenset[str]:
        return frozenset(map(self.channel, self._service.live.rooms(rooms)))

    def mask(self, user: str) -> str:
        """How a ban of somebody is written."""
        person = self._who.person(user)
        return f"{person.nick}!*@{person.host}"


def flags_of(room: Room) -> str:
    """What a room is, in the letters of MODE."""
    flags = (("i", room.kind == "members"), ("m", room.moderated), ("s", room.kind == "unlisted"))
    return "".join(letter for letter, on in flags if on)
