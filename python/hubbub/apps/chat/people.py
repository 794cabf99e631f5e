"""Who is who: accounts, sessions, and who is online. Stores and looks up; `account` decides."""

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from hubbub.apps.chat import refusals
from hubbub.apps.chat.account import Account
from hubbub.apps.chat.commands import Person
from hubbub.apps.chat.ids import opaque
from hubbub.apps.chat.nick import checked_nick, keys
from hubbub.apps.chat.store import Store, StoreFailure

_TOUCH_MS = 3_600_000
"""A session's last use is noted by the hour."""


class People:
    """All who have a name here.

    Args:
        store: Where they are kept.
        owners: Users or nicks who own all rooms.
        now_ms: The clock.
        session_age_ms: How long a session lives without being used.
    """

    def __init__(
        self,
        store: Store,
        owners: frozenset[str],
        now_ms: Callable[[], int],
        session_age_ms: int,
    ) -> None:
        self.owners = owners
        self._store = store
        self._now_ms = now_ms
        self._age_ms = session_age_ms
        self._reserved: set[str] = set()
        self._known: dict[str, Account] = {}
        self._online: dict[str, int] = {}
        self._passing: dict[str, int] = {}
        self._going: set[str] = set()
        self._taken: dict[str, str] = {}
        """Nicks on their way to the disk, by key, and whose they will be."""

    @property
    def session_age_s(self) -> int:
        """How long a browser keeps its session."""
        return self._age_ms // 1000

    # Who is there

    def arrived(self, account: Account, *, stays: bool = True) -> bool:
        """A connection of theirs is in; tells whether it is their first.

        Args:
            account: Whose.
            stays: Whether the connection outlives this version of the code.
        """
        if not stays:
            self._passing[account.user] = self._passing.get(account.user, 0) + 1
        self._known[account.user] = account
        self._online[account.user] = self._online.get(account.user, 0) + 1
        return self._online[account.user] == 1

    def left(self, user: str, *, stays: bool = True) -> bool:
        """A connection of theirs is gone; tells whether it was their last."""
        if not stays:
            _decrease(self._passing, user)
        count = self._online.get(user, 0) - 1
        if count > 0:
            self._online[user] = count
            return False
        self._known.pop(user, None)
        return self._online.pop(user, None) is not None

    def is_online(self, user: str) -> bool:
        """Whether they have a connection."""
        return user in self._online

    @property
    def online(self) -> list[str]:
        """Everybody who has a connection."""
        return list(self._online)

    @property
    def staying(self) -> dict[str, int]:
        """How many connections each has that stay open when the code is renewed."""
        counts = {user: n - self._passing.get(user, 0) for user, n in self._online.items()}
        return {user: count for user, count in counts.items() if count > 0}

    def take_over(self, online: dict[str, int]) -> None:
        """Whoever is connected stays connected when the code is renewed."""
        self._online = dict(online)

    # Who they are

    def account(self, user: str) -> Account | None:
        """One person."""
        return self._known.get(user) or self._store.here.account(user)

    def person(self, user: str) -> Person:
        """One person, as rooms have to know them.

        Raises:
            Refused: There is none (any more), or they are about to be gone.
        """
        account = self.account(user)
        if account is None or user in self._going:
            raise refusals.no_such("person")
        return account.person(self.owners)

    def by_nick(self, nick: str) -> Account | None:
        """Whoever is called so, or so similarly that nobody else may be."""
        return self._store.here.account_by_name(keys(nick))

    # What becomes of them

    async def add(self, account: Account) -> Account:
        """A new person, with a user of their own unless they bring one.

        Raises:
            Refused: The nick is taken, or looks like one that is.
        """
        if not account.user:
            account = replace(account, user=opaque("u", secrets.randbits))
        self.check_free(account.nick, account.user, is_bridged=account.is_bridged)
        with self.taking(account):
            try:
                await self._store.write(lambda db: add_account(db, account))
            except StoreFailure as failure:
                raise self._taken_or(failure, account.nick, account.user) from None
        return account

    @contextmanager
    def taking(self, account: Account) -> Generator[None]:
        """While somebody's nick is on its way to the disk, nobody else may have it."""
        mine = [key for key in keys(account.nick) if key not in self._taken]
        self._taken.update(dict.fromkeys(mine, account.user))
        try:
            yield
        finally:
            for key in mine:
                del self._taken[key]

    def reserve(self, end: str) -> None:
        """From now on nicks that end so, or look it, are for people of another network only."""
        self._reserved.add(_looks(end))

    async def add_external(self, user: str, info: bytes) -> Account:
        """Somebody whom a token speaks for, with the nick it tells, or one like it.

        Raises:
            Refused: There is somebody else with this user, or no nick is left.
        """
        told = _told(info)
        for number in range(1, 100):
            nick = told if number == 1 else f"{told[:28]}-{number}"
            if self._is_free(nick, user):
                now = self._now_ms()
                made = Account(user, nick, external=True, created=now, seen=now)
                return await self.add(made)
        raise refusals.nick_taken()

    @contextmanager
    def erasing(self, user: str) -> Generator[None]:
        """While somebody is taken away, nothing more is done for them; then they are forgotten."""
        self._going.add(user)
        try:
            yield
            self._known.pop(user, None)
        finally:
            self._going.discard(user)

    def changed(self, account: Account) -> None:
        """It is stored that they are different now."""
        if account.user in self._known:
            self._known[account.user] = account

    def check_free(self, nick: str, user: str, *, is_bridged: bool = False) -> None:
        """Whether somebody may be called so.

        Raises:
            Refused: Somebody else is, or looks so; or only people of another network are.
        """
        if not is_bridged and _looks(nick).endswith(tuple(self._reserved)):
            raise refusals.nick_taken()
        other = self.by_nick(nick)
        if other is not None and other.user != user:
            raise refusals.nick_taken()
        if any(self._taken.get(key, user) != user for key in keys(nick)):
            raise refusals.nick_taken()

    def _is_free(self, nick: str, user: str) -> bool:
        try:
            self.check_free(nick, user)
        except refusals.Refused:
            return False
        return True

    def _taken_or(self, failure: StoreFailure, nick: str, user: str) -> Exception:
        try:
            self.check_free(nick, user)
        except refusals.Refused as taken:
            return taken
        return refusals.not_stored(failure.reason)

    # Sessions

    async def begin_session(self, account: Account) -> str:
        """A new session; what is returned is its only copy.

        Raises:
            Refused: Somebody has another password meanwhile, or is gone.
        """
        token = secrets.token_urlsafe(32)
        now = self._now_ms()
        row = (digest(token), now, now, account.user, account.password)
        begun = 0

        def write(db: sqlite3.Connection) -> None:
            nonlocal begun
            # Another password ends the sessions of the old one: none begins behind its back.
            begun = db.execute(
                "insert into sessions select ?, user, ?, ? from accounts"
                " where user = ? and password = ?",
                row,
            ).rowcount

        await self._store.write(write)
        if not begun:
            raise refusals.not_signed_in("nick or password is wrong")
        return token

    def whose(self, token: str) -> Account | None:
        """Who comes with this session."""
        if not token:
            return None
        hashed = digest(token)
        found = self._store.here.session(hashed)
        now = self._now_ms()
        if found is None or found[1] + self._age_ms < now:
            return None
        user, seen = found
        if now - seen > _TOUCH_MS:
            self._store.submit(lambda db: _touch(db, hashed, user, now), lambda failure: None)
        return self.account(user)

    async def end_session(self, token: str) -> None:
        """The session is good for nothing any more."""
        hashed = digest(token)
        await self._store.write(
            lambda db: _none(db.execute("delete from sessions where hash = ?", (hashed,)))
        )


def _decrease(counts: dict[str, int], user: str) -> None:
    count = counts.get(user, 0) - 1
    if count > 0:
        counts[user] = count
    else:
        counts.pop(user, None)


def _told(info: bytes) -> str:
    """The nick that a token's info tells, as far as it may be one."""
    try:
        nick = msgspec.json.decode(info or b"null", type=_Info).nick
        return checked_nick(nick)
    except (msgspec.DecodeError, refusals.Refused):
        return "somebody"


class _Info(msgspec.Struct):
    nick: str


def digest(token: str) -> bytes:
    """What is kept of a session: whoever reads the database cannot use it."""
    return hashlib.sha256(token.encode()).digest()


def keep_account(db: sqlite3.Connection, account: Account) -> None:
    """Stores that somebody is different now.

    Raises:
        sqlite3.IntegrityError: Somebody else has the nick meanwhile.
    """
    db.execute("delete from names where user = ?", (account.user,))
    db.executemany(
        "insert into names values (?, ?)", [(k, account.user) for k in keys(account.nick)]
    )
    db.execute(
        "update accounts set nick = ?, langs = ?, preferred = ?, password = ?, guest = ?"
        " where user = ?",
        (
            account.nick,
            msgspec.json.encode(account.langs).decode(),
            account.preferred,
            account.password,
            account.guest,
            account.user,
        ),
    )


def forget_account(db: sqlite3.Connection, user: str) -> None:
    """Somebody is gone: what remains is a user that nobody is."""
    for table in ("names", "sessions", "accounts", "reactions", "mentions"):
        db.execute(f"delete from {table} where user = ?", (user,))  # noqa: S608 - our own names


def _looks(nick: str) -> str:
    return keys(nick)[1].removeprefix("~")


def add_account(db: sqlite3.Connection, account: Account) -> None:
    """A new person.

    Raises:
        sqlite3.IntegrityError: The nick is taken, or looks like one that is.
    """
    db.execute(
        "insert into accounts values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            account.user,
            account.nick,
            account.guest,
            msgspec.json.encode(account.langs).decode(),
            account.preferred,
            account.password,
            account.external,
            account.created,
            account.seen,
        ),
    )
    db.executemany(
        "insert into names values (?, ?)", [(k, account.user) for k in keys(account.nick)]
    )


def _touch(db: sqlite3.Connection, hashed: bytes, user: str, now: int) -> None:
    db.execute("update sessions set seen = ? where hash = ?", (now, hashed))
    db.execute("update accounts set seen = ? where user = ?", (now, user))


def _none(_: object) -> None:
    return None
