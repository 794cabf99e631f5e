"""What of a network's lines is of the past."""

from hubbub.bridges.irc.client.crowd import Channel
from hubbub.bridges.irc.client.playback import BATCHES_LIMIT, PAST_LIMIT, Playback
from hubbub.bridges.irc.line import parse


def said(**tags: str) -> str:
    written = ";".join(f"{key}={value}" for key, value in tags.items())
    return f"@{written} :ada!a@h PRIVMSG #a :hello"


def test_what_is_in_a_batch_of_history_is_past() -> None:
    playback, channel = Playback(), Channel("#a")

    def is_past(batch: str) -> bool:
        return playback.is_past(parse(said(batch=batch)), channel)

    for line in (
        "BATCH +1 chathistory #a",
        "@batch=1 :s BATCH +2 draft/multiline #a",
        "BATCH +3 netsplit a b",
        "BATCH +4 ZNC.IN/PLAYBACK",
        "BATCH",
        "BATCH -5",
    ):
        playback.batch(parse(line))
    assert [is_past(batch) for batch in "12345"] == [True, True, False, False, False]
    playback.batch(parse("BATCH -1"))
    playback.batch(parse("BATCH +4 znc.in/playback #a"))
    assert [is_past(batch) for batch in "1234"] == [False, True, False, True]
    assert not playback.is_past(parse(":ada!a@h PRIVMSG #a :hello"), channel)


def test_what_was_said_before_we_came_is_past_by_the_servers_clock() -> None:
    playback = Playback()
    early, late = ({"time": f"2026-01-02T03:04:05.{ms}Z"} for ms in ("678", "679"))
    channel = Channel("#a", since=late["time"])
    assert playback.is_past(parse(said(**early)), channel)
    assert not playback.is_past(parse(said(**late)), channel)
    assert not playback.is_past(parse(said(**early)), Channel("#a"))


def test_the_past_and_its_batches_are_bounded() -> None:
    playback, channel = Playback(), Channel("#a")
    excused = [playback.is_excused(channel) for _ in range(PAST_LIMIT + 2)]
    assert excused == [True] * PAST_LIMIT + [False] * 2
    for number in range(BATCHES_LIMIT + 1):
        playback.batch(parse(f"BATCH +{number} chathistory #a"))
    assert playback.has(parse(said(batch=str(BATCHES_LIMIT - 1))))
    assert not playback.has(parse(said(batch=str(BATCHES_LIMIT))))
