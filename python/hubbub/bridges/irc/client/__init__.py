"""A client of IRC that joins rooms of the chat to channels of any network."""

from hubbub.bridges.irc.client.remote import IrcRemote
from hubbub.bridges.irc.client.settings import IrcBridge

__all__ = ["IrcBridge", "IrcRemote"]
