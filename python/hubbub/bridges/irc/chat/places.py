"""`Places`: rooms and conversations as IRC names them. What `House` stands on."""

from collections.abc import Callable
from dataclasses import replace

from hubbub.apps.chat import ChatService
from hubbub.apps.chat.account import Account
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.chat.spelling import Channels
from hubbub.bridges.irc.chat.telling import Telling
from hubbub.bridges.irc.chat.who import NOT_HERE, Who
from hubbub.bridges.irc.front.events import Event, Person
from hubbub.bridges.irc.front.face import ChatRefused


class Places:
    """Finds what somebody on IRC means.

    Args:
        service: The chat.

    Attributes:
        tell: Tells the front.
    """

    def __init__(self, service: ChatService) -> None:
        self.tell: Callable[[Event], None] = _nobody
        self._service = service
        self._who = Who(service)
        self._channels = Channels(service.room_named)
        self._telling = Telling(service, self._who, self._channels, self._tell)
        service.listen(self._telling.heard)

    def _tell(self, event: Event) -> None:
        self.tell(event)

    def _rooms(self, user: str, *, direct: bool = False) -> list[Room]:
        found = self._service.live.rooms(self._service.store.here.rooms_of(user))
        return [one for one in found if user in one.members and (direct or one.kind != "direct")]

    def _found(self, channel: str) -> Room | None:
        id_ = self._channels.room(channel)
        room = self._service.live.room(id_) if id_ is not None else None
        if room is None or room.kind == "direct":
            return None
        is_it = folded(self._telling.channel(room)) in (folded(channel), folded(channel.lower()))
        return room if is_it else None

    def _room(self, person: Person, channel: str) -> Room:
        room = self._found(channel)
        if room is None or not room.knows(person.user):
            raise ChatRefused("no-such-room", "No such channel")
        return room

    def _there(self, person: Person, channel: str, nick: str) -> Room:
        """The room of a conversation that there is."""
        if channel:
            return self._room(person, channel)
        account = self._account(person, nick)
        room = self._direct(person.user, account.user) if account is not None else None
        if room is None:
            raise ChatRefused("no-such-nick", "No such nick/channel")
        return room

    def acquaintance(self, person: Person, nick: str) -> Person | None:
        """The owner of an account whom somebody shares a room or a conversation with."""
        account = self._account(person, nick)
        if account is None or account.guest:
            return None
        found = self._who.of_account(account)
        is_here = self._service.people.is_online(account.user)
        return found if is_here else replace(found, away=NOT_HERE)

    def _account(self, person: Person, nick: str) -> Account | None:
        """Whom somebody means by a nick.

        One that is spelled for IRC tells not whose it is: so who is offline is looked for where
        the one who asks can have seen them.
        """
        account = self._who.account(nick)
        if account is not None or "|" not in nick:
            return account
        rooms = self._rooms(person.user, direct=True)
        return self._who.among({user for room in rooms for user in room.members}, nick)

    def _direct(self, one: str, other: str) -> Room | None:
        pair = " ".join(sorted((one, other)))
        found = self._service.store.here.room_by_pair(pair)
        return self._service.live.room(found) if found is not None else None


def _nobody(event: Event) -> None:
    """Nobody listens yet."""
