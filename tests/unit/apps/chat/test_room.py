"""A room decides: who may what, and what becomes of it."""

from dataclasses import replace
from typing import Any

import pytest

from hubbub.apps.chat import commands as do
from hubbub.apps.chat import events as ev
from hubbub.apps.chat.commands import Person
from hubbub.apps.chat.member import rank
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import RECENT_LIMIT, Room

ADA = Person("u1", "Ada", langs=("en",), preferred="en")
BOB = Person("u2", "Bob")
EVE = Person("u3", "Eve")
ROOT = Person("u9", "Root", is_owner=True)


def room(**options: Any) -> Room:
    made = Room("r1", options.pop("kind", "open"), **options)
    made.apply(do.Join(), ADA, 1_000)
    made.invited.add(BOB.user)
    made.apply(do.Join(), BOB, 1_001)
    return made


def say(text: str, id: str = "m1", **more: Any) -> do.Say:  # noqa: A002
    return do.Say(id, text, "en", "user", **more)


def code(made: Room, command: do.Command, who: Person, now: int = 2_000) -> int:
    before = made.seq
    with pytest.raises(Refused) as refused:
        made.apply(command, who, now)
    assert made.seq == before, "a refusal uses no number"
    return refused.value.code


def said(made: Room, text: str = "hello", who: Person = ADA) -> Any:
    (event,) = made.apply(say(text, f"m{made.seq}"), who, 2_000)
    assert isinstance(event, ev.Said)
    return event.message


def test_numbers_have_no_gaps_and_time_does_not_go_back() -> None:
    made = room()
    events = [
        *made.apply(say("one"), ADA, 5_000),
        *made.apply(say("two", "m2"), BOB, 3_000),
        *made.apply(do.Leave(), BOB, 4_000),
    ]
    assert [event.seq for event in events] == [3, 4, 5]
    assert [event.ts for event in events] == [5_000, 5_000, 5_000]


def test_who_makes_a_room_owns_it() -> None:
    made = room()
    assert [member.role for member in made.members.values()] == ["owner", ""]


def test_mentions_are_members() -> None:
    made = room()
    assert said(made, "hi @bob, @Eve and @ADA (a@bob.com)").mentions == ("u2",)


def test_only_members_speak_and_only_senders_edit() -> None:
    made = room()
    message = said(made)
    assert code(made, say("x"), EVE) == 403
    assert code(made, do.Edit(message, "x", "en", "user"), BOB) == 403
    assert code(made, do.Delete(message), BOB) == 403
    (gone,) = made.apply(do.Delete(message), ADA, 3_000)
    assert isinstance(gone, ev.Deleted)
    # The message that was handed in is an old one: the room knows what became of it.
    assert code(made, do.Edit(message, "x", "en", "user"), ADA) == 404
    assert code(made, do.React(message, "x", True), BOB) == 404


def test_an_edit_voids_translations() -> None:
    made = room()
    message = said(made)
    made.apply(do.Attach(message, "fr", "bonjour", "test", "server"), BOB, 2_000)
    assert made.recent[message.id].translations["fr"].text == "bonjour"
    assert made.apply(do.Attach(message, "fr", "bonjour", "test", "server"), BOB, 2_000) == []
    made.apply(do.Edit(message, "bye", "en", "user"), ADA, 2_000)
    assert made.recent[message.id].translations == {}


def test_reactions_come_once() -> None:
    made = room()
    message = said(made)
    assert len(made.apply(do.React(message, "x", True), BOB, 2_000)) == 1
    assert made.apply(do.React(message, "x", True), BOB, 2_000) == []
    assert made.recent[message.id].reactions == {"x": ("u2",)}
    assert len(made.apply(do.React(message, "x", False), BOB, 2_000)) == 1
    assert made.recent[message.id].reactions == {}


def test_moderation() -> None:
    made = room()
    assert code(made, do.Moderate("u1", "kick"), BOB) == 403
    made.apply(do.Moderate("u2", "moderator"), ADA, 2_000)
    assert code(made, do.Moderate("u1", "kick"), BOB) == 403
    assert code(made, do.Moderate("u2", "owner"), BOB) == 403
    made.apply(do.Join(), EVE, 2_000)
    made.apply(do.Moderate("u3", "mute", seconds=10), BOB, 2_000)
    assert code(made, say("x"), EVE, 11_999) == 403
    assert len(made.apply(say("x"), EVE, 12_000)) == 1
    (ban,) = made.apply(do.Moderate("u3", "ban", "enough", 10), BOB, 20_000)
    assert isinstance(ban, ev.Parted)
    assert (ban.kind, ban.until, ban.reason) == ("ban", 30_000, "enough")
    assert not made.may_see("u3", 29_999)
    assert made.may_see("u3", 30_000)
    assert code(made, do.Join(), EVE, 29_999) == 403
    assert len(made.apply(do.Join(), EVE, 30_000)) == 1
    assert code(made, do.Moderate("u1", "member"), ADA) == 403, "a room keeps one owner"
    assert code(made, do.Moderate("u7", "kick"), ADA) == 404


def test_a_mute_outlasts_leaving() -> None:
    made = room()
    message = said(made, who=BOB)
    made.apply(do.Moderate("u2", "mute", seconds=10), ADA, 2_000)
    attach = do.Attach(message, "fr", "my words all the same", "test", "client")
    assert code(made, attach, BOB) == 403
    assert len(made.apply(replace(attach, by="server"), BOB, 2_000)) == 1
    for leave, who in ((do.Leave(), BOB), (do.Moderate("u2", "kick"), ADA)):
        made.apply(leave, who, 3_000)
        (back,) = made.apply(do.Join(), BOB, 3_000)
        assert isinstance(back, ev.MemberSet)
        assert back.muted == 12_000
        assert code(made, say("x"), BOB, 11_999) == 403
    made.apply(do.Moderate("u2", "unmute"), ADA, 4_000)
    made.apply(do.Leave(), BOB, 5_000)
    made.apply(do.Join(), BOB, 5_000)
    assert len(made.apply(say("x"), BOB, 5_000)) == 1


@pytest.mark.parametrize(
    ("command", "who"),
    [
        (do.Leave(), ADA),
        (do.Erase(), ADA),
        (do.Moderate("u1", "kick"), ROOT),
        (do.Moderate("u1", "ban"), ADA),
    ],
)
def test_a_room_keeps_an_owner(command: do.Command, who: Person) -> None:
    made = room()
    made.apply(do.Join(), replace(EVE, guest=True), 1_500)
    given, gone = made.apply(command, who, 2_000)
    assert isinstance(given, ev.MemberSet)
    assert (given.user, given.role, given.by) == ("u2", "owner", who.user)
    assert isinstance(gone, ev.Parted | ev.Erased)
    assert made.rank_of(BOB) == rank("owner")


@pytest.mark.parametrize(
    ("done", "heir"),
    [
        ([], "u2"),
        ([do.Moderate("u3", "voice")], "u3"),
        ([do.Moderate("u3", "voice"), do.Moderate("u2", "moderator")], "u2"),
        ([do.Moderate("u2", "mute")], "u3"),
        ([do.Moderate("u3", "owner")], ""),
    ],
)
def test_who_inherits_a_room(done: list[do.Command], heir: str) -> None:
    made = room()
    made.apply(do.Join(), EVE, 1_500)
    for command in done:
        made.apply(command, ADA, 1_600)
    events = made.apply(do.Leave(), ADA, 2_000)
    assert [one.user for one in events if isinstance(one, ev.MemberSet)] == ([heir] if heir else [])


def test_a_guest_inherits_only_where_nobody_has_an_account() -> None:
    made = Room("r1", "open")
    for at, who in enumerate((ADA, replace(BOB, guest=True), EVE)):
        made.apply(do.Join(), who, 1_000 + at)
    made.apply(do.Leave(), ADA, 2_000)
    assert made.members["u3"].role == "owner"
    made.apply(do.Leave(), EVE, 3_000)
    assert made.members["u2"].role == "owner"
    (gone,) = made.apply(do.Leave(), BOB, 4_000)
    assert isinstance(gone, ev.Parted)


def test_a_moderated_room_asks_for_a_voice() -> None:
    made = room()
    made.apply(do.Configure(moderated=True), ADA, 2_000)
    assert code(made, say("x"), BOB) == 403
    made.apply(do.Moderate("u2", "voice"), ADA, 2_000)
    assert len(made.apply(say("x"), BOB, 2_000)) == 1


def test_a_room_of_members_is_closed() -> None:
    made = room(kind="members")
    assert code(made, do.Join(), EVE) == 404
    assert not made.may_see("u3", 2_000)
    assert not made.knows("u3")
    assert code(made, do.Invite("u3"), BOB) == 403
    made.apply(do.Invite("u3"), ADA, 2_000)
    assert made.knows("u3")
    assert len(made.apply(do.Join(), EVE, 2_000)) == 1


def test_a_conversation_of_two_stays_one() -> None:
    made = Room("d1", "direct", invited={"u1", "u2"})
    made.apply(do.Join(), ADA, 1_000)
    made.apply(do.Join(), BOB, 1_000)
    assert [member.role for member in made.members.values()] == ["", ""]
    for command, who in (
        (do.Join(), EVE),
        (do.Leave(), ADA),
        (do.Invite("u3"), ADA),
        (do.Configure(topic="x"), ADA),
        (do.Moderate("u2", "kick"), ADA),
        (say("x"), ROOT),
        (do.Moderate("u2", "kick"), ROOT),
    ):
        assert code(made, command, who) in (403, 404)


def test_settings_are_the_owners() -> None:
    made = room()
    assert code(made, do.Configure(topic="x"), BOB) == 403
    events = made.apply(do.Configure("Garden", topic="Roses"), ADA, 2_000)
    assert [type(event) for event in events] == [ev.TopicSet, ev.RoomSet]
    assert made.apply(do.Configure("Garden", topic="Roses"), ADA, 2_000) == []
    assert (made.name, made.topic, made.kind) == ("Garden", "Roses", "open")


def test_what_a_room_remembers_is_bounded() -> None:
    made = room()
    for number in range(RECENT_LIMIT + 10):
        made.apply(say("x", f"m{number}"), ADA, 2_000)
    assert len(made.recent) == RECENT_LIMIT
    assert "m9" not in made.recent
