"""A session with all its commands: the one place that knows every file of them."""

from collections.abc import Callable

from hubbub.bridges.irc.front import asking, channels, recalling
from hubbub.bridges.irc.front.face import Chat
from hubbub.bridges.irc.front.hearing import hear
from hubbub.bridges.irc.front.names import FrontInfo
from hubbub.bridges.irc.front.session import Session, Surroundings
from hubbub.bridges.irc.line import Line

COMMANDS = {**asking.COMMANDS, **channels.COMMANDS, **recalling.COMMANDS}
"""Every command of those who are in."""


def new_session(
    chat: Chat,
    info: FrontInfo,
    *,
    now_ms: Callable[[], int],
    write: Callable[[Line], None],
    close: Callable[[], None],
) -> Session:
    """One client's session.

    Args:
        chat: The chat.
        info: What the front says of itself.
        now_ms: The clock.
        write: Sends a line.
        close: Ends the connection when everything has left.
    """
    return Session(Surroundings(chat, info, now_ms, write, close, COMMANDS, hear))
