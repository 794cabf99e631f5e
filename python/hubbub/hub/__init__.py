"""Channels with history, recovery, presence and permissions, on a wire that has clients already."""

from hubbub.hub.client import Client
from hubbub.hub.codes import Disconnected, End, Refused
from hubbub.hub.hub import Hub
from hubbub.hub.limits import HubLimits
from hubbub.hub.options import ChannelOptions
from hubbub.hub.publishing import Publishing
from hubbub.hub.rules import Grant, Welcome
from hubbub.hub.storage import StorageFailure
from hubbub.hub.tokens import Tokens
from hubbub.hub.wire import ConnectRequest
from hubbub.stats import HubStats

__all__ = [
    "ChannelOptions",
    "Client",
    "ConnectRequest",
    "Disconnected",
    "End",
    "Grant",
    "Hub",
    "HubLimits",
    "HubStats",
    "Publishing",
    "Refused",
    "StorageFailure",
    "Tokens",
    "Welcome",
]
