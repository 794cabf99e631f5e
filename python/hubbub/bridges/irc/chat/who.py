"""`Who`: people of the chat as IRC sees them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from msgspec.structs import replace as altered

from hubbub.apps.chat import ChatService
from hubbub.apps.chat.account import Account
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.casemapping import folded
from hubbub.bridges.irc.chat.spelling import HELPER, host_of, mark, nick_of
from hubbub.bridges.irc.front.events import Person, Role

NOT_HERE = "is not here now; what you say is kept"
"""What is said of an account's owner who is offline."""

LAST_LEAST = 100
"""So many are remembered in any case, as they were last told of."""


@dataclass
class Visit:
    """Somebody who is here by IRC."""

    count: int = 0
    """By so many clients."""

    ident: str = "u"
    realname: str = ""
    away: str = ""


class Who:
    """Everybody, as IRC calls them.

    Args:
        service: The chat.
    """

    def __init__(self, service: ChatService) -> None:
        self._service = service
        self.visits: dict[str, Visit] = {}
        self._last: dict[str, Person] = {}
        """How those were called last who are online, and some who were."""

        self._last_limit = LAST_LEAST

    def person(self, user: str, role: Role = "") -> Person:
        """Somebody as they are now."""
        if user == HELPER:
            return Person(HELPER, HELPER, "Hubbub", host=HELPER, ident=HELPER)
        account = self._service.people.account(user)
        if account is None:
            return Person(user, nick_of("", user), host=host_of(user))
        return self.of_account(account, role)

    def of_account(self, account: Account, role: Role = "") -> Person:
        """Somebody whose account is known."""
        user = account.user
        visit = self.visits.get(user)
        person = Person(
            user,
            nick_of(account.nick, user),
            (visit.realname if visit is not None else "") or account.nick,
            "" if account.guest else account.nick,
            role,
            visit.away if visit is not None else "",
            visit.ident if visit is not None else "u",
            host_of(user),
        )
        if role == "" and user not in self._last and self._service.people.is_online(user):
            self._remember(person)
        return person

    def _remember(self, person: Person) -> None:
        if len(self._last) >= self._last_limit:
            # Not everybody's going is told: only of rooms that are followed, and of so many.
            is_online = self._service.people.is_online
            self._last = {user: one for user, one in self._last.items() if is_online(user)}
            self._last_limit = max(LAST_LEAST, 2 * len(self._last))
        self._last[person.user] = person

    def then(self, user: str, nick: str) -> Person:
        """Somebody by the nick that they had when they said something."""
        return replace(self.person(user), nick=nick_of(nick, user))

    def changed(
        self, user: str, nick: str = "", *, guest: bool = False
    ) -> tuple[Person, Person] | None:
        """What somebody was when this was last asked, and is now; None: the same.

        Args:
            user: Who.
            nick: What they are called, if it has just been told.
            guest: Whether they are a guest, then.
        """
        before, account = self._last.get(user), self._service.people.account(user)
        if before is None or account is None:
            return None
        after = self.of_account(altered(account, nick=nick, guest=guest) if nick else account)
        if before == after:
            return None
        self._last[user] = after
        return before, after

    def gone(self, user: str) -> None:
        """Somebody is offline."""
        self._last.pop(user, None)

    def find(self, nick: str) -> Person | None:
        """Somebody who is online, by the nick that IRC knows."""
        account = self.account(nick)
        if account is None or not self._service.people.is_online(account.user):
            return None
        return self.of_account(account)

    def account(self, nick: str) -> Account | None:
        """Whoever IRC calls so, online or not."""
        people = self._service.people
        base, bar, _ = nick.partition("|")
        if bar:
            spelled = (self._spelled(user, nick) for user in people.online)
            return next((one for one in spelled if one is not None), None)
        account = people.by_nick(base)
        # Two nicks that look alike are one to the chat, and two to IRC.
        return account if account is not None and self._is(account, nick) else None

    def _spelled(self, user: str, nick: str) -> Account | None:
        account = self._service.people.account(user)
        return account if account is not None and self._is(account, nick) else None

    def among(self, users: Iterable[str], nick: str) -> Account | None:
        """Whom of these IRC calls so, online or not."""
        _, bar, letters = folded(nick).rpartition("|")
        found = (self._spelled(user, nick) for user in users if bar and mark(user) == letters)
        return next((one for one in found if one is not None), None)

    def _is(self, account: Account, nick: str) -> bool:
        return folded(nick_of(account.nick, account.user)) == folded(nick)

    def members(self, room: Room) -> list[tuple[str, Role]]:
        """Who is in a room and online."""
        is_online: Callable[[str], bool] = self._service.people.is_online
        return [(one.user, one.role) for one in room.members.values() if is_online(one.user)]
