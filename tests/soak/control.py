"""A server that does nothing but send back what it is sent: how long waits are here at all.

A machine that is busy with something else makes everybody wait. What the soak judges is how much
longer ours lets them wait than this one does.
"""

import asyncio
import sys


async def serve() -> None:
    server = await asyncio.start_server(_echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    # Its end is that of whoever started it.
    await asyncio.to_thread(sys.stdin.read)


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while heard := await reader.read(4096):
        writer.write(heard)


if __name__ == "__main__":
    asyncio.run(serve())
