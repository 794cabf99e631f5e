"""What is served while its network is torn: streams that anyone may hear, and nobody may lose."""

import os

from hubbub import App
from hubbub.hub import Client, ConnectRequest, Hub, HubLimits, Welcome

KEY = "the key of the publishers"

app = App()
hub = Hub(
    app,
    allow_anonymous=True,
    ping_s=2,
    # All listeners are one user: whoever does not say more is an observer.
    limits=HubLimits(user_connections=0, user_command_rate=0),
    api_keys=(KEY,),
    storage=os.environ.get("CHAOS_STORAGE", "hubbub-data/chaos.sqlite3"),
)
hub.channel("stream:*", subscribe="anyone", history_limit=10_000, persistent=True)
hub.channel("room", subscribe="anyone", presence=True, join_leave=True)


@hub.on_connect
def welcome(client: Client, request: ConnectRequest) -> Welcome:
    """Members say who they are; nobody checks."""
    return Welcome(user=bytes(request.data).decode().strip('"') or "observer")
