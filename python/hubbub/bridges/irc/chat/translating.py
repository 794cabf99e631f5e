"""Translations for those on IRC who have said what they read: a marked line behind the original.

The original is told at once and by nobody held up. A translation that came with the message from
its sender's own browser is as good as one from here, and whichever is first is told.
"""

from collections import OrderedDict
from collections.abc import Callable

from hubbub.apps.chat import ChatService
from hubbub.apps.chat import events as ev
from hubbub.apps.chat.events import Heard
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.refusals import Refused
from hubbub.apps.chat.room import Room
from hubbub.bridges.irc.chat.telling import Telling
from hubbub.bridges.irc.chat.who import Who
from hubbub.bridges.irc.front.events import Event, Said
from hubbub.translation import TranslationFailure, understands

TRANSLATION_TAG = "+hubbub.chat/translation"
"""The message that a line translates, as a tag of ours."""

_TOLD_LIMIT = 1_000


class Translating:
    """Translates what is said where somebody on IRC reads it in another language.

    Args:
        service: The chat.
        who: Who is here by IRC.
        telling: Where they are, and how messages look.
        tell: Tells the front.
    """

    def __init__(
        self,
        service: ChatService,
        who: Who,
        telling: Telling,
        tell: Callable[[Event], None],
    ) -> None:
        self._service = service
        self._who = who
        self._telling = telling
        self._tell = tell
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()

    def heard(self, room: Room, event: Heard, origin: object) -> None:
        """Sees to it that a message is understood."""
        match event:
            case ev.Said(message=Message() as message):
                for lang, readers in self._readers(room, message).items():
                    self._service.app.spawn(self._translate(room, message, lang, readers))
            case ev.Attached():
                try:
                    translated = self._service.live.message(room, event.id)
                except Refused:
                    return
                users = self._readers(room, translated).get(event.lang)
                if users:
                    self._tell_once(room, translated, event.lang, event.text, users)
            case _:
                pass

    def _readers(self, room: Room, message: Message) -> dict[str, frozenset[str]]:
        """Who on IRC does not understand a message, by the language they want it in."""
        if message.lang in ("und", "zxx", "") or not message.text:
            return {}
        found: dict[str, set[str]] = {}
        is_direct = room.kind == "direct"
        there = room.members if is_direct else self._telling.roster.present(room.id)
        for user in there:
            account = self._service.people.account(user) if user in self._who.visits else None
            if account is None or user == message.user or not account.langs:
                continue
            if not understands(account.langs, message.lang):
                found.setdefault(account.preferred or account.langs[0], set()).add(user)
        return {lang: frozenset(users) for lang, users in found.items()}

    async def _translate(
        self, room: Room, message: Message, lang: str, users: frozenset[str]
    ) -> None:
        try:
            made = await self._service.translator.translate(
                message.text, message.lang, lang, caller=min(users)
            )
        except TranslationFailure:
            # The original was told: nobody waits, and nothing is lost.
            return
        self._tell_once(room, message, lang, made.text, users)

    def _tell_once(
        self, room: Room, message: Message, lang: str, text: str, users: frozenset[str]
    ) -> None:
        if (message.id, lang) in self._told or text == message.text:
            return
        self._told[message.id, lang] = None
        if len(self._told) > _TOLD_LIMIT:
            self._told.popitem(last=False)
        said = self._telling.messages.said(room, message)
        told = Said(
            "",
            said.ts_ms,
            said.sender,
            f"\\[{lang}\\] {text}",
            said.room,
            said.to,
            said.kind,
            message.id,
            lang,
            {TRANSLATION_TAG: message.id},
            only_for=users,
        )
        self._tell(told)
