"""Many members of one room, who come as fast as they can, and leave when they are told to.

Usage: members.py URL FIRST COUNT. Prints "in" when all are, reads a line, leaves, prints "out".
"""

import asyncio
import json
import sys

import hubbub

AT_A_TIME = 100


async def _main(url: str, first: int, count: int) -> None:
    sockets: list[hubbub.WebSocket[None]] = []
    gate = asyncio.Semaphore(AT_A_TIME)

    async def come(number: int) -> None:
        async with gate:
            ws = await hubbub.connect(url)
            hello = {"id": 1, "connect": {"data": f"user{number}"}}
            ws.send(json.dumps(hello) + '\n{"id":2,"subscribe":{"channel":"room"}}')
            while '"subscribe"' not in str(await ws.recv()):
                pass
            sockets.append(ws)

    await asyncio.gather(*(come(number) for number in range(first, first + count)))
    print("in", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for ws in sockets:
        ws.close()
    await asyncio.gather(*(ws.wait_closed() for ws in sockets))
    print("out", flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=hubbub.new_event_loop) as runner:
        runner.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
