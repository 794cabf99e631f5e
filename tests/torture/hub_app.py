"""The app under attack, with a hub beside its raw topics: one kind of channel for each policy."""

from hubbub import Request
from hubbub.hub import Client, ConnectRequest, Hub, HubLimits, Welcome
from hubbub.hub.options import Slow
from tests.torture.app import app

POLICIES: tuple[Slow, ...] = ("close", "drop-newest", "drop-oldest", "conflate")

hub = Hub(app, ping_s=3600, limits=HubLimits(command_rate=200, user_command_rate=200))
for policy in POLICIES:
    hub.channel(f"{policy}.*", slow=policy, subscribe="anyone")
hub.channel("kept.*", subscribe="anyone", history_limit=1000, presence=True)
hub.channel("room.*", subscribe="anyone", publish="subscribers", presence=True, join_leave=True)


@hub.on_connect
def welcome(client: Client, request: ConnectRequest) -> Welcome:
    """Everybody is whom he says he is."""
    return Welcome(user=bytes(request.data).decode().strip('"'))


@app.post("/say/{channel}")
def say(
    request: Request, channel: str, count: int, size: int, first: int = 0, keys: int = 0
) -> dict[str, int]:
    """Publishes so many numbers, each with so much beside it; with keys, in turn under each."""
    beside = "x" * size
    for number in range(first, first + count):
        conflate = str(number % keys) if keys else None
        hub.publish(channel, [number, beside], conflate=conflate)
    return {"said": count}


@app.get("/hub-stats")
def hub_stats(request: Request) -> dict[str, int]:
    stats = hub.stats()
    return {name: getattr(stats, name) for name in stats.__dataclass_fields__}
