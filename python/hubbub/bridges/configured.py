"""Which bridges there are, in `[app.config.bridges.NAME]` (pure)."""

import re
from typing import Any, TypeAlias

import msgspec

from hubbub.bridges.irc.client import IrcBridge
from hubbub.bridges.xmpp.muc.settings import XmppBridge

Bridge: TypeAlias = IrcBridge | XmppBridge
"""The settings of one bridge, told apart by their `kind`."""

Bridges: TypeAlias = dict[str, dict[str, Any]]
"""The tables of all bridges, by name."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,11}")


def bridges_of(tables: Bridges) -> dict[str, Bridge]:
    """The settings of all bridges.

    Raises:
        ValueError: One makes no sense; with the key.
    """
    return {name: _bridge(name, table) for name, table in tables.items()}


def checked(tables: Bridges) -> None:
    """Refuses what makes no sense.

    Raises:
        ValueError: With the key.
    """
    bridges_of(tables)


def _bridge(name: str, table: dict[str, Any]) -> Bridge:
    if not _NAME.fullmatch(name):
        raise ValueError(f"bridges.{name}: a name is up to 12 small letters, digits, _ and -")
    try:
        found: Bridge = msgspec.convert(table, Bridge)
    except msgspec.ValidationError as error:
        sentence, _, place = str(error).partition(" - at `$")
        key = place.rstrip("`").replace("[...]", "")
        raise ValueError(f"bridges.{name}{key}: {sentence}") from None
    return found
