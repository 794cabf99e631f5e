"""The remote procedures about oneself: who one is, what one has said, and how to be gone."""

import sqlite3
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hubbub.apps.chat import commands as do
from hubbub.apps.chat import refusals, wire
from hubbub.apps.chat.account import Account, Me, checked_password, me
from hubbub.apps.chat.housekeeping import sweep
from hubbub.apps.chat.languages import checked_langs
from hubbub.apps.chat.nick import checked_nick
from hubbub.apps.chat.people import digest, forget_account, keep_account
from hubbub.apps.chat.sign_in import COOKIE
from hubbub.apps.chat.wire import Done
from hubbub.hub import Client

if TYPE_CHECKING:
    from hubbub.apps.chat.service import ChatService


class Profile:
    """What people do to themselves."""

    def __init__(self, chat: "ChatService") -> None:
        self._chat = chat
        chat.hub.rpc("me.set")(self.set)
        chat.hub.rpc("me.erase")(self.erase)

    async def set(self, client: Client, params: wire.MeParams) -> Me:
        """Another nick, other languages, another password."""
        chat = self._chat
        chat.slow("actions_per_user", client.user, 5)
        account = self._account(client)
        changed = account
        if params.nick is not None:
            nick = checked_nick(params.nick)
            chat.people.check_free(nick, client.user)
            changed = replace(changed, nick=nick)
        if params.langs is not None or params.preferred is not None:
            langs, preferred = checked_langs(
                changed.langs if params.langs is None else params.langs,
                changed.preferred if params.preferred is None else params.preferred,
            )
            changed = replace(changed, langs=langs, preferred=preferred)
        if params.password is not None:
            changed = await self._with_password(client, changed, params)
        if changed != account:
            await self.renew(account, changed, client.request.cookies.get(COOKIE, ""))
        return me(changed, chat.people.owners)

    async def renew(
        self, account: Account, changed: Account, session: str = "", origin: object = None
    ) -> None:
        """Stores that somebody is different now, and tells all their rooms.

        Args:
            account: What they were.
            changed: What they are.
            session: The one that stays if they have another password.
            origin: Who asked for it.

        Raises:
            Refused: They are gone meanwhile, or somebody else has the nick.
        """
        chat = self._chat
        user, kept = account.user, digest(session)
        chat.people.person(user)
        if changed.nick != account.nick:
            # Again: if the disk refused it, it would refuse what others say at this moment, too.
            chat.people.check_free(changed.nick, user, is_bridged=account.is_bridged)
        rooms = chat.live.rooms(chat.store.here.rooms_of(user))

        def write(db: sqlite3.Connection) -> None:
            keep_account(db, changed)
            if changed.password != account.password:
                # Whoever knew the old one is signed out; this connection's session stays.
                db.execute("delete from sessions where user = ? and hash <> ?", (user, kept))

        person = changed.person(chat.people.owners)
        wanted = [(one, do.Renew()) for one in rooms]
        with chat.people.taking(changed):
            await chat.live.carry_out_all(wanted, person, first=write, origin=origin)
        chat.people.changed(changed)
        if changed.password != account.password:
            chat.sign_out(user, kept)
        chat.tell(user, {"type": "me", "me": me(changed, chat.people.owners)})

    async def erase(self, client: Client, params: wire.EraseParams) -> Done:
        """Takes away all that somebody has said, and them."""
        chat = self._chat
        account = self._account(client)
        if account.password:
            chat.slow("passwords_per_nick", client.user)
            if not await chat.sign_in.passwords.matches(account.password, params.password):
                raise refusals.forbidden("the password is wrong")
        user = client.user

        def write(db: sqlite3.Connection) -> None:
            forget_account(db, user)

        person = account.person(chat.people.owners)
        with chat.people.erasing(user):
            places = await chat.store.read(lambda reader: reader.places_of(user))
            wanted = [(one, do.Erase()) for one in chat.live.rooms(places)]
            await chat.live.carry_out_all(wanted, person, first=write)
        # The connection that asked stays until it has its answer.
        chat.sign_out(user, client.data)
        try:
            await sweep(chat.store)
        finally:
            chat.app.spawn(chat.send_away(user))
        return Done()

    def _account(self, client: Client) -> Account:
        account = self._chat.people.account(client.user)
        if account is None:
            raise refusals.no_such("person")
        return account

    async def _with_password(
        self, client: Client, account: Account, params: wire.MeParams
    ) -> Account:
        if account.external:
            raise refusals.forbidden("a token speaks for you: there is no password")
        password = checked_password(params.password or "")
        chat = self._chat
        chat.slow("passwords_per_nick", client.user)
        if account.password and not await chat.sign_in.passwords.matches(
            account.password, params.old_password
        ):
            raise refusals.forbidden("the old password is wrong")
        if account.guest and not chat.config.registration:
            raise refusals.forbidden("accounts are not made here")
        kept = await chat.sign_in.passwords.hash(password)
        return replace(account, password=kept, guest=False)
