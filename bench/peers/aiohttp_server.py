"""aiohttp on uvloop: /echo, and /fan as a loop over all sockets.

Usage: aiohttp_server.py PORT [deflate]
"""

import sys

import uvloop
from aiohttp import WSMsgType, web

compress = "deflate" in sys.argv
fan: set[web.WebSocketResponse] = set()


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=compress, max_msg_size=2**24)
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await socket.send_bytes(message.data)
    return socket


async def publish(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(compress=compress, max_msg_size=2**24)
    await socket.prepare(request)
    fan.add(socket)
    try:
        async for message in socket:
            payload = message.data.encode()
            for other in tuple(fan):
                await other.send_frame(payload, WSMsgType.TEXT)
    finally:
        fan.discard(socket)
    return socket


app = web.Application()
app.add_routes([web.get("/echo", echo), web.get("/fan", publish)])
web.run_app(
    app,
    host="127.0.0.1",
    port=int(sys.argv[1]),
    loop=uvloop.new_event_loop(),
    access_log=None,
    print=None,
    backlog=4096,
)
