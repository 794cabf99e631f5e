"""What is done when nobody asks for it: old messages, guests and sessions go, copies are made."""

import asyncio
import sqlite3
from typing import TYPE_CHECKING

from hubbub.apps.chat.store import Store, StoreFailure
from hubbub.apps.chat.store.changes import Gone, merge_index, unindex
from hubbub.config import duration_s
from hubbub.errors import Failure
from hubbub.hub import Refused
from hubbub.log import logger

if TYPE_CHECKING:
    from hubbub.apps.chat.service import ChatService

EVERY_S = 60.0
PORTION = 500
"""How many messages go in one transaction: a few milliseconds that everybody waits."""

_SESSION_BEGINS_MS = 60_000
"""After which time a guest without a session never had one, or has it no more."""

MERGED_PAGES = 64
"""How much of the search index is written anew in one transaction."""

GUESTS_LIMIT = 200
"""How many guests go in one round."""


async def sweep(store: Store) -> None:
    """Takes what was deleted out of the search index's file, a portion at a time.

    Raises:
        StoreFailure: The disk does not take it.
    """
    pages, is_more = -MERGED_PAGES, True

    def write(db: sqlite3.Connection) -> None:
        nonlocal is_more
        is_more = merge_index(db, pages)

    while is_more:
        await store.write(write)
        pages = MERGED_PAGES


class Housekeeping:
    """Keeps the house of one chat; runs as a task."""

    def __init__(self, chat: "ChatService") -> None:
        self._chat = chat
        self._backup_s = duration_s(chat.config.backup_every)
        self._guest_ms = int(duration_s(chat.config.guest_age) * 1000)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self.once()
            except (Failure, Refused, sqlite3.Error) as error:
                logger.error("chat: housekeeping: %s", error)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> None:
        """One round."""
        await self.forget_old_messages()
        await self.forget_old_guests()
        await self._forget_old_sessions()
        await self._back_up()

    async def forget_old_messages(self) -> None:
        """What a room does not keep any longer."""
        chat = self._chat
        for room, retention in await chat.store.read(lambda reader: reader.forgetful()):
            before = chat.now_ms() - retention * 1000
            while await self._forget_some(room, before):
                pass

    async def _forget_some(self, room: str, before: int) -> bool:
        old = await self._chat.store.read(lambda reader: reader.older(room, before, PORTION))
        if not old:
            return False
        last = old[-1][1]

        def write(db: sqlite3.Connection) -> None:
            for number, _, id, text, user, lang, *_ in old:  # noqa: A001
                unindex(db, number, text, room, user, lang)
                db.execute("delete from messages where number = ?", (number,))
                db.execute("delete from reactions where message = ?", (id,))
                db.execute("delete from translations where message = ?", (id,))
            db.execute("delete from events where room = ? and seq <= ?", (room, last))
            db.execute("delete from mentions where room = ? and seq <= ?", (room, last))
            db.execute("update rooms set floor = max(floor, ?) where id = ?", (last, room))

        await self._chat.store.write(write)
        self._chat.live.expire(room, (id for _, _, id, *_ in old))  # noqa: A001
        self._chat.forget(room)
        self._chat.gone([Gone.of(ts, text, meant) for _, _, _, text, _, _, ts, meant in old])
        return len(old) == PORTION

    async def forget_old_guests(self) -> None:
        """Nicks of guests who have not come for long, or cannot, are free; what they said stays."""
        chat = self._chat
        now = chat.now_ms()
        before, made_before = now - self._guest_ms, now - _SESSION_BEGINS_MS
        users = await chat.store.read(
            lambda reader: reader.old_guests(before, made_before, GUESTS_LIMIT)
        )
        for user in users:
            account = chat.people.account(user)
            if account is not None and not chat.people.is_online(user):
                await chat.visitors.dismiss(account)

    async def _forget_old_sessions(self) -> None:
        before = self._chat.now_ms() - self._chat.people.session_age_s * 1000

        def write(db: sqlite3.Connection) -> None:
            db.execute("delete from sessions where seen < ?", (before,))

        await self._chat.store.write(write)

    async def _back_up(self) -> None:
        store = self._chat.store
        if self._backup_s and store.backup_age_s() >= self._backup_s:
            try:
                logger.info("chat: a copy of the database is at %s", await store.back_up())
            except (OSError, sqlite3.Error) as error:
                raise StoreFailure(f"no copy of {store.path}: {error}") from None
