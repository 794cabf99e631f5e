"""Sessions in memory: each command, recovery, presence, permissions, hooks, deltas."""

import asyncio
import json
from typing import Any

import pytest
from tests.unit.hub.world import START_S, Peer, World

from hubbub.errors import Misuse
from hubbub.hub.client import Client
from hubbub.hub.codes import Disconnected, Refused
from hubbub.hub.options import ChannelOptions
from hubbub.hub.rules import Grant, Rules, Welcome, procedure

OPEN = ChannelOptions(subscribe="anyone")
KEPT = ChannelOptions(subscribe="anyone", publish="subscribers", history_limit=5, presence=True)


def error(answer: dict[str, Any]) -> int:
    return int(answer["error"]["code"])


def test_the_first_command_is_connect_and_only_the_first() -> None:
    world = World()
    peer = world.open()
    peer.say('{"id":1,"ping":{}}')
    assert peer.pipe.closed == (3501, "bad request")
    peer = world.connect()
    peer.say('{"id":9,"connect":{}}')
    assert peer.pipe.closed == (3501, "bad request")


def test_what_is_no_frame_ends_the_connection() -> None:
    peer = World().connect()
    peer.say("nonsense")
    assert peer.pipe.closed == (3501, "bad request")


def test_who_has_no_token_needs_permission() -> None:
    peer = World(Rules()).open()
    peer.say('{"id":1,"connect":{}}')
    assert peer.pipe.closed == (3500, "invalid token")


def test_connect_says_what_a_client_needs() -> None:
    answer = World().open().ask(connect={"name": "test"})["connect"]
    assert answer["ping"] == 25
    assert answer["pong"] is True
    assert answer["client"]


def test_a_subscriber_hears_what_is_published_and_nobody_else_does() -> None:
    world = World(news=OPEN)
    ada, bob = world.connect(), world.connect()
    assert ada.ask(subscribe={"channel": "news"}) == {"id": 2, "subscribe": {}}
    world.sessions.publish("news", b'{"n":1}')
    assert ada.take() == [{"push": {"channel": "news", "pub": {"data": {"n": 1}}}}]
    assert bob.take() == []
    assert ada.ask(unsubscribe={"channel": "news"})["unsubscribe"] == {}
    world.sessions.publish("news", b'{"n":2}')
    assert ada.take() == []


def test_who_comes_back_gets_what_was_missed_once_and_in_order() -> None:
    world = World(news=KEPT)
    ada = world.connect()
    first = ada.ask(subscribe={"channel": "news"})["subscribe"]
    world.sessions.publish("news", b"1")
    ada.leave()
    world.sessions.publish("news", b"2")
    world.sessions.publish("news", b"3")
    position = {"epoch": first["epoch"], "offset": 1}
    again = world.connect().ask(subscribe={"channel": "news", "recover": True, **position})
    result = again["subscribe"]
    assert result["recovered"]
    assert result["was_recovering"]
    assert result["publications"] == [{"data": 2, "offset": 2}, {"data": 3, "offset": 3}]
    assert result["offset"] == 1


def test_a_gap_is_told() -> None:
    world = World(news=KEPT)
    epoch = world.connect().ask(subscribe={"channel": "news"})["subscribe"]["epoch"]
    for number in range(7):
        world.sessions.publish("news", str(number).encode())
    for position in ({"epoch": epoch, "offset": 1}, {"epoch": "other", "offset": 7}):
        request = {"channel": "news", "recover": True, **position}
        result = world.connect().ask(subscribe=request)["subscribe"]
        assert "recovered" not in result
        assert result["was_recovering"]
        assert (result["epoch"], result["offset"]) == (epoch, 7)


def test_a_cache_gives_the_newest_only() -> None:
    world = World(
        price=ChannelOptions(subscribe="anyone", history_limit=1, cache=True, history_age="1h")
    )
    for number in range(3):
        world.sessions.publish("price", str(number).encode())
    peer = world.connect()
    result = peer.ask(subscribe={"channel": "price", "recover": True})["subscribe"]
    assert result["publications"] == [{"data": 2, "offset": 3}]
    assert result["recovered"]
    position = {"epoch": result["epoch"], "offset": 3}
    again = world.connect().ask(subscribe={"channel": "price", "recover": True, **position})
    assert "publications" not in again["subscribe"]
    assert again["subscribe"]["recovered"]


def test_presence_counts_clients_and_users() -> None:
    world = World(room=KEPT)
    ada, ada_too, bob = world.connect("ada"), world.connect("ada"), world.connect("bob")
    for peer in (ada, ada_too, bob):
        peer.ask(subscribe={"channel": "room"})
    stats = {"num_clients": 3, "num_users": 2}
    assert ada.ask(presence_stats={"channel": "room"})["presence_stats"] == stats
    present = ada.ask(presence={"channel": "room"})["presence"]["presence"]
    assert {about["user"] for about in present.values()} == {"ada", "bob"}
    ada_too.leave()
    bob.leave()
    assert world.sessions.channels.counts("room") == (1, 1)


def test_who_comes_and_goes_is_told_to_those_who_want_it_after_the_own_answer() -> None:
    world = World(room=ChannelOptions(subscribe="anyone", presence=True, join_leave=True))
    ada, bob = world.connect("ada"), world.connect("bob")
    bob.ask(subscribe={"channel": "room"})
    ada.ask(subscribe={"channel": "room", "join_leave": True})
    (own,) = ada.take()
    assert own["push"]["join"]["info"]["user"] == "ada"
    carol = world.connect("carol")
    carol.ask(subscribe={"channel": "room"})
    carol.leave()
    assert [list(one["push"])[1] for one in ada.take()] == ["join", "leave"]
    assert bob.take() == []


def test_permissions() -> None:
    world = World(secret=ChannelOptions(), open=OPEN)
    peer = world.connect("ada")
    assert error(peer.ask(subscribe={"channel": "secret"})) == 103
    assert error(peer.ask(subscribe={"channel": ""})) == 107
    assert error(peer.ask(subscribe={"channel": "x" * 256})) == 107
    assert error(peer.ask(subscribe={"channel": "a\nb"})) == 107
    peer.ask(subscribe={"channel": "open"})
    assert error(peer.ask(subscribe={"channel": "open"})) == 105
    assert error(peer.ask(publish={"channel": "open", "data": 1})) == 103
    assert error(peer.ask(presence={"channel": "open"})) == 108
    assert error(peer.ask(history={"channel": "open"})) == 108
    assert error(peer.ask(rpc={"method": "none"})) == 104


def test_who_is_not_subscribed_learns_nothing_of_a_channel() -> None:
    world = World(room=KEPT)
    peer = world.connect()
    for name in ("presence", "presence_stats", "history"):
        assert error(peer.ask(**{name: {"channel": "room"}})) == 103
    assert error(peer.ask(publish={"channel": "room", "data": 1})) == 103


def test_a_client_publishes_and_is_named() -> None:
    world = World(room=KEPT)
    ada = world.connect("ada")
    ada.ask(subscribe={"channel": "room"})
    ada.say('{"id":5,"publish":{"channel":"room","data":"hi"}}')
    push, answer = ada.take()
    assert push["push"]["pub"]["data"] == "hi"
    assert push["push"]["pub"]["info"] == {"user": "ada", "client": ada.client.id}
    assert answer == {"id": 5, "publish": {}}


def test_an_application_cannot_publish_what_no_frame_can_hold() -> None:
    world = World(room=KEPT)
    ada = world.connect("ada")
    ada.ask(subscribe={"channel": "room"})
    for said in ({"data": b'"\xff\xfe"'}, {"data": b"1", "info": b'{"user":"\xff"}'}):
        with pytest.raises(Misuse):
            world.sessions.publish("room", **said)
    world.sessions.publish("room", b'{\n"n": "\xc3\xa4"\n}')
    assert [json.loads(frame)["push"]["pub"] for frame in ada.pipe.frames] == [
        {"data": {"n": "ä"}, "offset": 1}
    ]
    assert "\n" not in ada.pipe.frames[0]


def test_history_is_paged() -> None:
    world = World(room=KEPT)
    ada = world.connect()
    ada.ask(subscribe={"channel": "room"})
    for number in range(1, 8):
        world.sessions.publish("room", str(number).encode())
    ada.take()

    def offsets(**request: Any) -> list[int]:
        answer = ada.ask(history={"channel": "room", **request})["history"]
        assert answer["offset"] == 7
        return [one["offset"] for one in answer["publications"]]

    assert offsets(limit=0) == []
    assert offsets(limit=2) == [3, 4]
    assert offsets(limit=-1) == [3, 4, 5, 6, 7]
    assert offsets(limit=2, reverse=True) == [7, 6]
    assert offsets(limit=2, since={"offset": 4}) == [5, 6]
    assert offsets(limit=9, since={"offset": 5}, reverse=True) == [4, 3]
    wrong = {"channel": "room", "limit": 1, "since": {"offset": 4, "epoch": "other"}}
    assert error(ada.ask(history=wrong)) == 112


def test_hooks_decide() -> None:
    rules = Rules(allow_anonymous=True)
    rules.on_connect = lambda client, request: Welcome(
        user="ada", info={"name": "Ada"}, data={"hello": 1}, channels=("inbox",)
    )
    rules.authorize = [("room:*", lambda client, channel: Grant(info={"role": "chair"}))]
    rules.on_publish = lambda client, channel, data: {"text": data["text"].upper()}
    world = World(rules, **{"room:*": ChannelOptions(publish="authorized", presence=True)})
    peer = world.open()
    answer = peer.ask(connect={})["connect"]
    assert answer["data"] == {"hello": 1}
    assert "inbox" in answer["subs"]
    peer.ask(subscribe={"channel": "room:a"})
    peer.say('{"id":5,"publish":{"channel":"room:a","data":{"text":"hi"}}}')
    assert peer.take()[0]["push"]["pub"]["data"] == {"text": "HI"}
    present = peer.ask(presence={"channel": "room:a"})["presence"]["presence"]
    assert present[peer.client.id] == {
        "user": "ada",
        "client": peer.client.id,
        "conn_info": {"name": "Ada"},
        "chan_info": {"role": "chair"},
    }


def test_a_hook_refuses_in_its_own_words_and_a_broken_one_in_none() -> None:
    def raising(what: Exception) -> Any:
        def hook(*_: object) -> None:
            raise what

        return hook

    rules = Rules(allow_anonymous=True)
    rules.authorize = [
        ("full", raising(Refused(400, "the room is full", temporary=True))),
        ("broken", raising(ZeroDivisionError("a secret"))),
        ("banned", raising(Disconnected(4500, "banned"))),
    ]
    peer = World(rules).connect()
    refused = peer.ask(subscribe={"channel": "full"})["error"]
    assert refused == {"code": 400, "message": "the room is full", "temporary": True}
    broken = peer.ask(subscribe={"channel": "broken"})["error"]
    assert broken == {"code": 100, "message": "internal server error", "temporary": True}
    peer.say('{"id":7,"subscribe":{"channel":"banned"}}')
    assert peer.pipe.closed == (4500, "banned")


def test_procedures_are_typed() -> None:
    rules = Rules(allow_anonymous=True)

    def add(client: Client, params: list[int]) -> int:
        return sum(params)

    rules.procedures["add"] = procedure(add)
    peer = World(rules).connect()
    answer = peer.ask(rpc={"method": "add", "data": [1, 2]})
    assert answer["rpc"] == {"data": 3}
    assert error(peer.ask(rpc={"method": "add", "data": ["x"]})) == 107


@pytest.mark.anyio
async def test_a_slow_hook_holds_up_its_own_client_only() -> None:
    gate = asyncio.Event()

    async def slow(client: Client, channel: str) -> bool:
        await gate.wait()
        return True

    rules = Rules(allow_anonymous=True, authorize=[("slow", slow)])
    world = World(rules, quick=OPEN)
    ada, bob = world.connect(), world.connect()
    ada.say('{"id":5,"subscribe":{"channel":"slow"}}\n{"id":6,"subscribe":{"channel":"quick"}}')
    ada.say('{"id":7,"ping":{}}')
    bob.ask(subscribe={"channel": "quick"})
    assert ada.take() == []
    gate.set()
    await asyncio.gather(*world.spawned)
    assert [one["id"] for one in ada.take()] == [5, 6, 7]


@pytest.mark.anyio
async def test_calls_run_side_by_side() -> None:
    gate = asyncio.Event()

    async def wait(client: Client) -> str:
        await gate.wait()
        return "done"

    rules = Rules(allow_anonymous=True, procedures={"wait": procedure(wait)})
    world = World(rules)
    peer = world.connect()
    peer.say('{"id":5,"rpc":{"method":"wait"}}\n{"id":6,"ping":{}}')
    assert peer.take() == [{"id": 6, "ping": {}}]
    for number in range(100, 200):
        peer.say(f'{{"id":{number},"rpc":{{"method":"wait"}}}}')
    refused = peer.take()
    assert {error(one) for one in refused} == {111}
    assert len(refused) == 37
    gate.set()
    await asyncio.gather(*world.spawned)
    answered = peer.take()
    assert {one["rpc"]["data"] for one in answered} == {"done"}
    assert len(answered) == 64


@pytest.mark.anyio
async def test_who_leaves_while_a_hook_decides_is_not_subscribed_afterwards() -> None:
    gate = asyncio.Event()

    async def slow(client: Client, channel: str) -> bool:
        await gate.wait()
        return True

    world = World(Rules(allow_anonymous=True, authorize=[("*", slow)]), room=KEPT)
    peer = world.connect()
    peer.say('{"id":5,"subscribe":{"channel":"room"}}')
    peer.leave()
    gate.set()
    await asyncio.gather(*world.spawned)
    assert world.sessions.channels.counts("room") == (0, 0)
    assert world.sessions.listeners.tell("\x01room", "x") == 0


def test_nothing_is_left_of_a_client_that_left() -> None:
    world = World(room=KEPT)
    for _ in range(100):
        peer = world.connect("ada")
        peer.ask(subscribe={"channel": "room"})
        peer.leave()
    assert world.sessions.clients == {}
    assert world.sessions.users == {}
    assert world.sessions.channels.counts("room") == (0, 0)


def test_deltas_follow_a_whole_publication() -> None:
    world = World(doc=ChannelOptions(subscribe="anyone", delta=True, history_limit=10))
    ada, bob = world.connect(), world.connect()
    assert ada.ask(subscribe={"channel": "doc", "delta": "fossil"})["subscribe"]["delta"]
    assert "delta" not in bob.ask(subscribe={"channel": "doc"})["subscribe"]
    text = '{"text":"%s","n":%d}'
    for number in range(3):
        world.sessions.publish("doc", (text % ("so " * 40, number)).encode())
    whole, *changes = [one["push"]["pub"] for one in ada.take()]
    assert isinstance(whole["data"], str)
    assert "delta" not in whole
    assert [one["delta"] for one in changes] == [True, True]
    assert all(len(one["data"]) < 60 for one in changes)
    assert [one["push"]["pub"]["data"]["n"] for one in bob.take()] == [0, 1, 2]
    # Who comes later has no base yet: its first publication is whole, ada's is a delta.
    carol = world.connect()
    carol.ask(subscribe={"channel": "doc", "delta": "fossil"})
    world.sessions.publish("doc", (text % ("so " * 40, 9)).encode())
    assert "delta" not in carol.take()[0]["push"]["pub"]
    assert ada.take()[0]["push"]["pub"]["delta"] is True


@pytest.mark.parametrize("ends", ["unsubscribes", "leaves", "is told to"])
def test_of_a_channel_that_nobody_hears_by_deltas_nothing_is_kept(ends: str) -> None:
    world = World(**{"doc:*": ChannelOptions(subscribe="anyone", publish="anyone", delta=True)})
    ada, bob = world.connect(), world.connect()
    text = b'{"text":"%s","n":%d}'

    def publish(channel: str, number: int) -> None:
        world.sessions.publish(channel, text % (b"so " * 40, number))

    def end(peer: Peer) -> None:
        if ends == "leaves":
            peer.leave()
        elif ends == "is told to":
            peer.client.unsubscribe("doc:a")
        else:
            peer.ask(unsubscribe={"channel": "doc:a"})

    for number in range(100):
        publish(f"doc:{number}", number)
        ada.ask(publish={"channel": f"doc:by ada {number}", "data": 1})
    assert len(world.sessions.deltas) == 0
    for peer in (ada, bob):
        peer.ask(subscribe={"channel": "doc:a", "delta": "fossil"})
    for number in range(2):
        publish("doc:a", number)
    ada.take()
    end(ada)
    bob.take()
    publish("doc:a", 2)
    assert bob.take()[0]["push"]["pub"]["delta"] is True, "he still hears it"
    assert len(world.sessions.deltas) == 1
    end(bob)
    assert len(world.sessions.deltas) == 0
    carol = world.connect()
    carol.ask(subscribe={"channel": "doc:a", "delta": "fossil"})
    for number in (3, 4):
        publish("doc:a", number)
    assert ["delta" in one["push"]["pub"] for one in carol.take()] == [False, True]
    # Without a publication too.
    dave = world.connect()
    dave.ask(subscribe={"channel": "doc:b", "delta": "fossil"})
    dave.leave()
    assert len(world.sessions.deltas) == 1, "carol's"


def test_the_first_change_for_who_resumes_where_nobody_else_is_is_whole() -> None:
    world = World(doc=ChannelOptions(subscribe="anyone", delta=True, history_limit=10))
    epoch = world.connect().ask(subscribe={"channel": "doc"})["subscribe"]["epoch"]
    text = b'{"text":"%s","n":%d}'
    for number in range(2):
        world.sessions.publish("doc", text % (b"so " * 40, number))
    ada = world.connect()
    request = {"channel": "doc", "delta": "fossil", "recover": True, "epoch": epoch, "offset": 1}
    missed = ada.ask(subscribe=request)["subscribe"]["publications"]
    assert [json.loads(one["data"])["n"] for one in missed] == [1]
    for number in (2, 3):
        world.sessions.publish("doc", text % (b"so " * 40, number))
    whole, change = [one["push"]["pub"] for one in ada.take()]
    assert json.loads(whole["data"])["n"] == 2
    assert "delta" not in whole
    assert change["delta"] is True


def test_what_is_nested_as_deeply_as_can_be_keeps_nobody_out() -> None:
    options = ChannelOptions(subscribe="anyone", publish="anyone", delta=True, history_limit=200)
    world = World(doc=options)
    epoch = world.connect().ask(subscribe={"channel": "doc"})["subscribe"]["epoch"]
    ada, without = world.connect(), 0
    # Here the interpreter's own limit ends it; newer ones nest deeper.
    for depth in range(900, 1_001):
        data = "[" * depth + "]" * depth
        ada.say(f'{{"id":{depth},"publish":{{"channel":"doc","data":{data}}}}}')
        if ada.pipe.closed is not None:
            break
        bob = world.connect()
        request = {"channel": "doc", "delta": "fossil", "recover": True, "epoch": epoch}
        bob.say({"id": 2, "subscribe": {**request, "offset": depth - 900}})
        (answer,) = bob.pipe.frames
        assert '"recovered":true' in answer
        without += '"delta":true' not in answer
    is_limited = ada.pipe.closed is not None
    assert (without > 0) == is_limited, "some could be published and not taken apart"


def test_who_hears_by_deltas_does_so_when_a_reloaded_app_offers_none() -> None:
    before = World(doc=ChannelOptions(subscribe="anyone", publish="subscribers", delta=True))
    ada, bob = before.connect(), before.connect()
    ada.ask(subscribe={"channel": "doc", "delta": "fossil"})
    bob.ask(subscribe={"channel": "doc"})
    after = World(doc=ChannelOptions(subscribe="anyone", publish="subscribers"))
    after.sessions.take_over(before.sessions)
    for number in range(3):
        after.dispatch.receive(
            bob.client, f'{{"id":{number + 7},"publish":{{"channel":"doc","data":1}}}}'
        )
    assert len(ada.take()) == 3


def test_a_stream_is_the_same_as_long_as_somebody_hears_it() -> None:
    brief = {"history_limit": 5, "history_age": "1s", "resumable": "1s"}
    world = World(news=ChannelOptions(subscribe="anyone", **brief))  # type: ignore[arg-type]
    ada, bob = world.connect(), world.connect()
    epoch = ada.ask(subscribe={"channel": "news"})["subscribe"]["epoch"]
    bob.ask(subscribe={"channel": "news"})
    bob.leave()
    world.sessions.publish("news", b"1")
    for _ in range(3):
        world.now_s += 3_600
        world.sessions.channels.sweep(world.now_s)
    assert world.sessions.publish("news", b"2").place == (2, epoch)
    ada.leave()
    world.now_s += 3_600
    world.sessions.channels.sweep(world.now_s)
    assert "news" not in world.sessions.channels


def test_time_comes_from_outside() -> None:
    world = World(news=KEPT)
    first = world.connect().ask(subscribe={"channel": "news"})["subscribe"]
    world.sessions.publish("news", b"1")
    world.now_s = START_S + 301
    request = {"channel": "news", "recover": True, "epoch": first["epoch"], "offset": 0}
    assert "recovered" not in world.connect().ask(subscribe=request)["subscribe"]


def test_where_something_may_be_left_out_offsets_show_it_though_nothing_is_kept() -> None:
    world = World(price=ChannelOptions(subscribe="anyone", slow="drop-newest"))
    peer = world.connect()
    result = peer.ask(subscribe={"channel": "price"})["subscribe"]
    assert set(result) == {"epoch"}, "no promise to resume"
    for number in range(3):
        world.sessions.publish("price", str(number).encode())
    assert [one["push"]["pub"]["offset"] for one in peer.take()] == [1, 2, 3]
    again = world.connect().ask(
        subscribe={"channel": "price", "recover": True, "epoch": result["epoch"], "offset": 1}
    )["subscribe"]
    assert again == {"epoch": result["epoch"], "offset": 3}


def test_who_would_rather_have_an_error_than_a_gap_gets_it() -> None:
    world = World(news=KEPT)
    place = world.connect().ask(subscribe={"channel": "news"})["subscribe"]
    for number in range(7):
        world.sessions.publish("news", str(number).encode())
    request = {"channel": "news", "recover": True, "epoch": place["epoch"], "flag": 2}
    peer = world.connect()
    assert error(peer.ask(subscribe={**request, "offset": 1})) == 112
    assert peer.client.channels == ()
    assert peer.ask(subscribe={**request, "offset": 5})["subscribe"]["recovered"]


def test_what_we_do_not_do_is_not_ignored() -> None:
    world = World(open=ChannelOptions(subscribe="anyone", publish="anyone"))
    peer = world.connect()
    filtered = {"channel": "open", "tf": {"key": "a", "cmp": "eq", "val": "b"}}
    assert error(peer.ask(subscribe=filtered)) == 108
    assert error(peer.ask(subscribe={"channel": "open", "type": 4})) == 108
    assert error(peer.ask(publish={"channel": "open", "data": 1, "type": 1})) == 108


def test_the_server_subscribes_a_client_that_has_not_asked() -> None:
    world = World(news=ChannelOptions(subscribe="authorized", history_limit=5, join_leave=True))
    peer = world.connect("ada")
    world.sessions.publish("news", b"1")
    peer.client.subscribe("news", info={"role": "reader"}, data="welcome")
    told, joined = peer.take()
    assert told["push"]["channel"] == "news"
    assert told["push"]["subscribe"]["data"] == "welcome"
    assert told["push"]["subscribe"]["recoverable"]
    assert told["push"]["subscribe"]["offset"] == 1
    assert joined["push"]["join"]["info"]["chan_info"] == {"role": "reader"}
    peer.client.subscribe("news")
    assert peer.take() == []
    world.sessions.publish("news", b"2")
    assert peer.take()[0]["push"]["pub"]["offset"] == 2


@pytest.mark.anyio
async def test_rights_that_were_taken_away_end_what_they_had_allowed() -> None:
    """A3: who asks for a recheck ends what is no longer allowed, and tells the client."""
    allowed = {"room:a", "room:b"}

    async def may_enter(client: Client, channel: str) -> bool:
        return channel in allowed

    rules = Rules(allow_anonymous=True, authorize=[("room:*", may_enter)])
    world = World(rules, open=OPEN, **{"room:*": KEPT})
    peer = world.connect("ada")
    for number, channel in enumerate(("room:a", "room:b", "open"), 10):
        peer.say({"id": number, "subscribe": {"channel": channel}})
        await asyncio.gather(*world.spawned)
    peer.client.subscribe("server")
    peer.take()
    assert await world.dispatch.recheck(peer.client) == 0
    allowed.remove("room:a")
    assert await world.dispatch.recheck(peer.client) == 1
    (told,) = peer.take()
    assert told["push"]["channel"] == "room:a"
    assert told["push"]["unsubscribe"] == {"code": 2003, "reason": "permission denied"}
    assert peer.client.channels == ("room:b", "open", "server")
    assert error(peer.ask(publish={"channel": "room:a", "data": 1})) == 103
    assert error(peer.ask(history={"channel": "room:a"})) == 103


def test_too_many_subscriptions_in_a_token_are_refused_before_anything_is_done() -> None:
    channels = tuple(f"room:{number}" for number in range(200))
    rules = Rules(on_connect=lambda client, request: Welcome(user="ada", channels=channels))
    world = World(rules)
    peer = world.open()
    assert error(peer.ask(connect={})) == 106
    assert not peer.client.is_connected
    assert world.sessions.stats().clients == 0


def test_a_publication_says_who_its_author_is_now() -> None:
    world = World(news=KEPT)
    ada = world.connect("ada")
    ada.ask(subscribe={"channel": "news"})

    def published() -> dict[str, Any]:
        ada.say({"id": 9, "publish": {"channel": "news", "data": 1}})
        push, _ = ada.take()
        info: dict[str, Any] = push["push"]["pub"]["info"]
        return info

    assert published() == published() == {"user": "ada", "client": ada.client.id}
    ada.client.user, ada.client.info = "eve", b'{"name":"Eve"}'
    assert published()["user"] == "eve"
    ada.client.subscriptions["news"].info = b"7"
    ada.client.info = b""
    assert published() == {"user": "eve", "client": ada.client.id, "chan_info": 7}
