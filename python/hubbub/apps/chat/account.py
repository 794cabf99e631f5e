"""`Account`: a person, as the chat knows them, and what they may say of themselves (pure)."""

from msgspec import Struct

from hubbub.apps.chat import refusals
from hubbub.apps.chat.commands import Person

LANGS_LIMIT = 20
PASSWORD_MIN = 8
PASSWORD_LIMIT = 200


class Account(Struct, frozen=True):
    """One person."""

    user: str
    nick: str
    guest: bool = False
    langs: tuple[str, ...] = ()
    preferred: str = ""
    password: str = ""
    """Its hash; empty: they come otherwise."""

    external: bool = False
    """Whether somebody else's token speaks for them."""

    created: int = 0
    seen: int = 0

    @property
    def is_bridged(self) -> bool:
        """Whether they come from another network: somebody's token speaks for a guest."""
        return self.external and self.guest

    def person(self, owners: frozenset[str]) -> Person:
        """The same, as rooms have to know them.

        Args:
            owners: Who owns all rooms, by user or nick. A guest's nick is no proof of anything.
        """
        is_owner = not self.guest and (self.user in owners or self.nick in owners)
        return Person(self.user, self.nick, self.guest, self.langs, self.preferred, is_owner)


class Me(Struct, frozen=True, omit_defaults=True):
    """What somebody is told about themselves."""

    user: str
    nick: str
    guest: bool
    langs: tuple[str, ...]
    preferred: str
    owner: bool = False


def me(account: Account, owners: frozenset[str]) -> Me:
    """What the owner of an account sees of it."""
    person = account.person(owners)
    return Me(
        account.user, account.nick, account.guest, account.langs, account.preferred, person.is_owner
    )


def checked_password(password: str) -> str:
    """A password that may be one.

    Raises:
        Refused: It is too short, or absurdly long.
    """
    if len(password) < PASSWORD_MIN:
        raise refusals.bad(f"a password has at least {PASSWORD_MIN} characters")
    if len(password) > PASSWORD_LIMIT:
        raise refusals.too_long("a password", len(password), PASSWORD_LIMIT)
    return password
