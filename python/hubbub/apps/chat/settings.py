"""What can be said about a chat in `[app.config]` (pure)."""

from typing import Any, Literal

from msgspec import Struct

from hubbub.apps.chat.limits import Rate
from hubbub.config import duration_s
from hubbub.translation import TranslationSettings


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """How much may be done, each as a number a second and a number at once."""

    messages_per_user: tuple[float, float] = (4, 20)
    """Messages, edits and deletions of one person."""

    messages_per_room: tuple[float, float] = (100, 400)
    """Messages, edits and deletions in one room."""

    actions_per_user: tuple[float, float] = (20, 100)
    """Whatever else one person asks for: histories, reactions, typing."""

    searches_per_user: tuple[float, float] = (2, 10)
    """Searches and exports of one person."""

    sign_ins_per_address: tuple[float, float] = (0.5, 20)
    """New guests, registrations and logins from one address."""

    passwords_per_nick: tuple[float, float] = (0.1, 5)
    """Tries at the password of one account."""

    rooms_per_user: tuple[float, float] = (0.02, 10)
    """Rooms that one person makes, conversations included."""

    def __post_init__(self) -> None:
        """Refuses what would never let anything through."""
        for name in self.__struct_fields__:
            per_s, burst = getattr(self, name)
            if per_s <= 0 or burst < 1:
                raise ValueError(f"{name}: expected two numbers, above 0 and from 1")

    def rate(self, name: str) -> Rate:
        """One of them."""
        per_s, burst = getattr(self, name)
        return Rate(per_s, burst)


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one chat."""

    database: str = "hubbub-data/chat.sqlite3"
    """The SQLite file in which everything is kept; its folder is made."""

    lobby: str = "Lobby"
    """The room everybody is in; empty: none is made."""

    guests: bool = True
    """Whether people may come without a password."""

    registration: bool = True
    """Whether people may make themselves an account."""

    rooms_by: Literal["everybody", "accounts", "owners"] = "everybody"
    """Who may make rooms."""

    owners: tuple[str, ...] = ()
    """Users or registered nicks who own all rooms. Register a nick before you name it here."""

    jwt_secret: str = ""
    """Tokens signed with this are believed, at least 16 bytes; empty: none are."""

    jwks: dict[str, Any] = {}
    """Tokens signed with these keys are believed (RFC 7517)."""

    origins: tuple[str, ...] = ()
    """Pages of which other origins may connect."""

    text_limit: int = 4_000
    """How many characters a message has at most."""

    session_age: str = "30d"
    """How long somebody stays signed in without coming back."""

    guest_age: str = "7d"
    """How long a guest's nick is kept without them coming back."""

    backup_every: str = "24h"
    """How often a copy of the database is made beside it; "0s": never."""

    limits: Limits = Limits()
    """What counts as a flood."""

    translation: TranslationSettings = TranslationSettings()
    """Which translators are asked: see docs/translation.md."""

    translate_keys: tuple[str, ...] = ()
    """Keys with which other programs may use `/translate`; people who are signed in need none."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        for name in ("session_age", "guest_age", "backup_every"):
            duration_s(getattr(self, name))
        if not 1 <= self.text_limit <= 100_000:
            raise ValueError("text_limit: expected 1 to 100,000")
        if not self.database:
            raise ValueError("database: expected the name of a file")
