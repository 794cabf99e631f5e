"""Who is in a network's channels, by what its lines tell."""

from hubbub.bridges.irc.client.crowd import Crowd
from hubbub.bridges.irc.client.isupport import Support
from hubbub.bridges.irc.line import parse
from hubbub.bridges.link import remote as net


def crowd(*own: str) -> Crowd:
    made = Crowd(Support("ascii"), ["#a", "#b"])
    made.nick = "me"
    made.own.update(own)
    return made


def told(made: Crowd, *lines: str) -> list[net.Told]:
    return [event for line in lines for event in made.hear(parse(line))]


def entered(made: Crowd, names: str = "me @ada +bob") -> list[net.Told]:
    return told(
        made,
        ":me!u@h JOIN #A",
        ":s 332 me #a :about tea",
        f":s 353 me = #a :{names}",
        ":s 366 me #a :end",
    )


def test_a_channel_is_open_when_all_names_have_come() -> None:
    made = crowd("puppet")
    (opened,) = entered(made, "me puppet @+ada bob!b@host.example")
    assert isinstance(opened, net.Opened)
    assert (opened.channel, opened.topic) == ("#a", "about tea")
    assert [one.name for one in opened.people] == ["ada", "bob"]
    assert opened.people[1].domain == "host.example"
    assert made.source == "me!u@h"


def test_who_comes_and_goes() -> None:
    made = crowd()
    entered(made)
    assert told(
        made,
        "@account=e :Eve!e@h JOIN #a",
        ":Eve!e@h JOIN #elsewhere",
        ":eve!e@h PART #a :bye",
        ":ada!a@h KICK #a bob :out",
        ":ada!a@h NICK Ada2",
        ":ada2!a@h QUIT :gone",
        ":ada2!a@h QUIT :gone",
        ":stranger!s@h NICK other",
    ) == [
        net.Came("#a", net.Person("eve", "Eve", "h", "e")),
        net.Went("#a", "eve", reason="bye"),
        net.Went("#a", "bob", "kick", "ada", "out"),
        net.Renamed("ada", net.Person("ada2", "Ada2", "h")),
        net.Quit("ada2", "gone"),
    ]


def test_what_happens_to_ourselves() -> None:
    made = crowd()
    entered(made)
    assert told(made, ":me!u@h NICK me2") == []
    assert told(made, ":ada!a@h KICK #a me2 :out") == [net.Shut("#a", "kicked by ada: out")]
    assert told(made, ":s 474 me2 #a :banned") == [net.Shut("#a", "banned")]
    assert told(made, ":ada!a@h TOPIC #a :new") == []
    assert made.source == "me2!u@h"


def test_topics() -> None:
    made = crowd()
    entered(made)
    ada = net.Person("ada", "ada", "h")
    assert told(
        made, ":ada!a@h TOPIC #a :new", ":me!u@h TOPIC #a :ours", ":s TOPIC #a :by services"
    ) == [net.TopicSet("#a", ada, "new"), net.TopicSet("#a", None, "by services")]


def test_our_puppets_are_nobody() -> None:
    made = crowd("puppet")
    entered(made)
    assert told(made, ":puppet!p@h JOIN #a", ":puppet!p@h NICK other", ":other!p@h PART #a") == []
    assert made.own == {"other"}
