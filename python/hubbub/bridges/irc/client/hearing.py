"""`Hearing`: what people say on IRC, as a remote tells it (pure, but for the time)."""

import time
from collections import OrderedDict
from collections.abc import Callable

from hubbub.apps.chat.message import Kind
from hubbub.bridges.irc import ctcp
from hubbub.bridges.irc.client.crowd import Channel
from hubbub.bridges.irc.client.saying import EDIT_TAG, LANG_TAG, MARK_TAG
from hubbub.bridges.irc.client.session import Session
from hubbub.bridges.irc.formatting import from_irc
from hubbub.bridges.irc.line import Line
from hubbub.bridges.link import remote as net

_SAID_LIMIT = 500
_SAID_S = 120.0
_LOOP_LEAST = 6
_CTCP_EVERY_S = 2.0


class Recent:
    """What the bridge has said lately.

    Whoever says the same again, with the author's name before it, is another bridge.
    """

    def __init__(self) -> None:
        self._said: OrderedDict[str, float] = OrderedDict()

    def add(self, text: str) -> None:
        """The bridge has said this."""
        if len(text) >= _LOOP_LEAST:
            self._said[text] = time.monotonic()
            self._said.move_to_end(text)
            if len(self._said) > _SAID_LIMIT:
                self._said.popitem(last=False)

    def holds(self, text: str) -> bool:
        """Whether somebody says it again."""
        since = time.monotonic() - _SAID_S
        return any(at > since and said in text for said, at in self._said.items())


class Hearing:
    """Understands what others say to one session.

    Args:
        session: The session.
        mark: Our own mark.
        recent: What the bridge has said.
        tell: Told of everything.
    """

    def __init__(
        self,
        session: Session,
        mark: str,
        recent: Recent,
        tell: Callable[[net.Told], None],
    ) -> None:
        self._session = session
        self._mark = mark
        self._recent = recent
        self._tell = tell
        self._answered = 0.0

    def hear(self, line: Line) -> None:
        """Understands one line."""
        session = self._session
        if session.crowd.is_me(line.param(0)):
            self._private(line)
            return
        channel = session.crowd.channel(line.param(0))
        person = session.crowd.person(line.source, line.tags.get("account", ""))
        if channel is None or not channel.is_open or person.id not in channel.members:
            return
        match line.command:
            case "TAGMSG":
                self._reaction(channel.name, person, line)
            case "REDACT":
                self._tell(net.Retracted(channel.name, person, line.param(1), is_vouched=True))
            case _:
                self._said(channel, person, line)

    def _said(self, channel: Channel, person: net.Person, line: Line) -> None:
        name, text = channel.name, line.param(1)
        kind: Kind = "text"
        remote_id = line.tags.get("msgid", "")
        playback = self._session.playback
        is_past = playback.is_past(line, channel)
        if is_past and not remote_id:
            # History without ids: it cannot be told from what was heard already.
            return
        if (called := ctcp.parse(text)) is not None:
            if called.command != "ACTION":
                return
            text, kind = called.text, "action"
        elif line.command == "NOTICE":
            kind = "notice"
        origin = line.tags.get(MARK_TAG, "")
        if self._recent.holds(text):
            origin = self._mark
        words = from_irc(text).strip()
        if not words:
            return
        reply = line.tags.get("+reply") or line.tags.get("+draft/reply", "")
        lang = line.tags.get(LANG_TAG, "")
        if kind == "text" and (before := line.tags.get(EDIT_TAG, "")):
            words = words.removeprefix("(edited) ")
            self._tell(net.Edited(name, person, before, words, remote_id, lang))
            return
        is_past = is_past and playback.is_excused(channel)
        said = net.Said(name, person, words, remote_id, kind, reply, lang, origin, is_past)
        self._tell(said)

    def _reaction(self, channel: str, person: net.Person, line: Line) -> None:
        target = line.tags.get("+draft/reply") or line.tags.get("+reply", "")
        if not target:
            return
        for key, on in (("+draft/react", True), ("+draft/unreact", False)):
            if emoji := line.tags.get(key, ""):
                self._tell(net.Reacted(channel, person, target, emoji, on))

    def _private(self, line: Line) -> None:
        nick, text = line.source.partition("!")[0], line.param(1)
        if line.command != "PRIVMSG" or "!" not in line.source:
            # A notice is never answered, nor is a server.
            return
        called = ctcp.parse(text)
        if called is None:
            person = self._session.crowd.person(line.source, line.tags.get("account", ""))
            self._tell(net.Asked(person, text))
            return
        now = time.monotonic()
        if now - self._answered < _CTCP_EVERY_S:
            return
        answers = {"VERSION": "Hubbub", "PING": called.text[:100], "CLIENTINFO": "ACTION PING"}
        if called.command in answers:
            self._answered = now
            told = ctcp.encode(ctcp.Ctcp(called.command, answers[called.command]))
            self._session.notice(nick, [Line("NOTICE", (nick, told))])
