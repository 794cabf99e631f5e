"""A session with all its commands: the one place that knows every file of them."""

from collections.abc import Callable

from hubbub.bridges.irc.front import (
    asking,
    channels,
    modes,
    monitoring,
    recalling,
    saying,
    whois,
)
from hubbub.bridges.irc.front.face import Chat
from hubbub.bridges.irc.front.hearing import hear
from hubbub.bridges.irc.front.names import FrontInfo
from hubbub.bridges.irc.front.session import Session, Surroundings
from hubbub.bridges.irc.front.showing import show_room
from hubbub.bridges.irc.front.webirc import Gateway
from hubbub.bridges.irc.line import Line

COMMANDS = {
    **asking.COMMANDS,
    **channels.COMMANDS,
    **modes.COMMANDS,
    **monitoring.COMMANDS,
    **recalling.COMMANDS,
    **saying.COMMANDS,
    **whois.COMMANDS,
}
"""Every command of those who are in."""


def new_session(
    chat: Chat,
    info: FrontInfo,
    *,
    now_ms: Callable[[], int],
    write: Callable[[Line], None],
    close: Callable[[], None],
    address: str = "",
    gateways: tuple[Gateway, ...] = (),
) -> Session:
    """One client's session.

    Args:
        chat: The chat.
        info: What the front says of itself.
        now_ms: The clock.
        write: Sends a line.
        close: Ends the connection when everything has left.
        address: From where the client comes.
        gateways: Who may say that it comes from elsewhere.
    """
    return Session(
        Surroundings(chat, info, now_ms, write, close, COMMANDS, hear, show_room, address, gateways)
    )
