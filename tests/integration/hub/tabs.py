"""A hub that tabs of one browser share, and the files of their page."""

import asyncio
import os

from hubbub import App, Request
from hubbub.hub import Client, ConnectRequest, Hub, Welcome

app = App()
hub = Hub(app)
hub.channel("room:*", subscribe="anyone", presence=True, history_limit=10)
app.static("/", os.environ["PAGE_FOLDER"])
began: list[str] = []


@hub.on_connect
def welcome(client: Client, request: ConnectRequest) -> Welcome:
    return Welcome(user="ada")


@hub.rpc
async def never(client: Client, params: None) -> None:
    """Is not answered."""
    hub.publish("room:a", "asked")
    await asyncio.Event().wait()


@hub.rpc
async def say(client: Client, params: dict[str, str]) -> None:
    """Says it once, and answers from the second time on."""
    hub.publish("room:a", params["text"], key=params["key"])
    began.append(params["key"])
    if len(began) == 1:
        await asyncio.Event().wait()


@app.get("/present/{channel}")
def present(request: Request, channel: str) -> str:
    return f"{hub.presence(channel)[0]} {len(hub.clients())}"
