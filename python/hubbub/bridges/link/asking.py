"""`Asking`: people of a remote who say what they read, and get translations of what they do not."""

from collections import OrderedDict

from hubbub.apps.chat import ChatService
from hubbub.apps.chat.languages import checked_langs
from hubbub.apps.chat.message import Message
from hubbub.apps.chat.refusals import Refused
from hubbub.bridges.link import remote as net
from hubbub.bridges.link.ledger import Ledger
from hubbub.bridges.link.people import People
from hubbub.translation import TranslationFailure, english_name, understands

HELP = (
    "lang fr,en: you read French best, and English; what is in another language comes translated,"
    " too. lang: what is set. lang off: nothing is translated."
)
_READERS_LIMIT = 1_000
"""How many may have set their languages; who has not asked for longest is forgotten."""


class Asking:
    """Answers people of one remote, and translates for them.

    Args:
        service: The chat.
        bridge: The bridge's name.
        people: Who is there.
        ledger: What they have set.
        remote: Where they are told.
    """

    def __init__(
        self, service: ChatService, bridge: str, people: People, ledger: Ledger, remote: net.Remote
    ) -> None:
        self._service = service
        self._bridge = bridge
        self._people = people
        self._ledger = ledger
        self._remote = remote
        self._langs: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    def open(self) -> None:
        """Learns what was set."""
        self._langs.update(self._ledger.langs(self._bridge))

    def answer(self, asked: net.Asked) -> None:
        """Does what somebody asks, and tells them."""
        command, _, rest = asked.text.strip().partition(" ")
        try:
            words = self._lang(asked.person.id, rest) if command.lower() == "lang" else HELP
        except Refused as refused:
            words = refused.message
        self._remote.whisper(net.Whisper(asked.person.id, "", words))

    def _lang(self, person: str, wanted: str) -> str:
        if wanted.strip():
            tags = tuple(wanted.replace(",", " ").split())
            langs, _ = checked_langs(() if tags in (("off",), ("*",)) else tags, "")
            self._langs.pop(person, None)
            if langs:
                self._langs[person] = langs
                if len(self._langs) > _READERS_LIMIT:
                    self._ledger.set_langs(self._bridge, self._langs.popitem(last=False)[0], ())
            self._ledger.set_langs(self._bridge, person, langs)
        langs = self._langs.get(person, ())
        if not langs:
            return "You have set no languages: nothing is translated for you"
        names = ", ".join(map(english_name, langs))
        return f"You read {names}: what is in another language comes translated, too"

    def heard(self, channel: str, message: Message) -> None:
        """Sees to it that those in a channel who have asked for it understand a message."""
        if not self._langs or message.lang in ("und", "zxx", "") or not message.text:
            return
        readers: dict[str, list[str]] = {}
        for person, langs in self._langs.items():
            visitor = self._people.roster.visitors.get(person)
            if visitor is None or channel not in visitor.wanted or visitor.user == message.user:
                continue
            if not understands(langs, message.lang):
                readers.setdefault(langs[0], []).append(person)
        for lang, people in readers.items():
            self._service.app.spawn(self._translate(channel, message, lang, people))

    async def _translate(
        self, channel: str, message: Message, lang: str, people: list[str]
    ) -> None:
        try:
            made = await self._service.translator.translate(
                message.text, message.lang, lang, caller=f"{self._bridge}:{min(people)}"
            )
        except TranslationFailure:
            # The original was told: nothing is lost.
            return
        if made.text == message.text:
            return
        nick = message.via.name if message.via is not None else message.nick
        original = (f"<{nick}> {message.text}", message.lang)
        for person in people:
            told = net.Whisper(person, channel, f"<{nick}> {made.text}", lang, original)
            self._remote.whisper(told)
