"""What the examples of the clients' documentation expect of a server, and a way to ask it for it.

Tokens are had over HTTP, as an application's login would give them; what else a server does by
itself (publish, subscribe somebody, send him away) is done when a client asks for it by rpc.
"""

import time
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import OctKey

from hubbub import App, Request
from hubbub.errors import Reject
from hubbub.hub import Client, ConnectRequest, Grant, Hub, Refused, Welcome

SECRET = "a secret of more than sixteen bytes"


def signed(user: str, lifetime_s: float, **claims: object) -> str:
    """A token as a login makes it."""
    said = {"sub": user, "exp": int(time.time() + lifetime_s), **claims}
    return jwt.encode({"alg": "HS256"}, said, OctKey.import_key(SECRET))


class Say(msgspec.Struct):
    """What the server shall publish."""

    channel: str
    data: Any
    count: int = 1


def documented() -> tuple[App, Hub]:
    """An app and its hub."""
    app = App()
    hub = Hub(app, secret=SECRET, ping_s=1)
    everything: dict[str, Any] = {
        "history_limit": 100,
        "presence": True,
        "join_leave": True,
        "publish": "subscribers",
    }
    hub.channel("news", subscribe="anyone", **everything)
    hub.channel("news:*", subscribe="anyone", **everything)
    hub.channel("private:*", **everything)
    hub.channel("bare", subscribe="anyone", publish="anyone")
    hub.channel("price", subscribe="anyone", history_limit=1, cache=True)
    hub.channel("document", subscribe="anyone", history_limit=10, delta=True)
    hub.channel("personal:*", history_limit=100, join_leave=True)
    sent: list[Any] = []
    seen: dict[str, Any] = {}

    @app.get("/token/{user}")
    def token(request: Request, user: str, lifetime: float = 60, channel: str = "") -> str:
        if user == "nobody":
            raise Reject(403, "not logged in")
        return signed(user, lifetime, **({"channel": channel} if channel else {}))

    @hub.on_connect
    def welcome(client: Client, request: ConnectRequest) -> Welcome:
        seen.update(
            data=msgspec.json.decode(request.data or b"null"),
            name=request.name,
            version=request.version,
            headers=request.headers,
        )
        channels = ("personal:ada",) if client.user == "ada" else ()
        return Welcome(data={"hello": client.user}, channels=channels)

    @hub.authorize("asks:*")
    async def asks(client: Client, channel: str) -> Grant:
        return Grant(data={"asked": msgspec.json.decode(client.asking or b"null")})

    @hub.on_message
    def message(client: Client, data: Any) -> None:
        sent.append(data)
        client.send({"echo": data})

    @hub.rpc("my.method.name")
    async def method(client: Client, params: dict[str, Any]) -> dict[str, Any]:
        if "input" not in params:
            raise Refused(400, "no input")
        return {"output": params["input"]}

    @hub.rpc
    async def say(client: Client, what: Say) -> None:
        for number in range(what.count):
            await hub.publish(what.channel, what.data if what.count == 1 else number)

    @hub.rpc
    def last_connect(client: Client) -> dict[str, Any]:
        return seen

    @hub.rpc
    def enrol(client: Client, channel: str) -> None:
        client.subscribe(channel, data={"reason": "you are welcome"})

    @hub.rpc
    def expel(client: Client, channel: str) -> None:
        client.unsubscribe(channel)

    @hub.rpc
    def forget(client: Client, channel: str) -> None:
        hub.forget(channel)

    @hub.rpc
    def kick(client: Client) -> None:
        client.disconnect()

    return app, hub
