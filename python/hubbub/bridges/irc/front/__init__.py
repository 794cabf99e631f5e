"""The IRC front: ordinary clients in the rooms of a chat, by TCP, TLS and WebSocket."""

from hubbub.bridges.irc.front.face import Chat, ChatRefused
from hubbub.bridges.irc.front.front import Front, FrontOptions
from hubbub.bridges.irc.front.names import FrontInfo
from hubbub.bridges.irc.front.session import Session
from hubbub.bridges.irc.front.sessions import new_session
from hubbub.bridges.irc.front.webirc import Gateway

__all__ = [
    "Chat",
    "ChatRefused",
    "Front",
    "FrontInfo",
    "FrontOptions",
    "Gateway",
    "Session",
    "new_session",
]
