"""The short way of who publishes again: taken, given up in time, and no other than the long one."""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.hub.world import START_S, Peer, World

from hubbub.hub.limits import HubLimits
from hubbub.hub.options import ChannelOptions
from hubbub.hub.rules import Rules

CHANNELS: dict[str, ChannelOptions] = {
    "news": ChannelOptions(subscribe="anyone", publish="anyone", history_limit=5),
    "room": ChannelOptions(subscribe="anyone", publish="subscribers", presence=True),
    "комната": ChannelOptions(subscribe="anyone", publish="anyone"),
    "price": ChannelOptions(subscribe="anyone", publish="anyone", slow="conflate"),
    "text": ChannelOptions(subscribe="anyone", publish="anyone", history_limit=5, delta=True),
    "closed": ChannelOptions(subscribe="anyone"),
}
LIMITS = HubLimits(command_rate=8, user_command_rate=9, publish_rate=4, user_publish_rate=5)


def command(number: int, channel: str, data: str = '"x"') -> str:
    return f'{{"id":{number},"publish":{{"channel":{json.dumps(channel)},"data":{data}}}}}'


def publishes_again(world: World, peer: Peer, channel: str = "news") -> bool:
    """Whether a client's next publication takes the short way."""
    answer = world.sessions.go_on(peer.client, command(77, channel))
    assert answer in (None, '{"id":77,"publish":{}}')
    return answer is not None


def publishes(peer: Peer, channel: str = "news") -> list[Any]:
    """A publication by the long way; tells all that its author hears, its answer last."""
    peer.take()
    peer.world.sessions.authors.clear()
    peer.say(command(5, channel))
    *pushes, answer = peer.take()
    assert answer == {"id": 5, "publish": {}}
    return pushes


def test_who_has_published_may_go_on_until_something_changes() -> None:
    world = World(**CHANNELS)
    ada = world.connect("ada")
    assert not publishes_again(world, ada)
    publishes(ada)
    assert publishes_again(world, ada)
    assert not publishes_again(world, ada, "room")
    assert "subscribe" in ada.ask(subscribe={"channel": "news"})
    assert not publishes_again(world, ada)
    publishes(ada)
    assert publishes_again(world, ada)
    ada.client.info = b'{"name":"Ada"}'
    assert not publishes_again(world, ada)
    (push,) = publishes(ada)
    info = {"user": "ada", "client": ada.client.id, "conn_info": {"name": "Ada"}}
    assert push["push"]["pub"]["info"] == info
    assert publishes_again(world, ada)
    (again,) = ada.take()
    push["push"]["pub"]["offset"] += 1
    assert again == push
    ada.client.user = "eve"
    assert not publishes_again(world, ada)
    publishes(ada)
    assert publishes_again(world, ada)
    ada.take()
    assert "unsubscribe" in ada.ask(unsubscribe={"channel": "news"})
    assert not publishes_again(world, ada)
    publishes(ada)
    ada.leave()
    assert len(world.sessions.authors) == 0


def test_rights_of_one_client_are_bounded() -> None:
    world = World(**{"*": ChannelOptions(publish="anyone")}, limits=HubLimits(publish_rate=0))
    ada = world.connect("ada")
    for number in range(100):
        assert "publish" in ada.ask(publish={"channel": f"c{number}", "data": 1})
    assert len(world.sessions.authors) == 16
    assert publishes_again(world, ada, "c99")


def test_a_channel_that_is_gone_is_called_into_being_by_the_long_way_only() -> None:
    options = ChannelOptions(publish="anyone", history_limit=5, history_age=1, resumable=1)
    world = World(**{"*": options}, limits=HubLimits(user_channel_rate=1))
    ada = world.connect("ada")
    assert "publish" in ada.ask(publish={"channel": "a", "data": 1})
    assert publishes_again(world, ada, "a")
    world.now_s += 5
    for _ in range(3):
        world.sessions.channels.sweep(world.now_s)
    assert "a" not in world.sessions.channels
    assert not publishes_again(world, ada, "a")
    assert ada.ask(publish={"channel": "a", "data": 1})["error"]["code"] == 111


def test_a_hook_is_always_asked() -> None:
    asked: list[object] = []
    rules = Rules(allow_anonymous=True, on_publish=lambda client, channel, data: asked.append(data))
    world = World(rules, **CHANNELS)
    ada = world.connect("ada")
    for number in range(3):
        assert "publish" in ada.ask(publish={"channel": "news", "data": number})
    assert asked == [0, 1, 2]


@dataclass
class Side:
    """One of two worlds in which the same happens."""

    is_long: bool
    world: World = field(default_factory=lambda: World(limits=LIMITS, **CHANNELS))

    def __post_init__(self) -> None:
        self.peers = [self.world.connect("ada"), self.world.connect("ada"), self.world.connect()]
        for channel in CHANNELS:
            self.peers[2].ask(subscribe={"channel": channel})
            self.world.now_s += 10

    def do(self, act: tuple[Any, ...]) -> None:
        """Lets one thing happen."""
        match act:
            case ("say", who, frame):
                if self.is_long:
                    self.world.sessions.authors.clear()
                self.peers[who].say(frame)
            case ("wait", seconds):
                self.world.now_s += seconds
            case ("rename", who, info):
                self.peers[who].client.info = info

    def heard(self) -> list[Any]:
        """All that anybody was told, and what is remembered."""
        told: list[Any] = [
            ([self._alike(frame) for frame in peer.pipe.frames], peer.pipe.closed)
            for peer in self.peers
        ]
        channels, now_s = self.world.sessions.channels, self.world.now_s
        for name in CHANNELS:
            kept = channels.history(name, now_s, limit=9)
            told.append([self._alike(bytes(one).decode()) for one in kept])
        return told

    def _alike(self, text: str) -> str:
        """Without the names that chance has given."""
        for number, peer in enumerate(self.peers):
            text = text.replace(peer.client.id, f"<{number}>")
        return re.sub(r'"epoch":"\w*"', "", text)


texts = st.text('ab/"\\\n\x1f\x7fé\u2028😀', max_size=6)
jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(texts, inside, max_size=3),
    max_leaves=6,
)


@st.composite
def frames(draw: st.DrawFn) -> str:
    """A publication as some client writes it; sometimes broken, sometimes one of several."""
    channel = draw(st.sampled_from([*CHANNELS, "unknown", ""]))
    inside = {"channel": channel, "data": draw(jsons)}
    outside: dict[str, Any] = {"id": draw(st.integers(-1, 2**32)), "publish": inside}
    if draw(st.booleans()):
        outside = dict(reversed(outside.items()))
        outside["publish"] = dict(reversed(inside.items()))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": ")]))
    text = json.dumps(outside, separators=separators, ensure_ascii=draw(st.booleans()))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.text('{}[]":,0\\ue \n\t', max_size=2)) + text[at + 1 :]
    elif kind == 1:
        text += "\n" + command(draw(st.integers(1, 9)), "news")
    return text


acts = st.one_of(
    st.tuples(st.just("say"), st.integers(0, 1), frames()),
    st.builds(
        lambda who, name, channel: ("say", who, f'{{"id":5,"{name}":{{"channel":"{channel}"}}}}'),
        st.integers(0, 1),
        st.sampled_from(["subscribe", "unsubscribe", "history"]),
        st.sampled_from([*CHANNELS]),
    ),
    st.builds(
        lambda who, channel: ("say", who, command(6, channel)),
        st.integers(0, 1),
        st.sampled_from([*CHANNELS]),
    ),
    st.tuples(st.just("wait"), st.sampled_from([0.05, 0.3, 5.0])),
    st.tuples(st.just("rename"), st.integers(0, 1), st.sampled_from([b"", b'{"a":1}'])),
)


@given(st.lists(acts, max_size=30))
def test_the_short_way_leads_where_the_long_one_does(doings: list[tuple[Any, ...]]) -> None:
    short, long = Side(is_long=False), Side(is_long=True)
    assert short.world.now_s > START_S
    for act in doings:
        short.do(act)
        long.do(act)
    assert short.heard() == long.heard()
