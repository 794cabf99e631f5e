"""A million messages in the chat's store: how long a search takes, and what a room needs to open.

python -m bench.chat_store build FILE [COUNT]     writes the messages
python -m bench.chat_store measure FILE           prints a table; the file is not changed
"""

import random
import sqlite3
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hubbub.apps.chat import search
from hubbub.apps.chat.account import Account
from hubbub.apps.chat.events import MemberSet, RoomSet, Said
from hubbub.apps.chat.ids import Ulids
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.people import add_account
from hubbub.apps.chat.store.changes import keep, make_room
from hubbub.apps.chat.store.reader import Reader
from hubbub.apps.chat.store.schema import connect, migrate

ROOMS, USERS, MEMBERS = 20, 500, 200
BEGIN_MS = 1_700_000_000_000
STEP_MS = 30_000
PORTION = 5_000
ROUNDS = 15
SYLLABLES = [
    "ba",
    "be",
    "bi",
    "bo",
    "bu",
    "da",
    "de",
    "di",
    "do",
    "du",
    "ka",
    "ke",
    "ki",
    "ko",
    "ku",
    "la",
    "le",
    "li",
    "lo",
    "lu",
    "ma",
    "me",
    "mi",
    "mo",
    "mu",
    "na",
    "ne",
    "ni",
    "no",
    "nu",
    "ra",
    "re",
    "ri",
    "ro",
    "ru",
    "sa",
    "se",
    "si",
    "so",
    "su",
    "ta",
    "te",
    "ti",
    "to",
    "tu",
    "va",
    "ve",
    "vi",
    "vo",
    "vu",
    "za",
]
HAN = [chr(0x4E00 + number * 7) for number in range(2_000)]


def _words(dice: random.Random) -> list[str]:
    return ["".join(dice.choices(SYLLABLES, k=dice.randint(2, 4))) for _ in range(30_000)]


def build(path: Path, count: int) -> None:
    """Writes the messages, as the writer would."""
    dice = random.Random(7)
    words = _words(dice)
    # A few words are in every second line, most in hardly any (Zipf).
    weights = [1 / (rank + 3) for rank in range(len(words))]
    cumulative = [sum(weights[:1])]
    for weight in weights[1:]:
        cumulative.append(cumulative[-1] + weight)
    han = [1 / (rank + 3) for rank in range(len(HAN))]
    db = connect(path)
    migrate(db, path)
    db.execute("pragma synchronous = off")
    ulids = Ulids(dice.getrandbits)
    rooms = [f"r{number}" for number in range(ROOMS)]
    seqs = dict.fromkeys(rooms, 0)
    db.execute("begin")
    for user in range(USERS):
        add_account(db, Account(f"u{user}", f"person{user}", langs=("en",), preferred="en"))
    for number, room in enumerate(rooms):
        make_room(db, room, "open", BEGIN_MS)
        seqs[room] = 1
        keep(db, room, [RoomSet(1, BEGIN_MS, f"Room {number}", "open")])
        for user in range(MEMBERS):
            seqs[room] += 1
            keep(db, room, [MemberSet(seqs[room], BEGIN_MS, f"u{user}", f"person{user}")])
    db.execute("commit")
    for first in range(0, count, PORTION):
        db.execute("begin")
        for number in range(first, min(first + PORTION, count)):
            at = BEGIN_MS + number * STEP_MS
            room = rooms[min(int(dice.expovariate(0.25)), ROOMS - 1)]
            user = int(dice.random() ** 2 * USERS)
            if number % 10 == 0:
                text, lang = "".join(dice.choices(HAN, han, k=dice.randint(4, 20))), "zh"
            else:
                chosen = dice.choices(words, cum_weights=cumulative, k=dice.randint(3, 14))
                text, lang = " ".join(chosen), dice.choice(("en", "fr", "es"))
            seqs[room] += 1
            message = Message(
                ulids.next(at), room, seqs[room], at, f"u{user}", f"person{user}",
                "text", text, lang, "detected",
            )  # fmt: skip
            keep(db, room, [Said(message.seq, at, message, f"n{number}")])
        db.execute("commit")
        if first % 100_000 == 0:
            print(first, flush=True)
    db.execute("pragma wal_checkpoint(truncate)")
    db.close()


def measure(path: Path) -> None:
    """Prints what each question takes: by the clock and of the processor, median and worst."""
    dice = random.Random(7)
    words = _words(dice)
    reader = Reader(connect(path, read_only=True))
    (count,) = reader.db.execute("select count(*) from messages").fetchone()
    print(
        f"{count:,} messages, {path.stat().st_size / 2**20:,.0f} MiB,"
        f" SQLite {sqlite3.sqlite_version}"
    )
    everywhere = [f"r{number}" for number in range(ROOMS)]
    day = "2024-06-01"
    questions: list[tuple[str, str, list[str], str]] = [
        ("the most frequent word", words[0], everywhere, ""),
        ("a rare word", words[-1], everywhere, ""),
        ("two frequent words", f"{words[0]} {words[1]}", everywhere, ""),
        ("a phrase of two", f'"{words[0]} {words[1]}"', everywhere, ""),
        ("three letters of a word", words[0][:3], everywhere, ""),
        ("a frequent word, in: the smallest room", words[0], everywhere[-1:], ""),
        ("a frequent word, from: a rare person", words[0], everywhere, "u499"),
        ("from: a rare person", "", everywhere, "u499"),
        ("a frequent word, lang:", f"{words[0]} lang:zh", everywhere, ""),
        ("a frequent word, before:", f"{words[0]} before:{day}", everywhere, ""),
        ("one Chinese letter", HAN[0], everywhere, ""),
        ("two Chinese letters", HAN[0] + HAN[1], everywhere, ""),
    ]
    for name, line, rooms, user in questions:
        query = search.parse(line or "from:x")

        def ask(query: search.Query = query, rooms: list[str] = rooms, user: str = user) -> int:
            return len(reader.search(query, rooms, user, 1 << 62, 31))

        _row(f"search: {name}", ask)
    for name, room in (("the largest room", "r0"), ("the smallest room", f"r{ROOMS - 1}")):
        _row(f"open: {name}", lambda room=room: _open(reader, room))
    _row("history: a day long ago", lambda: _at(reader, "r0"))


def _open(reader: Reader, room: str) -> int:
    """All that `rooms.open` reads, the room itself as if nobody had asked for it yet."""
    found = reader.room(room)
    messages, _ = reader.newest(room, 51)
    reader.standing(room, "u1")
    return len(messages) if found is not None else 0


def _at(reader: Reader, room: str) -> int:
    seq = reader.seq_at(room, BEGIN_MS + 86_400_000 * 30)
    return len(reader.before(room, seq, 25)) + len(reader.after(room, seq - 1, 25))


def _row(name: str, ask: Callable[[], int]) -> None:
    took: list[float] = []
    used: list[float] = []
    found = 0
    for _ in range(ROUNDS):
        begin, began = time.perf_counter(), time.thread_time()
        found = ask()
        took.append((time.perf_counter() - begin) * 1000)
        used.append((time.thread_time() - began) * 1000)
    print(
        f"{name:45} {found:3} found  median {statistics.median(took):7.2f}"
        f"  worst {max(took):7.2f} ms; of CPU {statistics.median(used):7.2f}, {max(used):7.2f} ms"
    )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), int((sys.argv[3:] or ["1000000"])[0]))
    else:
        measure(Path(sys.argv[2]))
