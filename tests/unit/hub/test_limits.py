"""What one user may do: paces, meters, and what a client is told beyond them."""

import pytest
from tests.unit.hub.world import START_S, World

from hubbub._core import Pace
from hubbub.errors import Misuse
from hubbub.hub.codes import Disconnected, Refused
from hubbub.hub.limits import HubLimits, Meter, Meters
from hubbub.hub.options import ChannelOptions
from hubbub.hub.rules import Rules, Welcome

OPEN = ChannelOptions(subscribe="anyone", publish="subscribers", presence=True)


def test_a_pace_gives_what_its_rate_gives_and_a_burst() -> None:
    pace = Pace(2.0)
    assert [pace.take(START_S, 0.5) for _ in range(5)] == [True, True, True, True, False]
    assert pace.take(START_S + 0.5, 0.5)
    assert not pace.take(START_S + 0.5, 0.5)
    assert all(pace.take(START_S + 100, 0.5) for _ in range(4))


def test_a_clock_that_goes_back_keeps_nobody_out_for_long() -> None:
    pace = Pace(2.0)
    assert pace.take(START_S + 3600, 1)
    assert not pace.take(START_S, 1)
    assert pace.take(START_S + 1, 1)


def test_no_limit_is_none() -> None:
    meters = Meters(HubLimits(command_rate=0, user_command_rate=0, publish_rate=0))
    one = Meter()
    for _ in range(100_000):
        meters.command(one, one, "rpc", START_S)
    with pytest.raises(Misuse, match="publish_rate=-1"):
        HubLimits(publish_rate=-1)


def test_who_is_too_fast_is_told_and_who_does_not_listen_must_go() -> None:
    world = World(limits=HubLimits(command_rate=10))
    peer = world.connect("ada")
    for number in range(2, 100):
        peer.say({"id": number, "ping": {}})
    answers = peer.take()
    served = [one for one in answers if "error" not in one]
    refused = [one["error"] for one in answers if "error" in one]
    assert len(served) == 19, "two seconds' worth, with the connect"
    assert refused[0] == {"code": 111, "message": "too many requests", "temporary": True}
    assert len(refused) == 20
    assert peer.pipe.closed == (3013, "too many requests")
    stats = world.sessions.stats()
    assert (stats.sent_away, stats.over_rate) == (1, 21), "what comes after the end is not heard"


def test_a_second_later_it_is_served_again() -> None:
    world = World(limits=HubLimits(command_rate=10))
    peer = world.connect("ada")
    for number in range(2, 25):
        peer.say({"id": number, "ping": {}})
    peer.take()
    world.now_s += 1
    assert peer.ask(ping={}) == {"id": 2, "ping": {}}


def test_all_clients_of_a_user_share_his_rate_and_others_have_theirs() -> None:
    limits = HubLimits(publish_rate=100, user_publish_rate=10)
    world = World(_known(), limits=limits, room=OPEN)
    first, second, other = (world.login(name) for name in ("ada", "ada", "bob"))
    for peer in (first, second, other):
        peer.ask(subscribe={"channel": "room"})
    said = 0
    for peer in (first, second) * 20:
        peer.say({"id": 77, "publish": {"channel": "room", "data": 1}})
        said += sum(one.get("id") == 77 and "publish" in one for one in peer.take())
    assert said == 20
    other.say({"id": 77, "publish": {"channel": "room", "data": 1}})
    assert any(one.get("id") == 77 and "publish" in one for one in other.take())


def test_a_user_has_so_many_connections_and_no_more() -> None:
    world = World(_known(), limits=HubLimits(user_connections=2))
    first, _ = world.login("ada"), world.login("ada")
    third = world.open()
    third.say({"id": 1, "connect": {"data": "ada"}})
    assert third.pipe.closed == (3504, "connection limit")
    assert world.sessions.stats().over_user_connections == 1
    world.login("bob")
    first.leave()
    world.login("ada")
    assert world.sessions.stats().users == 2


def test_nobody_s_clients_do_not_count_as_one_user_s() -> None:
    world = World(limits=HubLimits(user_connections=1))
    world.connect()
    world.connect()
    assert world.sessions.stats().clients == 2


def test_a_message_that_nobody_answers_is_not_refused_in_silence() -> None:
    rules = Rules(allow_anonymous=True, on_message=lambda client, data: None)
    world = World(rules, limits=HubLimits(command_rate=1))
    peer = world.connect()
    for _ in range(3):
        peer.say({"send": {"data": 1}})
    assert peer.pipe.closed == (3013, "too many requests")


def test_a_user_calls_so_many_channels_into_being() -> None:
    world = World(_known(), limits=HubLimits(user_channel_rate=2), **{"room:*": OPEN})
    world.login("carol").ask(subscribe={"channel": "room:0"})
    ada = world.login("ada")
    codes = [
        ada.ask(subscribe={"channel": f"room:{number}"}).get("error", {}).get("code")
        for number in range(5)
    ]
    # The first is there already: entering it makes nothing.
    assert codes == [None, None, None, 111, 111]
    world.now_s += 30
    assert "subscribe" in ada.ask(subscribe={"channel": "room:9"})


def test_there_are_so_many_channels_and_no_more() -> None:
    world = World(limits=HubLimits(channels=2), **{"room:*": OPEN})
    peer = world.connect()
    codes = [
        peer.ask(subscribe={"channel": f"room:{number}"}).get("error", {}).get("code")
        for number in range(3)
    ]
    assert codes == [None, None, 106]


def test_guessing_is_slow_and_tells_nothing() -> None:
    """A4: what is not there, and what is somebody else's, are answered alike; and cost."""
    options = ChannelOptions(history_limit=5, presence=True)
    rules = Rules(allow_anonymous=True, authorize=[("mine:*", lambda client, channel: False)])
    world = World(rules, **{"mine:*": options, "kept": options})
    world.sessions.publish("mine:real", b"1")
    peer = world.connect("eve")
    told = {
        str(peer.ask(**{name: {"channel": channel}})["error"])
        for channel in ("mine:real", "mine:none", "kept", "undeclared")
        for name in ("subscribe", "history", "presence", "presence_stats")
    }
    assert told == {"{'code': 103, 'message': 'permission denied'}"}
    guesses = 0
    while peer.ask(subscribe={"channel": f"mine:{guesses}"})["error"]["code"] == 103:
        guesses += 1
    assert guesses < 100, "not the two thousand that commands may be otherwise"


def test_users_who_are_gone_are_forgotten_when_they_owe_nothing() -> None:
    meters = Meters(HubLimits(user_command_rate=1))
    meter = meters.enter("ada", START_S)
    meters.command(Meter(), meter, "ping", START_S)
    meters.leave("ada", START_S)
    assert meters.enter("ada", START_S) is meter, (
        "it cannot shake off what it has used by coming back"
    )
    meters.leave("ada", START_S)
    meters.sweep(START_S + 1)
    assert meters.enter("ada", START_S + 1) is not meter


def test_a_user_who_was_sent_away_stays_away_for_a_moment() -> None:
    world = World(_known(), limits=HubLimits(user_command_rate=10))
    eve = world.login("eve")
    for number in range(2, 100):
        eve.say({"id": number, "ping": {}})
    assert eve.pipe.closed == (3013, "too many requests")
    eve.leave()
    again = world.open()
    again.say({"id": 1, "connect": {"data": "eve"}})
    assert again.pipe.closed == (3013, "too many requests")
    world.login("bob")
    world.now_s += 6
    world.login("eve")


def test_memory_that_is_full_lets_nobody_in_and_says_so() -> None:
    world = World(**{"room:*": OPEN})
    world.sessions.channels.set_held_limit(1)
    peer = world.connect("ada")
    assert "subscribe" in peer.ask(subscribe={"channel": "room:0"})
    assert peer.ask(subscribe={"channel": "room:1"})["error"]["code"] == 106
    assert world.sessions.stats().full == 1


def test_what_memory_cost_is_counted_and_told_to_who_comes_back() -> None:
    kept = ChannelOptions(subscribe="anyone", history_limit=100)
    world = World(**{"news:*": kept})
    ada = world.connect()
    place = ada.ask(subscribe={"channel": "news:old"})["subscribe"]
    world.sessions.publish("news:old", b"1")
    world.sessions.channels.set_held_limit(20_000)
    for _ in range(100):
        world.sessions.publish("news:busy", b'"%s"' % (b"x" * 500))
    stats = world.sessions.stats()
    assert stats.held_bytes <= 20_000
    assert stats.publications_forgotten > 50
    again = world.connect().ask(
        subscribe={"channel": "news:old", "recover": True, "epoch": place["epoch"], "offset": 0}
    )["subscribe"]
    assert again["was_recovering"]
    assert "recovered" not in again


def test_refusals_have_types() -> None:
    meters = Meters(HubLimits(command_rate=1))
    client, user = Meter(), Meter()
    for _ in range(2):
        meters.command(client, user, "ping", START_S)
    for _ in range(2):
        with pytest.raises(Refused):
            meters.command(client, user, "ping", START_S)
    with pytest.raises(Disconnected):
        meters.command(client, user, "ping", START_S)


def _known() -> Rules:
    return Rules(
        on_connect=lambda client, request: Welcome(user=bytes(request.data).decode().strip('"'))
    )
