"""The chat with its bridges: `hubbub.apps.chat`, with doors for IRC's and XMPP's clients.

`hubbub` serves it when it is told nothing; without a word about bridges it is the chat alone.
"""

from hubbub.app import App
from hubbub.apps import chat
from hubbub.bridges.configured import Bridge, Bridges, checked
from hubbub.bridges.irc.chat import IrcSettings, add_irc
from hubbub.bridges.joining import add_bridges
from hubbub.bridges.xmpp.proxy import Proxy, ProxySettings

__all__ = ["Bridge", "Config", "app"]


class Config(chat.Config, frozen=True, forbid_unknown_fields=True):
    """The settings of a chat and its bridges."""

    irc: IrcSettings = IrcSettings()
    """Whether and where IRC's clients come in: see docs/irc.md."""

    xmpp: ProxySettings = ProxySettings()
    """Which XMPP servers clients in browsers reach through this one: see docs/xmpp.md."""

    bridges: Bridges = {}  # noqa: RUF012 - msgspec copies it
    """Other networks whose channels are rooms of the chat, by name: see docs/bridges.md."""

    def __post_init__(self) -> None:
        """Refuses what makes no sense."""
        super().__post_init__()
        checked(self.bridges)


def app(config: Config) -> App[chat.Config]:
    """A chat with these settings, and the bridges that they name."""
    made = chat.app(config)
    if config.irc.enabled:
        made.state.irc = add_irc(made, made.state.chat, config.irc)
    if config.xmpp.servers:
        made.state.xmpp = Proxy(config.xmpp)
        made.state.xmpp.install(made)
    add_bridges(made, made.state.chat, config.bridges)
    return made
