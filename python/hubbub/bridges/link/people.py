"""`People`: the chat follows a remote's roster: who is there is a guest of the chat, and a member.

They have no session and no rights but those of a guest; their nick says from where they come. When
they are gone they are gone: out of all rooms, and their nick is free.
"""

import asyncio
from contextlib import suppress

from msgspec.structs import replace

from hubbub.apps.chat import ChatService, refusals
from hubbub.apps.chat.account import Account
from hubbub.apps.chat.commands import Command, Join, Leave
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import Room
from hubbub.bridges.link.blocking import Blocks
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.spelling import shown
from hubbub.bridges.link.visitor import Roster, Visitor
from hubbub.errors import Failure
from hubbub.log import logger

_AT_ONCE = 50
"""How many come and go at once: one commit for all of them."""

_NAMESAKES = 100


class LinkCaller:
    """Somebody of a remote, as the chat's procedures know those who ask."""

    def __init__(self, user: str, bridge: str) -> None:
        self.user = user
        self.bridge = bridge


class People:
    """Lets the people of one remote into the chat, and sees them out.

    Args:
        service: The chat.
        bridge: The bridge's name.
        label: What stands behind their nicks.
        rooms: The room of each channel.
        ledger: Who was who.
        blocks: Who is not let in.
    """

    def __init__(
        self,
        service: ChatService,
        bridge: str,
        label: str,
        rooms: dict[str, str],
        ledger: Ledger,
        blocks: Blocks,
    ) -> None:
        self.roster = Roster()
        self._service = service
        self._bridge = bridge
        self._label = label
        self._rooms = rooms
        self._ledger = ledger
        self._blocks = blocks
        self._known: set[str] = set()
        self._is_busy = False
        self._changed = asyncio.Event()

    @property
    def count(self) -> int:
        """How many are in the chat."""
        return len(self.roster.users)

    def is_ours(self, user: str) -> bool:
        """Whether somebody of the chat is one of the remote's."""
        return user in self.roster.users or user in self._known

    def open(self) -> None:
        """Learns who was there when this ended last, and keeps their kind of nick for them."""
        self._service.people.reserve(f"·{self._label}")
        self._known = set(self._ledger.users(self._bridge))

    async def see_out(self) -> None:
        """Whoever was there last, and has not come again, is gone."""
        if self.roster.dirty or self._is_busy:
            return
        for user in self._known - self.roster.users.keys():
            account = self._service.people.account(user)
            if account is not None:
                await self._dismiss(account)
            self._ledger.forget(self._bridge, user)
        self._known = set(self.roster.users)

    def wake(self) -> None:
        """The roster has changed."""
        self._changed.set()

    async def run(self) -> None:
        """Follows the roster until it is cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self.roster.dirty:
                some = list(self.roster.dirty)[:_AT_ONCE]
                self._is_busy = True
                try:
                    await asyncio.gather(*map(self.settle, some))
                finally:
                    self._is_busy = False

    async def settle(self, visitor: Visitor) -> None:
        """Makes the chat follow what is known of somebody."""
        async with visitor.lock:
            self.roster.dirty.pop(visitor, None)
            try:
                await self._settle(visitor)
            except (Refused, Failure) as error:
                logger.warning("bridge %s: %s: %s", self._bridge, visitor.person.name, error)

    async def _settle(self, visitor: Visitor) -> None:
        wanted: set[str] = set()
        if visitor.person not in self._blocks:
            wanted = (visitor.wanted | visitor.speaking.keys()) - visitor.put_out
        if not wanted:
            await self._leave(visitor)
            return
        account = await self._account(visitor)
        person = account.person(self._service.people.owners)
        caller = LinkCaller(account.user, self._bridge)
        there = {name: room for name in wanted if (room := self._room(name)) is not None}
        here = {name for name, room in there.items() if account.user in room.members}
        coming: list[tuple[Room, Command]] = [
            (room, Join()) for name, room in there.items() if name not in here
        ]
        gone = [room for name in visitor.present - wanted if (room := self._room(name)) is not None]
        leaving: list[tuple[Room, Command]] = [(room, Leave()) for room in gone]
        visitor.present = set(here)
        for room, command in (*coming, *leaving):
            with suppress(Refused):
                # A ban is the room's own business: then they are not seen there.
                await self._service.live.carry_out(room, command, person, origin=caller)
        visitor.present |= {name for name, room in there.items() if account.user in room.members}

    async def _account(self, visitor: Visitor) -> Account:
        service, person = self._service, visitor.person
        account = service.people.account(visitor.user) if visitor.user else None
        if account is None:
            account = self._old_acquaintance(person.id) or await self._new(person.name)
            visitor.user = account.user
            self.roster.users[account.user] = visitor
            self._ledger.know(self._bridge, person.id, account.user)
            service.came(account, stays=False)
        elif visitor.is_away:
            service.came(account, stays=False)
        visitor.is_away = False
        if not self._is_called(account.nick, person.name):
            changed = replace(account, nick=self._free(person.name, account.user))
            origin = LinkCaller(account.user, self._bridge)
            await service.profile.renew(account, changed, origin=origin)
            self._ledger.forget(self._bridge, account.user)
            self._ledger.know(self._bridge, person.id, account.user)
            account = changed
        return account

    def _old_acquaintance(self, id: str) -> Account | None:  # noqa: A002
        user = self._ledger.user(self._bridge, id)
        account = self._service.people.account(user) if user else None
        if account is None or user in self.roster.users:
            return None
        holder = self._service.people.by_nick(account.nick)
        return account if holder is not None and holder.user == user else None

    async def _new(self, name: str) -> Account:
        """Somebody new; whoever is quicker has the nick."""
        for _ in range(_NAMESAKES):
            now = self._service.now_ms()
            nick = self._free(name, "")
            made = Account("", nick, guest=True, external=True, created=now, seen=now)
            try:
                return await self._service.people.add(made)
            except Refused as refused:
                if refused.code != refusals.nick_taken().code:
                    raise
        raise refusals.nick_taken()

    def _free(self, name: str, user: str) -> str:
        for number in range(1, _NAMESAKES):
            nick = shown(name, self._label, number)
            holder = self._service.people.by_nick(nick)
            if holder is None or holder.user == user:
                return nick
        raise refusals.nick_taken()

    def _is_called(self, nick: str, name: str) -> bool:
        return any(nick == shown(name, self._label, number) for number in range(1, _NAMESAKES))

    async def _leave(self, visitor: Visitor) -> None:
        visitor.present = set()
        user = visitor.user
        if not user:
            return
        visitor.user = ""
        if self.roster.users.get(user) is visitor:
            del self.roster.users[user]
        account = self._service.people.account(user)
        if not visitor.is_away:
            self._service.went(user, stays=False)
        visitor.is_away = False
        if account is not None:
            await self._dismiss(account)
        self._ledger.forget(self._bridge, user)
        self._known.discard(user)

    async def _dismiss(self, account: Account) -> None:
        origin = LinkCaller(account.user, self._bridge)
        try:
            await self._service.visitors.dismiss(account, origin)
        except (Refused, Failure) as error:
            logger.warning("bridge %s: %s stays: %s", self._bridge, account.nick, error)

    def away(self) -> None:
        """The remote is not seen: everybody is offline, until it is clear who comes again."""
        for user, visitor in self.roster.users.items():
            if not visitor.is_away:
                visitor.is_away = True
                self._service.went(user, stays=False)

    def put_out(self, room: Room, user: str) -> None:
        """The chat has put somebody out of a room: they stay out."""
        visitor = self.roster.users.get(user)
        if visitor is not None:
            channels = [name for name, id_ in self._rooms.items() if id_ == room.id]
            visitor.put_out.update(channels)
            visitor.present.difference_update(channels)

    def _room(self, channel: str) -> Room | None:
        return self._service.live.room(self._rooms[channel]) if channel in self._rooms else None
