"""`Support`: what a server says of itself in 005 (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass

from hubbub.bridges.irc.casemapping import CaseMapping, folded, known


@dataclass
class Support:
    """What holds on one server; until it says otherwise, what has always held."""

    casemapping: CaseMapping = "rfc1459"
    prefixes: str = "@+"
    """The signs before the nicks of operators and their like."""

    nick_limit: int = 9
    topic_limit: int = 390
    network: str = ""

    def learn(self, tokens: Sequence[str]) -> None:
        """Takes the parameters of one 005, without our nick and the sentence at the end."""
        for token in tokens:
            name, _, value = token.partition("=")
            match name.upper():
                case "CASEMAPPING":
                    self.casemapping = known(value)
                case "PREFIX" if ")" in value:
                    self.prefixes = value.partition(")")[2]
                case "NICKLEN" | "MAXNICKLEN" if value.isdigit():
                    self.nick_limit = max(1, min(int(value), 64))
                case "TOPICLEN" if value.isdigit():
                    self.topic_limit = min(int(value), 450)
                case "NETWORK":
                    self.network = value
                case _:
                    pass

    def folded(self, name: str) -> str:
        """A name as it is compared here."""
        return folded(name, self.casemapping)
