"""Many people in the lobby, most of whom listen; prints how long messages took to reach them.

Usage: chat_crowd.py PORT FIRST COUNT SPEAKERS RATE SECONDS. Prints "in" when all are, reads a line,
talks, and prints its figures as JSON. Delays are measured against the clock that `say` was called
by, which all processes of a machine share.
"""

import asyncio
import json
import sys
import time
from typing import Any

import hubbub
from hubbub.testing.http import ask

AT_A_TIME = 20
LAG_S = 3.0


async def _come(port: int, number: int) -> hubbub.WebSocket[None]:
    fields = {"content-type": "application/json"}
    body = json.dumps({"nick": f"visitor{number}", "langs": ["en"]}).encode()
    answer = await ask("127.0.0.1", port, "POST", "/api/guest", fields, body)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    url = f"ws://127.0.0.1:{port}/connection/websocket"
    ws: hubbub.WebSocket[None] = await hubbub.connect(url, headers={"cookie": cookie})
    ws.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"room:lobby"}}')
    while '"subscribe"' not in str(await ws.recv()):
        pass
    return ws


async def _main(
    port: int, first: int, count: int, speakers: int, rate: float, length: float
) -> None:
    sockets: list[hubbub.WebSocket[None]] = []
    listening: list[asyncio.Future[None]] = []
    gate = asyncio.Semaphore(AT_A_TIME)
    delays: list[float] = []
    refused = 0

    async def listen(ws: hubbub.WebSocket[None]) -> None:
        nonlocal refused
        async for frame in ws.text():
            now = time.time()
            for line in frame.split("\n"):
                if line == "{}":
                    ws.send("{}")
                elif '"said at ' in line:
                    if line.startswith('{"push"'):
                        at = line.partition('"said at ')[2].partition(" ")[0]
                        delays.append(now - float(at))
                elif '"error"' in line:
                    refused += 1

    async def come(number: int) -> None:
        async with gate:
            ws = await _come(port, number)
            sockets.append(ws)
            # From now on: who does not answer pings while the others come is sent away.
            listening.append(asyncio.ensure_future(listen(ws)))

    await asyncio.gather(*(come(number) for number in range(first, first + count)))
    print("in", flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    delays.clear()
    said, begin = 0, loop.time()
    while speakers and loop.time() < begin + length:
        said += 1
        text = f"said at {time.time():.6f} and some more words to make a line of a usual length"
        data: dict[str, Any] = {"room": "lobby", "text": text, "nonce": f"{first}-{said}"}
        call = {"id": said + 10, "rpc": {"method": "say", "data": data}}
        sockets[said % speakers].send(json.dumps(call))
        await asyncio.sleep(max(0.0, begin + said / rate - loop.time()))
    if not speakers:
        await asyncio.sleep(length)
    await asyncio.sleep(LAG_S)
    # Tenths of a millisecond: a line of nearly a million delays has to fit its reader.
    found = sorted(round(one, 4) for one in delays)
    print(json.dumps({"said": said, "refused": refused, "delays": found}), flush=True)
    for one in listening:
        one.cancel()
    for ws in sockets:
        ws.close()


if __name__ == "__main__":
    arguments = [int(one) for one in sys.argv[1:]]
    with asyncio.Runner(loop_factory=hubbub.new_event_loop) as runner:
        runner.run(_main(*arguments))
