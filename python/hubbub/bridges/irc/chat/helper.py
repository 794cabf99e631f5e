"""Who answers to the nick "hubbub": /msg hubbub lang fr,en."""

from collections.abc import Callable

from msgspec.structs import replace

from hubbub.apps.chat import ChatService
from hubbub.apps.chat.languages import checked_langs
from hubbub.apps.chat.refusals import Refused
from hubbub.bridges.irc.chat.spelling import HELPER
from hubbub.bridges.irc.chat.who import Who
from hubbub.bridges.irc.front.events import Event, Person, Said
from hubbub.translation import english_name

_HELP = (
    "lang fr,en: you read French best, and English; what is in another language comes translated,"
    " too. lang: what is set. lang off: nothing is translated."
)


class Helper:
    """Answers questions.

    Args:
        service: The chat.
        who: People, as IRC calls them.
        tell: Tells the front.
    """

    def __init__(self, service: ChatService, who: Who, tell: Callable[[Event], None]) -> None:
        self._service = service
        self._who = who
        self._tell = tell

    async def answer(self, person: Person, question: str) -> None:
        """Does what somebody asks, and tells them."""
        command, _, rest = question.strip().partition(" ")
        try:
            words = await self._lang(person, rest) if command.lower() == "lang" else _HELP
        except Refused as refused:
            words = refused.message
        now = self._service.now_ms()
        helper = self._who.person(HELPER)
        self._tell(Said("", now, helper, words, "", person.nick, "notice"))

    async def _lang(self, person: Person, wanted: str) -> str:
        account = self._service.people.account(person.user)
        if account is None:
            return "You are gone"
        if wanted.strip():
            self._service.slow("actions_per_user", person.user, 5)
            tags = tuple(wanted.replace(",", " ").split())
            langs, preferred = checked_langs(() if tags in (("off",), ("*",)) else tags, "")
            changed = replace(account, langs=langs, preferred=preferred)
            if changed != account:
                await self._service.profile.renew(account, changed)
            account = changed
        if not account.langs:
            return "You have set no languages: nothing is translated for you"
        names = ", ".join(map(english_name, account.langs))
        return f"You read {names}: what is in another language comes translated, too"
