"""A network that does what it should not: the chat goes on, nothing loops, nothing grows."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hubbub.apps.chat import Limits
from hubbub.bridges.irc.client.connection import Connection
from hubbub.bridges.irc.client.sending import Bucket
from hubbub.bridges.irc.line import Line
from hubbub.bridges.link.incoming import VISITOR_LIMIT
from tests.integration.bridges.house import MANY
from tests.integration.bridges.test_irc_link import heard, joined
from tests.strangers import stranger
from tests.waiting import until

pytestmark = pytest.mark.anyio


class Hostile:
    """A server of one channel that says whatever it is told to."""

    kind = "hostile"

    def __init__(self) -> None:
        self.port = 0
        self.said: list[str] = []
        self.behind: list[str] = []
        """What it says to whatever is said."""

        self.writer: asyncio.StreamWriter | None = None
        self.registered = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        while raw := await reader.readline():
            command, _, rest = raw.decode().strip().partition(" ")
            if command == "USER":
                self.registered += 1
                self.send(":s 001 hubbub :hi", ":s 005 hubbub NICKLEN=30 :are supported")
                self.send(":s 422 hubbub :no motd")
            elif command == "JOIN":
                self.send(
                    ":hubbub!h@h JOIN #lobby",
                    ":s 353 hubbub = #lobby :hubbub bob",
                    ":s 366 hubbub #lobby :end",
                )
            elif command == "PING":
                self.send(f":s PONG s {rest}")
            elif command == "PRIVMSG":
                self.said.append(rest)
                self.send(*self.behind)

    def send(self, *lines: str) -> None:
        self.raw("".join(f"{line}\r\n" for line in lines).encode())

    def raw(self, data: bytes) -> None:
        assert self.writer is not None
        self.writer.write(data)


@contextlib.asynccontextmanager
async def network() -> AsyncIterator[Hostile]:
    made = Hostile()
    async with stranger(made.serve) as made.port:
        yield made


@pytest.fixture
async def hostile() -> AsyncIterator[Hostile]:
    async with network() as made:
        yield made


@contextlib.asynccontextmanager
async def attacked(hostile: Hostile, folder: Path, **settings: Any) -> AsyncIterator[Any]:
    async with joined(hostile, folder, **settings) as house:  # type: ignore[arg-type]
        ada = await house.guest("Ada")
        ear = await ada.listen("room:lobby")
        link: Any = house.link  # type: ignore[attr-defined]
        yield SimpleNamespace(house=house, ada=ada, ear=ear, link=link)
        # It lives, hears and is heard.
        hostile.send(":bob!b@h PRIVMSG #lobby :the end")
        while (await heard(ear)) != ("bob·net", "the end"):
            pass
        await ada.say("still here")
        await until(lambda: any("still here" in one for one in hostile.said), within_s=10)
        assert hostile.registered == 1


async def test_malformed_and_oversized_lines(hostile: Hostile, tmp_path: Path) -> None:
    dice = random.Random(7)
    async with attacked(hostile, tmp_path) as at:
        hostile.raw(b"\0\0\r\n:\r\n@\r\n@ \r\n: :\r\nPRIVMSG\r\n:bob PRIVMSG\r\n:x!y@z 353\r\n")
        hostile.raw(
            b":s 353 hubbub = #lobby :@ + @+\r\n:s 005\r\n:s 001\r\n:s 366\r\nCAP\r\n"
            b"KICK #lobby\r\n"
        )
        hostile.raw(b":bob!b@h PRIVMSG #lobby :" + b"x" * 2_000_000 + b"\r\n")
        hostile.raw(b"@" + b"a" * 100_000 + b" :bob!b@h PRIVMSG #lobby :tags\r\n")
        for _ in range(500):
            hostile.raw(dice.randbytes(dice.randrange(200)).replace(b"PING", b"") + b"\r\n")
        hostile.raw(b":bob!b@h PRIVMSG #lobby :caf\xe9 \xff\xfe\r\n")
        hostile.raw(
            b":bob!b@h PRIVMSG #lobby :\x01VERSION\x01\r\n:bob!b@h PRIVMSG hubbub :\x01PING\r\n"
        )
        assert (await heard(at.ear))[1].startswith("café")
        hostile.raw(b":bob!b@h PRIVMSG #lobby :a\x00b\x07c<script>alert(1)</script>\r\n")


async def test_mixed_encodings(hostile: Hostile, tmp_path: Path) -> None:
    """What is no UTF-8 is read as Windows-1252, and never stops what comes behind it."""
    words = {
        "cp1252": "déjà vu – “oui”",
        "utf-8": "日本語",
        "koi8-r": "привет",
        "shift-jis": "日本",
    }
    words |= {"iso2022-jp": "こんにちは", "gb18030": "你好", "utf-7": "é"}
    async with attacked(hostile, tmp_path) as at:
        hostile.raw(
            ":b\xf6b!u@h JOIN #lobby\r\n:日本!u@h JOIN #lobby\r\n".encode("latin-1", "ignore")
        )
        for encoding, text in words.items():
            hostile.raw(b":bob!b@h PRIVMSG #lobby :" + text.encode(encoding) + b" .\r\n")
        # In this one letters are zeros: no line, and nothing is heard of it.
        hostile.raw(b":bob!b@h PRIVMSG #lobby :" + "zero".encode("utf-16-be") + b"\r\n")
        hostile.raw(b":bob!b@h PRIVMSG #lobby :half \xe6\x97\xa5, half \xe9 .\r\n")
        heard_ = [(await heard(at.ear))[1] for _ in range(len(words) + 1)]
        assert heard_[0] == "déjà vu – “oui” ."
        assert heard_[1] == "日本語 ."
        assert all(text.endswith(".") for text in heard_)


async def test_replayed_history(hostile: Hostile, tmp_path: Path) -> None:
    """A bouncer, or chathistory: what has an id is heard once, what has none is not heard."""
    async with attacked(hostile, tmp_path, limits=MANY) as at:
        hostile.send("@time=2026-01-02T03:04:05.000Z :hubbub!h@h JOIN #lobby")
        hostile.send(":s 353 hubbub = #lobby :hubbub bob", ":s 366 hubbub #lobby :end")
        for turn in range(3):
            hostile.send("BATCH +1 chathistory #lobby")
            for n in range(90):
                hostile.send(f"@batch=1;msgid=m{n} :bob!b@h PRIVMSG #lobby :with an id {n}")
                hostile.send(f"@batch=1 :bob!b@h PRIVMSG #lobby :without {n}")
            hostile.send("BATCH -1")
            if turn == 0:
                said = [(await heard(at.ear))[1] for _ in range(90)]
            for n in range(90):
                stamp = f"2026-01-01T00:00:00.{n:03}Z"
                hostile.send(f"@time={stamp} :bob!b@h PRIVMSG #lobby :a bouncer's {n}")
        hostile.send("@time=2026-01-02T03:04:05.001Z :bob!b@h PRIVMSG #lobby :news")
        while said[-1] != "news":
            said.append((await heard(at.ear))[1])
        assert said == [*(f"with an id {n}" for n in range(90)), "news"]


async def test_much_history_is_no_flood(hostile: Hostile, tmp_path: Path) -> None:
    # A person has but five messages for a whole day.
    slow = Limits(
        messages_per_user=(1e-5, 5), actions_per_user=(1e-5, 20), messages_per_room=(1000, 1000)
    )
    async with attacked(hostile, tmp_path, limits=slow) as at:
        hostile.send("@time=2026-01-02T03:04:05.000Z :hubbub!h@h JOIN #lobby")
        hostile.send(":s 353 hubbub = #lobby :hubbub bob", ":s 366 hubbub #lobby :end")
        much = VISITOR_LIMIT + 20
        hostile.send("BATCH +1 znc.in/playback #lobby", "@batch=1 BATCH +2 x.example/all")
        for n in range(much):
            hostile.send(f"@batch={n % 2 + 1};msgid=a{n} :bob!b@h PRIVMSG #lobby :played {n}")
        hostile.send("BATCH -2", "BATCH -1")
        for n in range(much):
            stamp = f"2026-01-02T02:00:00.{n:03d}Z"
            hostile.send(f"@time={stamp};msgid=b{n} :bob!b@h PRIVMSG #lobby :older {n}")
        told = [(await heard(at.ear))[1] for _ in range(2 * much)]
        assert told == [f"{how} {n}" for how in ("played", "older") for n in range(much)]


async def test_our_own_history_says_nothing_of_what_is_underway(
    hostile: Hostile, tmp_path: Path
) -> None:
    async with attacked(hostile, tmp_path) as at:
        hostile.behind = [
            "BATCH +1 chathistory #lobby",
            "@batch=1;msgid=old :hubbub!h@h PRIVMSG #lobby :<Ada> long ago",
            "BATCH -1",
        ]
        await at.ada.say("hello")
        await until(lambda: at.link.stats().messages_out == 1, within_s=10)
        hostile.send("@+reply=old :bob!b@h PRIVMSG #lobby :of what was long ago")
        while (told := (await at.ear.next("message"))["message"])["nick"] != "bob·net":
            pass
        assert "replyTo" not in told


async def test_our_own_words_are_not_heard_again(hostile: Hostile, tmp_path: Path) -> None:
    async with attacked(hostile, tmp_path, munge=False) as at:
        await at.ada.say("say it again")
        await until(lambda: hostile.said, within_s=10)
        for _ in range(50):
            hostile.send(":hubbub!h@h PRIVMSG #lobby :<Ada> say it again")
            hostile.send(":bob!b@h PRIVMSG #lobby :<hubbub> <Ada> say it again")
        await until(lambda: at.link.stats().loops == 50, within_s=10)
        assert await heard(at.ear) == ("Ada", "say it again")


async def test_nick_storms_and_netsplits(hostile: Hostile, tmp_path: Path) -> None:
    async with attacked(hostile, tmp_path) as at:
        members = at.house.service.live.room("lobby").members
        hostile.send(*(f":n{n}!u@h{n} JOIN #lobby" for n in range(300)))
        await until(lambda: at.link.stats().people == 301, within_s=30)
        # All are called otherwise, again and again; then half of the network is gone, and back.
        for turn in range(5):
            hostile.send(*(f":{'nabcd'[turn]}{n}!u@h NICK {'abcde'[turn]}{n}" for n in range(300)))
        hostile.send(*(f":e{n}!u@h{n} QUIT :a.net b.net" for n in range(300)))
        hostile.send(*(f":e{n}!u@h{n} JOIN #lobby" for n in range(100)))
        hostile.send(*(f":e{n}!u@h{n} PART #lobby" for n in range(50)))
        left = {"Ada", "bob·net", *(f"e{n}·net" for n in range(50, 100))}
        await until(lambda: {one.nick for one in members.values()} == left, within_s=60)
        assert at.link.stats().people == 51


async def test_a_flood_is_given_up_and_others_are_heard(hostile: Hostile, tmp_path: Path) -> None:
    async with attacked(hostile, tmp_path) as at:
        hostile.send(":eve!e@evil.example JOIN #lobby")
        flood = [f":eve!e@evil.example PRIVMSG #lobby :{n}" for n in range(3000)]
        hostile.send(*flood)
        await until(lambda: at.link.stats().given_up_in > 2000, within_s=20)
        at.link.block("evil.example")
        hostile.send(*flood[:100])
        await until(
            lambda: (
                not any(
                    one.nick == "eve·net"
                    for one in at.house.service.live.room("lobby").members.values()
                )
            ),
            within_s=60,
        )


async def test_who_is_too_quick_keeps_nobody_waiting(hostile: Hostile, tmp_path: Path) -> None:
    async with attacked(hostile, tmp_path) as at:
        hostile.send(":eve!e@h JOIN #lobby")
        hostile.send(*(f":eve!e@h PRIVMSG #lobby :{n}" for n in range(40)))
        hostile.send(":bob!b@h PRIVMSG #lobby :hello", ":bob!b@h PRIVMSG #lobby :and more")
        told = [await heard(at.ear) for _ in range(42)]
        assert [text for nick, text in told if nick == "eve·net"] == [str(n) for n in range(40)]
        bob = [place for place, (nick, _) in enumerate(told) if nick == "bob·net"]
        assert [told[place][1] for place in bob] == ["hello", "and more"]
        # She may say twenty at once, and four a second then.
        assert bob[-1] < 30, bob


async def test_it_says_nothing_that_is_no_line(hostile: Hostile, tmp_path: Path) -> None:
    async with attacked(hostile, tmp_path) as at:
        await at.ada.say("one\r\nQUIT :two\n\x09three")
        await until(lambda: len(hostile.said) >= 3, within_s=10)
        assert [one.partition(":")[2] for one in hostile.said[:3]] == [
            "<A\u200bda> one",
            "<A\u200bda> QUIT :two",
            "<A\u200bda>  three",
        ]


async def test_what_it_does_not_read_keeps_no_connection(hostile: Hostile) -> None:
    bucket = Bucket(1, 1)
    connection = await Connection.open("127.0.0.1", hostile.port, None, bucket, lambda _: None)
    await until(lambda: hostile.writer is not None)
    assert hostile.writer is not None
    hostile.writer.transport.pause_reading()  # type: ignore[attr-defined]
    transport = connection._writer.transport
    while not transport.get_write_buffer_size():
        connection.send(*[Line("PRIVMSG", ("#lobby", "x" * 400))] * 100)
        await asyncio.sleep(0)
    connection.close()
    await until(lambda: transport.get_extra_info("socket").fileno() < 0)
