"""What is served while its network is torn: streams that anyone may hear, and nobody may lose."""

import os

from hubbub import App
from hubbub.hub import Client, ConnectRequest, Hub, Welcome

KEY = "the key of the publishers"

app = App()
hub = Hub(
    app,
    allow_anonymous=True,
    ping_s=2,
    api_keys=(KEY,),
    storage=os.environ.get("CHAOS_STORAGE", "hubbub-data/chaos.sqlite3"),
)
hub.channel("stream:*", subscribe="anyone", history_limit=10_000, persistent=True)
hub.channel("room", subscribe="anyone", presence=True, join_leave=True)


@hub.on_connect
def welcome(client: Client, request: ConnectRequest) -> Welcome:
    """Members say who they are; nobody checks."""
    return Welcome(user=bytes(request.data).decode().strip('"') or "observer")
