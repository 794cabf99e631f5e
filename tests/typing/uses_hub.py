"""A user's hub: channels, permissions, procedures. Checked, never run."""

import os
from typing import assert_type

from msgspec import Struct

from hubbub import App, Request
from hubbub.hub import (
    ChannelOptions,
    Client,
    ConnectRequest,
    Disconnected,
    End,
    Grant,
    Hub,
    HubLimits,
    HubStats,
    Publishing,
    Refused,
    StorageFailure,
    Tokens,
    Welcome,
)


class Say(Struct):
    text: str


app = App()
hub = Hub(
    app,
    "/connection",
    tokens=Tokens(secret=os.environ["TOKEN_SECRET"]),
    allow_anonymous=True,
    ping_s=20,
    api_keys=("key",),
    storage="data/history.sqlite3",
    limits=HubLimits(user_connections=8, publish_rate=20),
    origins=("https://example.org",),
)
other = Hub(App(), secret="a secret of at least 32 characters")
declared = hub.channel("room:*", history_limit=100, presence=True, join_leave=True)
assert_type(declared, ChannelOptions)


@hub.authorize("room:*")
async def may_enter(client: Client, channel: str) -> Grant | bool:
    if client.user == "":
        raise Refused(103, "log in first")
    return Grant(info={"name": client.user})


@hub.on_connect
def connected(client: Client, request: ConnectRequest) -> Welcome | None:
    print(request.name, request.version)
    return Welcome(user="ada", channels=("news",), data={"motd": "hello"})


@hub.on_subscribe
def subscribed(client: Client, channel: str) -> None:
    print(client.id, client.channels, channel)


@hub.on_publish
def published(client: Client, channel: str, data: Say) -> Say:
    return data


@hub.on_message
def heard(client: Client, data: Say) -> None:
    client.send({"heard": data.text})


@hub.on_disconnect
def gone(client: Client) -> None:
    print(client.user)


@hub.rpc
def whoami(client: Client) -> str:
    return client.user


@hub.rpc("say")
async def say(client: Client, params: Say) -> None:
    publishing = hub.publish("room:1", params, tags={"by": client.user}, key="once")
    assert_type(publishing, Publishing)
    try:
        offset, epoch = await publishing
    except StorageFailure:
        raise Refused(100, "not stored", temporary=True) from None
    print(offset, epoch, publishing.is_done, publishing.place)


@app.post("/rights/{user}")
async def rights_changed(req: Request, user: str) -> int:
    assert_type(hub.stats(), HubStats)
    return await hub.recheck(user) if hub.is_served else 0


@app.get("/kick/{user}")
def kick(req: Request, user: str) -> dict[str, int]:
    hub.broadcast(("room:1", "room:2"), {"kicked": user})
    hub.unsubscribe(user, "room:1", End(2500, "kicked"))
    hub.disconnect(user, Disconnected(4500, "banned"))
    for client in hub.clients(user):
        client.unsubscribe("room:2")
        client.disconnect()
        client.subscribe("room:3", info={"by": "the server"})
    hub.subscribe(user, "room:4")
    hub.forget("room:1")
    clients, users = hub.presence("room:1")
    assert_type(hub.clients(), tuple[Client, ...])
    return {"clients": clients, "users": users}
