"""The chat's rooms as channels of IRC: joins `hubbub.apps.chat` to the front."""

from hubbub.bridges.irc.chat.entrance import add_irc
from hubbub.bridges.irc.chat.house import House
from hubbub.bridges.irc.chat.settings import GatewaySettings, IrcSettings

__all__ = ["GatewaySettings", "House", "IrcSettings", "add_irc"]
