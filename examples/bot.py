"""A bot for the chat: signs in as a guest and answers whoever says its name.

python examples/bot.py http://127.0.0.1:8000/ Echo
"""

import asyncio
import json
import sys
import urllib.request
import uuid

import centrifuge


class Room(centrifuge.SubscriptionEventHandler):
    async def on_publication(self, ctx: centrifuge.PublicationContext) -> None:
        message = ctx.pub.data.get("message")  # other events than messages have none
        if message and me["user"] in message.get("mentions", ()):
            answer = f"{message['nick']}, you said: {message['text']}"
            say = {"room": "lobby", "text": answer, "nonce": uuid.uuid4().hex, "kind": "notice"}
            await client.rpc("say", say | {"lang": message["lang"], "replyTo": message["id"]})


body, fields = json.dumps({"nick": sys.argv[2]}).encode(), {"Content-Type": "application/json"}
with urllib.request.urlopen(urllib.request.Request(sys.argv[1] + "api/guest", body, fields)) as ok:
    me, cookie = json.load(ok), ok.headers["Set-Cookie"].partition(";")[0]


async def main() -> None:
    global client
    url = sys.argv[1].replace("http", "ws", 1) + "connection/websocket"
    client = centrifuge.Client(url, headers={"Cookie": cookie})
    await client.new_subscription("room:lobby", events=Room()).subscribe()
    await client.connect()
    await asyncio.Event().wait()


asyncio.run(main())
