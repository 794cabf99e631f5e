"""The chat's rooms as channels: people of the web and of IRC, in both directions."""

import asyncio
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from hubbub.apps.chat.account import Account
from hubbub.apps.chat.housekeeping import Housekeeping
from hubbub.apps.chat.refusals import Refused
from hubbub.bridges.irc.chat import GatewaySettings
from hubbub.testing import PseudoBackend
from hubbub.translation import Translator
from tests.integration.bridges.house import EVERYTHING, LIMITS, Irc, doors
from tests.loops import on_each_loop

pytestmark = [pytest.mark.anyio, on_each_loop]

EVER = ("2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z")


async def test_a_room_is_a_channel(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.guest("Ada")
        ear = await ada.listen("room:lobby")
        bob = await both.irc("bob")
        joined = await ear.next("member")
        assert (joined["nick"], joined["guest"], joined["joined"]) == ("bob", True, True)
        bob.send("PRIVMSG #lobby :\x02hello\x02 there")
        assert (await ear.next("message"))["message"]["text"] == "**hello** there"
        said = await ada.say("*hi*, @bob")
        await ear.next("message")
        assert said["mentions"] == [joined["user"]]
        heard = await bob.next("PRIVMSG", "#lobby")
        assert (heard.source.partition("!")[0], heard.params[1]) == ("Ada", "\x1dhi\x1d, @bob")
        bob.send(
            "PRIVMSG #lobby :\x01ACTION waves\x01",
            "NOTICE #lobby :psst",
            "PRIVMSG #lobby :Ada: you?",
        )
        told = [(await ear.next("message"))["message"] for _ in range(3)]
        assert [(one["kind"], one["text"]) for one in told] == [
            ("action", "waves"),
            ("notice", "psst"),
            ("text", "@Ada: you?"),
        ]
        assert told[2]["mentions"] == [ada.user]
        bob.send("PART #lobby :enough")
        assert (await ear.next("part"))["user"] == joined["user"]
        await bob.next("PART", "#lobby")
        bob.send("JOIN #lobby")
        assert (await ear.next("member"))["nick"] == "bob"
        await bob.next("366", "#lobby")
        await bob.quit()
        assert (await ear.next("part"))["user"] == joined["user"]


async def test_everybody_hears_everything_once_and_in_the_same_order(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        web = [await both.guest(nick) for nick in ("Ada", "Eve")]
        ears = [await one.listen("room:lobby") for one in web]
        irc = [await both.irc("bob", "echo-message"), await both.irc("cyd", "echo-message")]

        async def talk_by_web(at: int) -> None:
            for number in range(15):
                await web[at].say(f"web {at} {number}")

        async def talk_by_irc(at: int) -> None:
            for number in range(15):
                irc[at].send(f"PRIVMSG #lobby :irc {at} {number}")

        async def read(one: Irc) -> list[str]:
            return [(await one.next("PRIVMSG")).params[1] for _ in range(60)]

        talking = asyncio.gather(talk_by_web(0), talk_by_web(1), talk_by_irc(0), talk_by_irc(1))
        heard = [
            [(await ear.next("message"))["message"]["text"] for _ in range(60)] for ear in ears
        ]
        await talking
        assert heard[0] == heard[1]
        assert len(set(heard[0])) == 60
        for one in irc:
            assert await read(one) == heard[0]


async def test_who_is_there(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada, jose = await both.account("Ada"), await both.guest("José")
        bob = await both.irc("bob")
        bob.send("NAMES #lobby", "WHOIS Ada")
        names = (await bob.next("353")).params[3].split()
        assert {name.partition("|")[0] for name in names} == {"Ada", "Jose", "bob"}
        assert (await bob.next("330")).params[2] == "Ada"
        spelled = next(name for name in names if "|" in name)
        bob.send(f"PRIVMSG {spelled} :salut")
        info = (await jose.own.ear.next("room"))["room"]
        while info["kind"] != "direct":
            info = (await jose.own.ear.next("room"))["room"]
        await bob.until_pong()
        assert (await jose.call("history", room=info["id"]))["messages"][0]["text"] == "salut"
        # Who goes offline by the web quits, and is back when they are.
        await ada.client.disconnect()
        assert (await bob.next("QUIT")).source.startswith("Ada!")
        await ada.connect()
        assert (await bob.next("JOIN", "#lobby")).source.startswith("Ada!")
        await ada.call("me.set", nick="Augusta")
        assert (await bob.next("NICK", "Augusta")).source.startswith("Ada!")


async def test_conversations_of_two(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.account("Ada")
        bob, cyd = await both.irc("bob", *EVERYTHING), await both.irc("cyd")
        bob.send("@label=1 PRIVMSG ada :only you")
        echo = await bob.next("PRIVMSG", "Ada", "only you")
        assert echo.tags["label"] == "1"
        info = (await ada.own.ear.next("room"))["room"]
        while info["kind"] != "direct":
            info = (await ada.own.ear.next("room"))["room"]
        assert info["peer"]["nick"] == "bob"
        await ada.say("and you", room=info["id"])
        heard = await bob.next("PRIVMSG", "bob", "and you")
        assert heard.source.startswith("Ada!")
        assert heard.tags["account"] == "Ada"
        bob.send(
            "CHATHISTORY LATEST Ada * 10",
            f"CHATHISTORY TARGETS timestamp={EVER[0]} timestamp={EVER[1]} 10",
        )
        assert [(await bob.next("PRIVMSG")).params for _ in range(2)] == [
            ("Ada", "only you"),
            ("bob", "and you"),
        ]
        assert (await bob.next("CHATHISTORY", "TARGETS")).params[1] == "Ada"
        # Somebody who has an account is told when they come back; a guest who is gone is gone.
        await ada.client.disconnect()
        await bob.next("QUIT")
        bob.send("PRIVMSG Ada :later", "PRIVMSG nobody :x")
        assert (await bob.next("301", "Ada")).params[2] == "is not here now; what you say is kept"
        await bob.next("401", "nobody")
        assert not any(line.command == "PRIVMSG" for line in await cyd.until_pong())


async def test_signing_in(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.account("Ada")
        room = (await ada.call("rooms.create", name="Garden Party"))["id"]
        ear = await ada.listen(f"room:{room}")
        irc = await both.irc("Ada", *EVERYTHING, password="correct horse")
        await irc.next("JOIN", "#garden-party")
        said = await ada.say("by the web", room=room)
        copy = await irc.next("PRIVMSG", "#garden-party")
        assert (copy.tags["msgid"], copy.tags["account"]) == (said["id"], "Ada")
        irc.send("PRIVMSG #garden-party :by IRC")
        assert (await ear.next("message"))["message"]["id"] == said["id"]
        assert (await ear.next("message"))["message"]["user"] == ada.user
        irc.send("NICK other", "MODE #garden-party +m", "TOPIC #garden-party :Roses")
        await irc.next("432")
        assert (await ear.next("room"))["moderated"] is True
        assert (await ear.next("topic"))["topic"] == "Roses"
        await irc.quit()
        # An account's owner stays a member, and is offline.
        wrong = await both.connect()
        wrong.send("PASS Ada:nonsense", "NICK Ada", "USER a 0 * :a")
        await wrong.next("464")
        stranger = await both.connect()
        stranger.send("NICK ada", "USER a 0 * :a")
        await stranger.next("433")


async def test_a_guest_takes_their_nick_again(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.guest("Ada")
        ear = await ada.listen("room:lobby")
        users: list[str] = []
        for _ in range(3):
            bob = await both.irc("bob")
            users.append((await ear.next("member"))["user"])
            second = await both.connect()
            second.send("NICK Bob", "USER b 0 * :b")
            await second.next("433")
            second.writer.close()
            await bob.quit()
            await ear.next("part")
        # Each time it is somebody else: nobody inherits what another wrote in private.
        assert len(set(users)) == 3
        # A browser's guest comes back; nobody takes their nick meanwhile.
        await ada.client.disconnect()
        stranger = await both.connect()
        stranger.send("NICK ada", "USER a 0 * :a")
        await stranger.next("433")


async def test_what_irc_has_no_words_for(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada, eve = await both.guest("Ada"), await both.guest("Eve")
        old, new = await both.irc("old"), await both.irc("new", *EVERYTHING)
        said = await ada.say("a mistke")
        assert (await new.next("PRIVMSG")).tags["msgid"] == said["id"]
        await ada.call("edit", room="lobby", id=said["id"], text="a mistake")
        await ada.call("react", room="lobby", id=said["id"], emoji="👍", on=True)
        await eve.say("yes", replyTo=said["id"])
        await ada.call("delete", room="lobby", id=said["id"])
        edited = await new.next("PRIVMSG", "(edited) a mistake")
        assert edited.tags["+draft/reply"] == said["id"]
        assert (await new.next("TAGMSG")).tags["+draft/react"] == "👍"
        reply = await new.next("PRIVMSG", "Ada: yes")
        assert reply.tags["+reply"] == said["id"]
        assert (await new.next("REDACT")).params == ("#lobby", said["id"])
        texts = [(await old.next("PRIVMSG")).params[1] for _ in range(2)]
        assert texts == ["a mistke", "(edited) a mistake"]
        assert (await old.next("NOTICE")).params[1] == '(👍 to "a mistake")'
        assert (await old.next("PRIVMSG")).params[1] == "Ada: yes"
        assert (await old.next("NOTICE")).params[1] == "(has deleted a message)"
        # And the other way round.
        ear = await ada.listen("room:lobby")
        mine = await eve.say("mine")
        await ear.next("message")
        new.send(f"@+draft/react=🎉;+draft/reply={mine['id']} TAGMSG #lobby")
        assert (await ear.next("react"))["emoji"] == "🎉"
        new.send(f"@+draft/reply={mine['id']} PRIVMSG #lobby :indeed")
        answer = (await ear.next("message"))["message"]
        assert answer["replyTo"] == mine["id"]
        new.send(f"REDACT #lobby {answer['id']}", f"REDACT #lobby {mine['id']}", "REDACT #lobby no")
        assert (await ear.next("delete"))["id"] == answer["id"]
        assert (await new.next("FAIL", "REDACT")).params[1] == "REDACT_FORBIDDEN"
        assert (await new.next("FAIL", "REDACT")).params[1] == "UNKNOWN_MSGID"


async def test_history(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.guest("Ada")
        for number in range(20):
            await ada.say(f"text {number}")
        bob = await both.irc("bob", *EVERYTHING)

        async def texts(question: str) -> list[str]:
            bob.send(f"CHATHISTORY {question}")
            await bob.next("BATCH", "chathistory")
            bob.passed = []
            await bob.next("BATCH")
            return [line.params[1][5:] for line in bob.passed]

        assert await texts("LATEST #lobby * 3") == ["17", "18", "19"]
        bob.send("CHATHISTORY LATEST #lobby * 1")
        last = (await bob.next("PRIVMSG")).tags["msgid"]
        assert await texts(f"BEFORE #lobby msgid={last} 2") == ["17", "18"]
        assert await texts(f"AROUND #lobby msgid={last} 4") == ["17", "18", "19"]
        assert await texts(f"AFTER #lobby msgid={last} 4") == []
        assert await texts("AFTER #lobby timestamp=2020-01-01T00:00:00.000Z 2") == ["0", "1"]
        bob.send("CHATHISTORY LATEST #elsewhere * 3")
        assert (await bob.next("FAIL")).params[1] == "INVALID_TARGET"


async def test_roles_and_rules(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.account("Ada")
        bob = await both.irc("bob", *EVERYTHING)
        bob.send("JOIN #shed")
        assert (await bob.next("353", "#shed")).params[3] == "@bob"
        room = next(
            one["id"] for one in (await ada.call("rooms.list"))["rooms"] if one["name"] == "shed"
        )
        ear = await ada.listen(f"room:{room}")
        bob.send("MODE #shed +i", "INVITE Ada #shed")
        assert (await ear.out.get()) == 2000
        await bob.next("341")
        assert (await ada.own.ear.next("invite"))["room"]["name"] == "shed"
        cyd = await both.irc("cyd")
        cyd.send("JOIN #shed")
        await cyd.next("473", "#shed")
        await ada.call("rooms.join", room=room)
        assert (await bob.next("JOIN", "#shed")).params == ("#shed", "Ada", "Ada")
        bob.send("MODE #shed -i+m", "MODE #shed +v Ada", "MODE #shed +o Ada", "MODE #shed b")
        assert (await bob.next("MODE", "+v")).params == ("#shed", "+v", "Ada")
        assert (await bob.next("MODE", "-v+o")).params == ("#shed", "-v+o", "Ada", "Ada")
        cyd.send("JOIN #shed", "PRIVMSG #shed :x")
        await cyd.next("366", "#shed")
        await cyd.next("404", "#shed")
        user = next(
            one["user"]
            for one in (await ada.call("members", room=room))["members"]
            if one["nick"] == "cyd"
        )
        await ada.call("moderate", room=room, user=user, action="kick", reason="too loud")
        kick = await cyd.next("KICK", "#shed")
        assert (kick.source.partition("!")[0], kick.params[2]) == ("Ada", "too loud")
        bob.send("MODE #shed +b cyd")
        assert (await bob.next("MODE", "+b")).params[2].startswith("cyd!*@")
        cyd.send("JOIN #shed")
        await cyd.next("474", "#shed")
        bob.send("MODE #shed -b cyd", "KICK #shed Ada :out")
        await bob.next("MODE", "-b")
        assert (await ada.own.ear.next("left"))["reason"] == "out"


async def test_rooms_get_other_names(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.account("Ada")
        room = (await ada.call("rooms.create", name="Tea & Cake"))["id"]
        bob = await both.irc("bob")
        bob.send("JOIN #tea-&-cake")
        await bob.next("366", "#tea-&-cake")
        other = (await ada.call("rooms.create", name="tea-&-cake"))["id"]
        bob.send("LIST")
        names = [(await bob.next("322")).params[1] for _ in range(3)]
        assert sorted(names)[:2] == ["#lobby", "#tea-&-cake"]
        assert sorted(names)[2].startswith("#tea-&-cake|")
        await ada.call("rooms.settings", room=room, name="Coffee")
        await bob.next("PART", "#tea-&-cake")
        await bob.next("JOIN", "#coffee")
        await ada.say("still here", room=room)
        await bob.next("PRIVMSG", "#coffee", "still here")
        assert other != room


async def test_members_only_rooms_are_nobodys_business(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada = await both.account("Ada")
        await ada.call("rooms.create", name="Secret", kind="members")
        await ada.call("rooms.create", name="Quiet", kind="unlisted")
        bob = await both.irc("bob")
        for line in ("TOPIC #secret", "MODE #secret", "PRIVMSG #secret :x"):
            bob.send(line)
            await bob.next("403", "#secret")
        bob.send("NAMES #secret", "WHO #secret", "LIST", "WHOIS Ada", "NAMES #quiet")
        lines = await bob.until_pong()
        told = [" ".join(line.params) for line in lines if line.command not in ("315", "366")]
        assert not any("secret" in one.lower() or "quiet" in one.lower() for one in told)
        bob.send("JOIN #secret", "JOIN #quiet")
        await bob.next("473", "#secret")
        await bob.next("366", "#quiet")


async def test_webirc(tmp_path: Path) -> None:
    async with doors(tmp_path, {"gateways": (GatewaySettings("s3cret"),)}) as both:
        seen: list[str] = []
        slow = both.web.service.sign_in.slow
        both.web.service.sign_in.slow = lambda address: (seen.append(address), slow(address))[1]
        for password in ("s3cret", "wrong"):
            irc = await both.connect()
            irc.send(f"WEBIRC {password} kiwi host.example 203.0.113.7")
            irc.send(f"NICK nick{len(seen)}", "USER a 0 * :a")
            await irc.next("001")
        assert seen == ["203.0.113.7", "127.0.0.1"]


async def test_when_the_server_stops_everybody_is_told(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        bob = await both.irc("bob")
    assert (await bob.next("ERROR")).params[0] == "Closing link: Server is going down"
    async with doors(tmp_path) as both:
        await both.irc("bob")


async def test_who_is_erased_is_offline_to_who_waits_for_them(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        ada, eve = await both.account("Ada"), await both.account("Eve")
        await eve.call("rooms.create", name="Elsewhere")
        await eve.call("rooms.leave", room="lobby")
        bob = await both.irc("bob")
        bob.send("MONITOR + Ada,Eve")
        await bob.next("730")
        await ada.call("me.erase", password="correct horse")
        await bob.next("731", "Ada")
        # Nobody on IRC is where she is.
        await eve.call("me.erase", password="correct horse")
        await bob.next("731", "Eve")


async def test_people_who_are_away(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        bob, cyd = await both.irc("bob", *EVERYTHING), await both.irc("cyd")
        cyd.send("AWAY :lunch")
        assert (await bob.next("AWAY")).params == ("lunch",)
        bob.send("MONITOR + cyd,dan")
        assert (await bob.next("730")).params[1].startswith("cyd!")
        assert (await bob.next("731")).params[1] == "dan"
        dan = await both.irc("dan")
        assert (await bob.next("730")).params[1].startswith("dan!")
        dan.send("NICK dana")
        assert (await bob.next("731")).params[1] == "dan"
        await cyd.quit()
        assert (await bob.next("731")).params[1] == "cyd"
        ada = await both.guest("Ada")
        bob.send("MONITOR + ada")
        await bob.next("730")
        await bob.next("JOIN", "Ada")
        await ada.call("me.set", password="correct horse")
        assert (await bob.next("ACCOUNT")).params == ("Ada",)
        await ada.client.disconnect()
        assert (await bob.next("731")).params[1] == "Ada"


async def test_who_reads_another_language_gets_a_translation(tmp_path: Path) -> None:
    def words(text: str, source: str, target: str) -> str:
        return text.replace("Good morning to all of you", "Bonjour à tous")

    async with doors(tmp_path) as both:
        both.web.service._translator = Translator([PseudoBackend([("en", "fr")], words=words)])
        ada = await both.guest("Ada", "en")
        bob, cyd = await both.irc("bob", *EVERYTHING), await both.irc("cyd", *EVERYTHING)
        bob.send("PRIVMSG hubbub :help")
        assert "lang fr,en" in (await bob.next("NOTICE", "bob")).params[1]
        bob.send("PRIVMSG hubbub :lang fr,de", "PRIVMSG hubbub :lang nonsense-")
        assert (await bob.next("NOTICE", "bob")).params[1].startswith("You read French, German")
        assert "nonsense" in (await bob.next("NOTICE", "bob")).params[1]
        said = await ada.say("Good morning to all of you", lang="en")
        assert (await bob.next("PRIVMSG")).params[1] == "Good morning to all of you"
        translated = await bob.next("PRIVMSG")
        assert translated.params[1] == "[fr] Bonjour à tous"
        assert translated.source.startswith("Ada!")
        assert translated.tags["+hubbub.chat/translation"] == said["id"]
        await ada.say("Guten Morgen", lang="de")
        bob.send("PRIVMSG hubbub :lang off")
        assert (await bob.next("NOTICE", "bob")).params[1].startswith("You have set no languages")
        await ada.say("Good morning to all of you", lang="en")
        lines = [line.params[1] for line in await bob.until_pong() if line.command == "PRIVMSG"]
        assert lines == ["hubbub", "Guten Morgen", "Good morning to all of you"][-len(lines) :]
        # Whoever has said nothing of languages gets the originals alone.
        heard = [line.params[1] for line in await cyd.until_pong() if line.command == "PRIVMSG"]
        assert heard == ["Good morning to all of you", "Guten Morgen", "Good morning to all of you"]


async def test_a_guest_whom_a_crash_has_left_is_seen_out(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        chat = both.web.service
        left = await chat.visitors.guest("ghost", "203.0.113.7")
        chat.went(left.user, stays=False)
        web = await both.guest("Ada")
        await web.client.disconnect()
        await Housekeeping(chat).forget_old_guests()
        assert chat.people.by_nick("ghost") is not None
        chat.clock_s = lambda: time.time() + 120
        await Housekeeping(chat).forget_old_guests()
        assert chat.people.by_nick("ghost") is None
        assert chat.people.by_nick("Ada") is not None


async def test_of_two_who_want_a_nick_at_once_one_gets_it(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        visitors = both.web.service.visitors
        came = await asyncio.gather(
            *(visitors.guest("bob", "203.0.113.7") for _ in range(5)), return_exceptions=True
        )
        assert sum(isinstance(one, Account) for one in came) == 1
        assert sum(isinstance(one, Refused) and one.code == 409 for one in came) == 4


async def test_who_was_too_quick_takes_back_and_likes_when_it_is_their_turn(tmp_path: Path) -> None:
    async with doors(tmp_path, limits=replace(LIMITS, messages_per_user=(4, 5))) as both:
        bob = await both.irc("bob", *EVERYTHING)
        bob.send(*(f"PRIVMSG #lobby :{number}" for number in range(6)))
        ids = [(await bob.next("PRIVMSG")).tags["msgid"] for _ in range(6)]
        bob.send(f"REDACT #lobby {ids[-1]}", f"@+draft/react=👍;+reply={ids[0]} TAGMSG #lobby")
        assert (await bob.next("REDACT", "#lobby")).params[1] == ids[-1]
        assert (await bob.next("TAGMSG", "#lobby")).tags["+draft/react"] == "👍"
        assert not [line for line in bob.passed if line.command == "FAIL"]


async def test_who_is_offline_is_spoken_to_by_the_nick_that_irc_knows(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        jose, kim = await both.account("José"), await both.account("Kim")
        bob = await both.irc("bob", *EVERYTHING)
        bob.send("NAMES #lobby")
        names = (await bob.next("353", "#lobby")).params[-1].split()
        (nick,) = [one for one in names if one.startswith("Jose|")]
        bob.send(f"PRIVMSG {nick} :hola")
        assert (await bob.next("PRIVMSG")).params == (nick, "hola")
        for talker in (jose, kim):
            both.web.talkers.remove(talker)
            await talker.client.disconnect()
            await bob.next("QUIT")
        for name in (nick, nick.upper(), "Kim"):
            bob.send(f"PRIVMSG {name} :are you there?")
            told = (await bob.next("PRIVMSG")).params
            assert (await bob.next("301")).params[1] == told[0]
        bob.send(f"CHATHISTORY TARGETS timestamp={EVER[0]} timestamp={EVER[1]} 9")
        targets = {(await bob.next("CHATHISTORY")).params[1] for _ in range(2)}
        assert targets == {nick, "Kim"}
        bob.send(f"CHATHISTORY LATEST {nick} * 9")
        texts = [(await bob.next("PRIVMSG", nick)).params[1] for _ in range(3)]
        assert texts == ["hola", "are you there?", "are you there?"]
        # To whom nobody has spoken yet: they share a room.
        eve = await both.irc("eve")
        eve.send(f"PRIVMSG {nick} :hello", "PRIVMSG Jose|none :hello", "PRIVMSG Jose| :hello")
        assert (await eve.next("301")).params[1] == nick
        assert (await eve.next("401")).params[1] == "Jose|none"
        assert (await eve.next("401")).params[1] == "Jose|"


async def test_a_room_is_left_however_it_is_spelled(tmp_path: Path) -> None:
    async with doors(tmp_path) as both:
        bob = await both.irc("bob")
        bob.send("JOIN #été")
        await bob.next("366", "#été")
        bob.send("PRIVMSG #ÉTÉ :hi", "PART #ÉTÉ", "PART #ÉTÉ")
        assert (await bob.next("PART")).params == ("#été",)
        assert (await bob.next("442")).params[1] == "#ÉTÉ"
