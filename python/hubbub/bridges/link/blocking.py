"""Who of a remote is not heard: the kill switch, by person, account or domain (pure)."""

from collections.abc import Iterable

from hubbub.bridges.link.remote import Person


class Blocks:
    """Those who are blocked.

    Args:
        who: Names, ids, accounts, hosts; a domain blocks all hosts below it.
    """

    def __init__(self, who: Iterable[str] = ()) -> None:
        self._who = {one.casefold() for one in who}

    def add(self, who: str) -> None:
        """Blocks somebody, or a domain."""
        self._who.add(who.casefold())

    def remove(self, who: str) -> None:
        """Lets them be heard again."""
        self._who.discard(who.casefold())

    def __contains__(self, person: Person) -> bool:
        if not self._who:
            return False
        named = (person.id, person.name, person.account)
        if any(one and one.casefold() in self._who for one in named):
            return True
        domain = person.domain.casefold()
        while domain:
            if domain in self._who:
                return True
            domain = domain.partition(".")[2]
        return False
