"""The chat: rooms in which every person reads in their own language.

Serve it with `hubbub run hubbub.apps.chat:app`; what it speaks is in `PROTOCOL.md`.
"""

from hubbub.app import App
from hubbub.apps.chat.downloads import Downloads
from hubbub.apps.chat.page import add_page
from hubbub.apps.chat.profile import Profile
from hubbub.apps.chat.rooms import Rooms
from hubbub.apps.chat.service import ChatService
from hubbub.apps.chat.settings import Config, Limits
from hubbub.apps.chat.talking import Talking
from hubbub.apps.chat.visitors import Visitors

__all__ = ["ChatService", "Config", "Limits", "app"]


def app(config: Config) -> App[Config]:
    """A chat with these settings."""
    made: App[Config] = App(config=Config)
    made.configure(config)
    chat = ChatService(made, config)
    made.state.chat = chat
    chat.rooms, chat.talking = Rooms(chat), Talking(chat)
    chat.profile, chat.visitors = Profile(chat), Visitors(chat)
    Downloads(chat)
    add_page(made)
    return made
