"""Who comes by a bridge, without a browser: guests as long as they are there, and account holders.

A guest of a browser has a session to come back with. One of a bridge has nothing: whoever left
cannot be told from somebody else who takes the nick. So such a guest is gone with the connection.
The next one of that nick is somebody new, who sees nothing of what the last one wrote in private.
"""

import sqlite3
from typing import TYPE_CHECKING

from hubbub.apps.chat import refusals
from hubbub.apps.chat.account import Account
from hubbub.apps.chat.commands import Leave
from hubbub.apps.chat.nick import checked_nick, keys

if TYPE_CHECKING:
    from hubbub.apps.chat.service import ChatService


class Visitors:
    """Lets people in who come by a bridge, and sees them out."""

    def __init__(self, chat: "ChatService") -> None:
        self._chat = chat
        self._coming: set[str] = set()

    async def guest(self, nick: str, address: str) -> Account:
        """A new guest, who is online from now on until `ChatService.went` says otherwise.

        Args:
            nick: What they want to be called.
            address: From where they come.

        Raises:
            Refused: Guests are not allowed, the nick is none or taken, or too many come from there.
        """
        chat = self._chat
        chat.sign_in.let_guest_in(address)
        wanted = checked_nick(nick)
        _, key = keys(wanted)
        if key in self._coming:
            # Stored or not, theirs is not yet online: they would be taken for gone.
            raise refusals.nick_taken()
        self._coming.add(key)
        try:
            await self._free(wanted)
            now = chat.now_ms()
            account = await chat.people.add(Account("", wanted, True, created=now, seen=now))
            chat.came(account, stays=False)
        finally:
            self._coming.discard(key)
        return account

    async def free(self, nick: str) -> None:
        """Takes a nick from a guest who can never come back: offline, and no browser is theirs."""
        if keys(nick)[1] not in self._coming:
            await self._free(nick)

    async def _free(self, nick: str) -> None:
        chat = self._chat
        holder = chat.people.by_nick(nick)
        if (
            holder is not None
            and holder.guest
            and not chat.people.is_online(holder.user)
            and not chat.store.here.has_session(holder.user)
        ):
            await self.dismiss(holder)

    async def dismiss(self, account: Account, origin: object = None) -> None:
        """A guest leaves all rooms, and their nick is free again; what they said stays."""
        chat = self._chat
        user, person = account.user, account.person(chat.people.owners)
        rooms = chat.live.rooms(chat.store.here.rooms_of(user))
        wanted = [(room, Leave()) for room in rooms if room.kind != "direct"]

        def write(db: sqlite3.Connection) -> None:
            for table in ("names", "sessions"):
                db.execute(f"delete from {table} where user = ?", (user,))  # noqa: S608 - our own names

        await chat.live.carry_out_all(wanted, person, first=write, origin=origin)
