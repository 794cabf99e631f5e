"""What is measured of the hub, and beside it the fan-out without one."""

import os

from hubbub import App, WebSocket
from hubbub.hub import Client, Hub, HubLimits

app = App()
# Commands are counted as ever; only nobody is ever too fast.
limits = HubLimits(command_rate=0, user_command_rate=0, publish_rate=0, user_publish_rate=0)
hub = Hub(app, secret=os.environ["BENCH_SECRET"], limits=limits)
hub.channel("news", history_limit=1000, subscribe="anyone", publish="anyone")
hub.channel("room:*", history_limit=100, presence=True)
hub.channel("desk:*", history_limit=100, publish="anyone")


@hub.authorize("room:*")
def may_enter(client: Client, channel: str) -> bool:
    """Whoever has said who they are."""
    return client.user != ""


def join(ws: WebSocket) -> None:
    """Everybody who comes hears everything."""
    ws.subscribe("fan")


@app.message("/fan", on_open=join)
def fan(ws: WebSocket, msg: str | bytes) -> None:
    """The raw fan-out: what is said is what is sent."""
    app.publish("fan", msg)


@app.message("/echo")
def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    """What an answer costs without a hub."""
    return msg
