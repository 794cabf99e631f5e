"""People of the chat, as IRC sees them."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hubbub.apps.chat.account import Account
from hubbub.apps.chat.people import People
from hubbub.apps.chat.store import Store
from hubbub.bridges.irc.chat.who import LAST_LEAST, Who

pytestmark = pytest.mark.anyio


async def test_who_has_gone_is_not_remembered_for_ever(tmp_path: Path) -> None:
    store = Store(tmp_path / "chat.sqlite3")
    people = People(store, frozenset(), lambda: int(time.time() * 1000), 1000)
    service: Any = SimpleNamespace(people=people)
    who = Who(service)
    stays = await people.add(Account("", "stays", True))
    people.arrived(stays)
    who.person(stays.user)
    for number in range(3 * LAST_LEAST):
        guest = await people.add(Account("", f"guest{number}", True))
        people.arrived(guest)
        assert who.person(guest.user).nick == guest.nick
        people.left(guest.user)
    assert len(who._last) <= LAST_LEAST + 1
    people.changed(Account(stays.user, "renamed", True))
    told = who.changed(stays.user)
    assert told is not None
    assert [one.nick for one in told] == ["stays", "renamed"]
    store.close()
