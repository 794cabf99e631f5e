"""A bot for the chat: signs in as a guest and answers whoever says its name.

python examples/bot.py http://127.0.0.1:8000/ Echo
"""

import asyncio
import json
import sys
import urllib.request
import uuid

import centrifuge

base, nick = sys.argv[1:]
form = urllib.request.Request(  # noqa: S310 - the address is ours
    base + "api/guest", json.dumps({"nick": nick}).encode()
)
form.add_header("Content-Type", "application/json")
with urllib.request.urlopen(form) as answer:  # noqa: S310 - the address is ours
    me, cookie = json.load(answer), answer.headers["Set-Cookie"].partition(";")[0]


class Lobby(centrifuge.SubscriptionEventHandler):
    async def on_publication(self, ctx: centrifuge.PublicationContext) -> None:  # noqa: D102
        message = ctx.pub.data.get("message", {})  # other events have none
        if me["user"] in message.get("mentions", ()):
            text = f"{message['nick']}, you said: {message['text']}"
            say = {"room": "lobby", "text": text, "kind": "notice", "replyTo": message["id"]}
            # Not awaited: this client hears no reply while it is in a handler.
            answers.append(loop.create_task(client.rpc("say", say | {"nonce": uuid.uuid4().hex})))


async def main() -> None:
    await client.new_subscription("room:lobby", events=Lobby()).subscribe()
    await client.connect()
    await asyncio.Event().wait()


loop = asyncio.new_event_loop()
answers: list[asyncio.Task[object]] = []
address = base.replace("http", "ws", 1) + "connection/websocket"
client = centrifuge.Client(address, headers={"Cookie": cookie}, loop=loop)
loop.run_until_complete(main())
