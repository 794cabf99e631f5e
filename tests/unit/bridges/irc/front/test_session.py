"""What people do by IRC, and what they hear."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.bridges.irc.front.world import Client, World, entered, told

from hubbub.bridges.irc.front import ChatRefused
from hubbub.bridges.irc.front.events import Reacted
from hubbub.bridges.irc.front.face import Saying

pytestmark = pytest.mark.anyio

EVERYTHING = (
    "account-tag",
    "batch",
    "draft/chathistory",
    "echo-message",
    "extended-join",
    "labeled-response",
    "message-tags",
    "multi-prefix",
    "server-time",
    "standard-replies",
    "userhost-in-names",
)


async def two(*caps: str) -> tuple[World, Client, Client]:
    """Ada, with these capabilities, and Bob, who has none, in one room."""
    world = World()
    ada, bob = await entered(world, "ada", *caps), await entered(world, "bob")
    await ada.send("JOIN #room")
    await bob.send("JOIN #ROOM")
    ada.take()
    return world, ada, bob


async def test_joining() -> None:
    world = World()
    ada = await entered(world, "ada")
    assert told(await ada.send("JOIN #room")) == [
        ":ada!~ada@g-ada JOIN #room",
        ":irc.test 353 ada = #room @ada",
        ":irc.test 366 ada #room :End of /NAMES list",
    ]
    await ada.send("TOPIC #room :about it")
    bob = await entered(world, "bob", "extended-join", "userhost-in-names")
    assert told(await bob.send("JOIN #ROOM,nonsense,#")) == [
        ":bob!~bob@g-bob JOIN #room * :Real bob",
        ":irc.test 332 bob #room :about it",
        ":irc.test 333 bob #room ada 1700000000",
        ":irc.test 353 bob = #room :@ada!~ada@g-ada bob!~bob@g-bob",
        ":irc.test 366 bob #room :End of /NAMES list",
        ":irc.test 403 bob nonsense :No such channel",
        ":irc.test 403 bob # :No such channel",
    ]
    assert told(ada.take()) == [":bob!~bob@g-bob JOIN #room"]
    assert await bob.send("JOIN #room") == []
    world.banned.add("eve")
    eve = await entered(world, "eve")
    assert (await eve.send("JOIN #room"))[0].command == "474"


async def test_leaving() -> None:
    _, ada, bob = await two()
    assert told(await bob.send("PART #room :bye now", "PART #room", "PART x")) == [
        ":bob!~bob@g-bob PART #room :bye now",
        ":irc.test 442 bob #room :You're not on that channel",
        ":irc.test 403 bob x :No such channel",
    ]
    assert told(ada.take()) == [":bob!~bob@g-bob PART #room :bye now"]
    await bob.send("JOIN #room")
    assert told(await bob.send("QUIT :gone")) == ["ERROR :Closing link: gone"]
    assert bob.is_cut
    assert await bob.send("PING x") == []
    assert told(ada.take())[-1] == ":bob!~bob@g-bob QUIT gone"
    assert told(await ada.send("JOIN 0")) == [":ada!~ada@g-ada PART #room"]


async def test_talking() -> None:
    world, ada, bob = await two("message-tags", "server-time", "account-tag")
    assert await ada.send("PRIVMSG #room :\x02hello\x02 *there*", "NOTICE #room :psst") == []
    assert [one.text for one in world.said] == ["**hello** \\*there\\*", "psst"]
    assert told(bob.take()) == [
        ":ada!~ada@g-ada PRIVMSG #room :\x02hello\x02 *there*",
        ":ada!~ada@g-ada NOTICE #room psst",
    ]
    await bob.send("PRIVMSG #Room :\x01ACTION waves\x01", "PRIVMSG ada :only you")
    action, private = ada.take()
    assert action.params == ("#room", "\x01ACTION waves\x01")
    assert action.tags == {
        "time": "2023-11-14T22:13:23.000Z",
        "msgid": "M2",
        "+hubbub.chat/lang": "en",
    }
    assert (private.source, private.params) == ("bob!~bob@g-bob", ("ada", "only you"))
    assert world.said[2].kind == "action"


async def test_what_is_long_is_several_lines() -> None:
    world, ada, bob = await two("message-tags", "server-time")
    bob_person = bob.session.me
    await world.say(bob_person, Saying("é" * 700 + "\n**next** line", "room"), None)
    lines = ada.take()
    assert len(lines) == 4
    assert [("msgid" in one.tags) for one in lines] == [True, False, False, False]
    assert "".join(one.params[1] for one in lines[:3]) == "é" * 700
    assert lines[3].params[1] == "\x02next\x02 line"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("PRIVMSG", ":irc.test 411 ada :No recipient given (PRIVMSG)"),
        ("PRIVMSG #room", ":irc.test 412 ada :No text to send"),
        ("PRIVMSG #nowhere :x", ":irc.test 403 ada #nowhere :No such channel"),
        ("PRIVMSG #other :x", ":irc.test 404 ada #other :Cannot send to channel"),
        ("PRIVMSG nobody :x", ":irc.test 401 ada nobody :No such nick/channel"),
        ("TAGMSG", ":irc.test 461 ada TAGMSG :Not enough parameters"),
        ("TOPIC #nowhere", ":irc.test 403 ada #nowhere :No such channel"),
        ("TOPIC #other :x", ":irc.test 442 ada #other :You're not on that channel"),
        ("TOPIC #room", ":irc.test 331 ada #room :No topic is set"),
        ("KICK #room nobody", ":irc.test 401 ada nobody :No such nick/channel"),
        ("KICK #room", ":irc.test 461 ada KICK :Not enough parameters"),
        ("NAMES #nowhere", ":irc.test 366 ada #nowhere :End of /NAMES list"),
        ("MODE ada", ":irc.test 221 ada +"),
        ("MODE bob +i", ":irc.test 502 ada :Cant change mode for other users"),
        ("MODE #room b", ":irc.test 368 ada #room :End of channel ban list"),
        ("MODE #room +o bob", ":ada!~ada@g-ada MODE #room +o bob"),
        ("MODE #room +Z", ":irc.test 472 ada Z :is unknown mode char to me"),
        ("WHOWAS bob", ":irc.test 406 ada bob :There was no such nickname"),
        ("AWAY :lunch", ":irc.test 306 ada :You have been marked as being away"),
        ("AWAY", ":irc.test 305 ada :You are no longer marked as being away"),
        ("USERHOST bob nobody", ":irc.test 302 ada bob=+~bob@g-bob"),
        ("ISON bob nobody ada", ":irc.test 303 ada :bob ada"),
        ("TIME", ":irc.test 391 ada irc.test 2023-11-14T22:13:20.000Z"),
        ("OPER a b", ":irc.test 491 ada :No O-lines for your host"),
        ("KILL bob", ":irc.test 481 ada :Permission Denied- You're not an IRC operator"),
        ("STATS u", ":irc.test 219 ada u :End of /STATS report"),
        ("NICK", ":irc.test 431 ada :No nickname given"),
        ("NICK bob", ":irc.test 433 ada bob :Nickname is already in use"),
        ("NICK 9", ":irc.test 432 ada 9 :Erroneous nickname"),
        ("WHAT is this", ":irc.test 421 ada WHAT :Unknown command"),
        ("WHOIS nobody", ":irc.test 401 ada nobody :No such nick"),
        ("CHATHISTORY LATEST #room * 10", ""),
    ],
)
async def test_answers(line: str, answer: str) -> None:
    world, ada, _ = await two()
    world.rooms["other"] = {}
    lines = told(await ada.send(line))
    assert lines[:1] == ([answer] if answer else [])


async def test_notices_are_never_answered() -> None:
    world, ada, _ = await two()
    world.refuse = ChatRefused("not-allowed", "muted")
    lines = await ada.send("NOTICE", "NOTICE #room", "NOTICE nobody :x", "NOTICE #room :x")
    assert lines == []
    assert told(await ada.send("PRIVMSG #room :x")) == [":irc.test 404 ada #room muted"]
    world.refuse = ChatRefused("slow-down", "too quick")
    assert told(await ada.send("PRIVMSG #room :x")) == [
        ":irc.test FAIL PRIVMSG SLOW_DOWN :too quick"
    ]


async def test_echoes_labels_and_replies() -> None:
    world, ada, bob = await two(*EVERYTHING)
    (echo,) = await ada.send("@label=l1;+reply=M7 PRIVMSG #room :hello")
    assert (echo.tags["label"], echo.tags["msgid"], echo.tags["+reply"]) == ("l1", "M0", "M7")
    assert world.said[0].reply_to == "M7"
    (pong,) = await ada.send("@label=l2 PING x")
    assert (pong.command, pong.tags["label"]) == ("PONG", "l2")
    (ack,) = await ada.send("@label=l3 PONG x")
    assert (ack.command, ack.tags["label"]) == ("ACK", "l3")
    begin, *lines, end = await ada.send("@label=l4 WHOIS bob")
    batch = begin.params[0][1:]
    assert begin.params == (f"+{batch}", "labeled-response")
    assert begin.tags["label"] == "l4"
    assert {one.tags["batch"] for one in lines} == {batch}
    assert "batch" not in begin.tags
    assert end.params == (f"-{batch}",)
    assert [one.command for one in lines] == ["311", "319", "312", "318"]
    (unlabelled,) = await ada.send(f"@label={'x' * 65} PING x")
    assert "label" not in unlabelled.tags
    assert [one.tags for one in bob.take()] == [{}]


async def test_reactions_and_typing() -> None:
    world, ada, bob = await two(*EVERYTHING)
    (echo,) = await ada.send("@+draft/react=👍;+reply=M1 TAGMSG #room")
    assert (echo.command, echo.tags["+draft/react"]) == ("TAGMSG", "👍")
    assert [(one.id, one.emoji, one.on) for one in world.reactions] == [("M1", "👍", True)]
    await bob.send("@+typing=active TAGMSG #room")
    (typing,) = ada.take()
    assert (typing.command, typing.tags["+typing"]) == ("TAGMSG", "active")
    world.tell(Reacted("room", bob.session.me, "M1", "👎", on=False))
    (reaction,) = ada.take()
    assert (reaction.tags["+draft/unreact"], reaction.tags["+reply"]) == ("👎", "M1")
    assert bob.take() == []


async def test_topics_kicks_and_nicks() -> None:
    _, ada, bob = await two()
    assert told(await ada.send("TOPIC #room :about *it*")) == [
        ":ada!~ada@g-ada TOPIC #room :about \\*it\\*"
    ]
    assert (await bob.send("TOPIC #room :mine"))[-1].command == "482"
    assert told(await bob.send("NICK robert")) == [":bob!~bob@g-bob NICK robert"]
    assert told(ada.take()) == [":bob!~bob@g-bob NICK robert"]
    assert (await bob.send("MODE robert"))[0].params == ("robert", "+")
    assert (await bob.send("KICK #room ada"))[0].command == "482"
    assert told(await ada.send("KICK #room robert :too loud")) == [
        ":ada!~ada@g-ada KICK #room robert :too loud"
    ]
    assert told(bob.take()) == [":ada!~ada@g-ada KICK #room robert :too loud"]
    assert (await bob.send("PRIVMSG #room :x"))[0].command == "404"


async def test_who_is_there() -> None:
    _, ada, _ = await two()
    assert told(await ada.send("WHO #room", "WHO bob %tna,152", "WHO nobody")) == [
        ":irc.test 352 ada #room ~ada g-ada irc.test ada H@ :0 Real ada",
        ":irc.test 352 ada #room ~bob g-bob irc.test bob H :0 Real bob",
        ":irc.test 315 ada #room :End of /WHO list",
        ":irc.test 354 ada 152 bob 0",
        ":irc.test 315 ada bob :End of /WHO list",
        ":irc.test 315 ada nobody :End of /WHO list",
    ]
    assert told(await ada.send("LIST")) == [
        ":irc.test 321 ada Channel :Users  Name",
        ":irc.test 322 ada #room 2 :",
        ":irc.test 323 ada :End of /LIST",
    ]


async def test_who_is_away() -> None:
    _, ada, bob = await two()
    await bob.send("AWAY :out to lunch")
    assert told(await ada.send("PRIVMSG bob :there?", "NOTICE bob :psst")) == [
        ":irc.test 301 ada bob :out to lunch"
    ]
    lines = told(await ada.send("WHO #room", "WHOIS bob", "USERHOST bob"))
    assert ":irc.test 352 ada #room ~bob g-bob irc.test bob G :0 Real bob" in lines
    assert ":irc.test 301 ada bob :out to lunch" in lines
    assert lines[-1] == ":irc.test 302 ada bob=-~bob@g-bob"
    await bob.send("AWAY")
    assert told(await ada.send("PRIVMSG bob :and now?")) == []


async def test_history() -> None:
    world, ada, bob = await two(*EVERYTHING)
    for number in range(10):
        await world.say(bob.session.me, Saying(f"text {number}", "room"), None)
    ada.take()

    async def texts(question: str) -> list[str]:
        begin, *lines, end = await ada.send(f"CHATHISTORY {question}")
        assert begin.params[1:] == ("chathistory", "#room")
        assert end.params == (f"-{begin.params[0][1:]}",)
        assert all(one.tags["batch"] == begin.params[0][1:] for one in lines)
        return [one.params[1][5:] for one in lines]

    assert await texts("LATEST #room * 3") == ["7", "8", "9"]
    assert await texts("LATEST #room msgid=M7 5") == ["8", "9"]
    assert await texts("BEFORE #room msgid=M4 2") == ["2", "3"]
    assert await texts("AFTER #room msgid=M4 2") == ["5", "6"]
    assert await texts("AFTER #room timestamp=2023-11-14T22:13:26.000Z 2") == ["6", "7"]
    assert await texts("AROUND #room msgid=M4 4") == ["2", "3", "4", "5"]
    assert await texts("BETWEEN #room msgid=M2 msgid=M6 9") == ["3", "4", "5"]
    assert await texts("BETWEEN #room msgid=M6 msgid=M2 2") == ["4", "5"]
    for wrong, code in (
        ("LATEST #nowhere * 3", "INVALID_TARGET"),
        ("LATEST #room * x", "INVALID_PARAMS"),
        ("LATEST #room", "INVALID_PARAMS"),
        ("WHAT #room * 3", "INVALID_PARAMS"),
        ("BEFORE #room * 3", "INVALID_MSGREFTYPE"),
        ("BEFORE #room timestamp=2023-99-14T22:13:26.000Z 3", "INVALID_MSGREFTYPE"),
    ):
        (line,) = await ada.send(f"CHATHISTORY {wrong}")
        assert (line.command, line.params[1]) == ("FAIL", code)


async def test_bytes_that_are_no_text_are_refused() -> None:
    world, ada, _ = await two(*EVERYTHING)
    await ada.session.receive(b"PRIVMSG #room :\xff\xfe")
    (line,) = ada.take()
    assert line.params[:2] == ("PRIVMSG", "INVALID_UTF8")
    assert world.said == []
    ada.session.too_long()
    assert ada.take()[0].command == "417"


NAMES = ["#room", "#x", "ada", "bob", ":", "*", "0", "+b", "LATEST", "msgid=M0", ""]
WORDS = st.sampled_from([*NAMES, "%tcuihsnfdlaor,1", "あ" * 150, "a" * 400]) | st.text(max_size=12)
KEYS = st.sampled_from(["+x", "+a_b", "+draft/react", "+reply", "+é", "+"]) | st.text(max_size=4)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [
                    "JOIN",
                    "PART",
                    "PRIVMSG",
                    "NOTICE",
                    "TAGMSG",
                    "TOPIC",
                    "NAMES",
                    "KICK",
                    "MODE",
                    "LIST",
                    "NICK",
                    "WHO",
                    "WHOIS",
                    "WHOWAS",
                    "AWAY",
                    "USERHOST",
                    "ISON",
                    "CHATHISTORY",
                    "CAP",
                    "AUTHENTICATE",
                    "STATS",
                    "PING",
                ]
            ),
            st.lists(WORDS, max_size=4),
            KEYS,
        ),
        max_size=6,
    )
)
async def test_whatever_is_sent_every_answer_is_a_line(
    sent: list[tuple[str, list[str], str]],
) -> None:
    _, ada, _ = await two(*EVERYTHING)
    for command, words, key in sent:
        await ada.session.receive(f"@label=x;{key}=1 {command} {' '.join(words)}".encode())
    told(ada.take())


async def test_words_that_are_too_long_are_answered_within_a_line() -> None:
    _, ada, _ = await two(*EVERYTHING)
    long = "あ" * 150
    for sent in (
        f"CHATHISTORY LATEST {long} * 5",
        f"CHATHISTORY LATEST {'#' + 'あ' * 63} {long[:80]} 5",
        f"REDACT {long[:70]} {long[:70]}",
        f"KICK #room {long}",
        f"{'A' * 490} :\udcff",
    ):
        await ada.session.receive(sent.encode("utf-8", "surrogateescape"))
        assert told(ada.take()), sent
