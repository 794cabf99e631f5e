"""websockets on uvloop: /echo, and /fan on its broadcast.

Usage: websockets_server.py PORT [deflate]
"""

import asyncio
import sys

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve

fan: set[ServerConnection] = set()


async def handler(connection: ServerConnection) -> None:
    if connection.request is not None and connection.request.path == "/fan":
        fan.add(connection)
        try:
            async for message in connection:
                broadcast(fan, message)
        finally:
            fan.discard(connection)
    else:
        async for message in connection:
            await connection.send(message)


async def main() -> None:
    compression = "deflate" if "deflate" in sys.argv else None
    async with serve(
        handler,
        "127.0.0.1",
        int(sys.argv[1]),
        compression=compression,
        max_size=2**24,
        backlog=4096,
    ):
        await asyncio.get_running_loop().create_future()


uvloop.run(main())
