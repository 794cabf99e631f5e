"""A board of typed messages: msgspec Structs as JSON, dispatched by their tag.

Connect to /board/garden?name=Ada, send {"type": "say", "text": "hello"}.

hubbub run examples/board.py:app
"""

from msgspec import Struct

from hubbub import App, Reject, Request, WebSocket

app = App()


class User(Struct):
    """Who is connected: becomes `ws.data`."""

    name: str


class Say(Struct, tag="say"):
    """From a client."""

    text: str


class Said(Struct, tag="said"):
    """To everybody at the board."""

    name: str
    text: str


def auth(req: Request) -> User:
    if "name" not in req.query:
        raise Reject(401, "say who you are: ?name=…")
    return User(req.query["name"])


board = app.channel("/board/{id}", auth=auth)


@board.on_open
def join(ws: WebSocket[User]) -> None:
    ws.subscribe(ws.params["id"])


@board.on
def say(ws: WebSocket[User], msg: Say) -> None:
    app.publish(ws.params["id"], Said(ws.data.name, msg.text))
