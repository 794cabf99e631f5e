"""A lobby with a month behind it: more than a page can hold at once."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubbub.apps.chat.account import Account
from hubbub.apps.chat.events import MemberSet, RoomSet, Said
from hubbub.apps.chat.ids import Ulids
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.people import add_account
from hubbub.apps.chat.store.changes import keep, make_room
from hubbub.apps.chat.store.schema import connect, migrate

from .conftest import Chat, house

DAYS = 30
PER_DAY = 10
COUNT = DAYS * PER_DAY
ZONE: dict[str, Any] = {"timezone_id": "UTC"}
"""Where its readers live, so that their days are those of the history."""

FRENCH = 57
"""The number of what was said in another language; by Igor, who speaks when it is odd."""

_BEGIN = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(
    days=DAYS + 5
)


def text_of(number: int) -> str:
    """What was said."""
    if number == FRENCH:
        return f"entrée {number:03} le martin-pêcheur est revenu"
    return f"entry {number:03} kingfisher" if number % 50 == 7 else f"entry {number:03}"


def day_of(number: int) -> str:
    """When, such as 2026-01-31."""
    return (_BEGIN + timedelta(days=number // PER_DAY)).date().isoformat()


def write(folder: Path) -> None:
    """Makes the file."""
    path = folder / "chat.sqlite3"
    db = connect(path)
    migrate(db, path)
    ulids = Ulids(random.Random(5).getrandbits)
    begin = int(_BEGIN.timestamp() * 1000)
    people = {"u-hana": "Hana", "u-igor": "Igor"}
    db.execute("begin")
    make_room(db, "lobby", "open", begin)
    keep(db, "lobby", [RoomSet(1, begin, "Lobby", "open")])
    for seq, (user, nick) in enumerate(people.items(), 2):
        add_account(db, Account(user, nick, langs=("en",), preferred="en"))
        keep(db, "lobby", [MemberSet(seq, begin, user, nick)])
    for number in range(COUNT):
        at = begin + number // PER_DAY * 86_400_000 + number % PER_DAY * 60_000
        user = list(people)[number % 2]
        message = Message(
            ulids.next(at), "lobby", number + 4, at, user, people[user],
            "text", text_of(number), "fr" if number == FRENCH else "en", "user",
        )  # fmt: skip
        keep(db, "lobby", [Said(message.seq, at, message)])
    db.execute("commit")
    db.close()


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chat]:
    folder = tmp_path_factory.mktemp("chat")
    write(folder)
    with house(folder) as made:
        yield made
