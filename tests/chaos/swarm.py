"""Many of Centrifugo's Python clients; each notes what it hears. Prints what it found as JSON.

Usage: swarm.py URL FIRST COUNT CHANNELS
"""

import asyncio
import json
import sys
from typing import Any

import centrifuge


class Ear(centrifuge.SubscriptionEventHandler):
    """What one client has heard."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self.ended = asyncio.Event()
        self.subscribed = asyncio.Event()
        self.unrecovered = 0
        self.recovered = 0

    async def on_subscribed(self, ctx: Any) -> None:
        """Counts recoveries, and those that failed."""
        self.subscribed.set()
        if ctx.was_recovering:
            self.recovered += ctx.recovered
            self.unrecovered += not ctx.recovered

    async def on_publication(self, ctx: Any) -> None:
        """Notes a number; 0 is the end."""
        if ctx.pub.data == 0:
            self.ended.set()
        else:
            self.heard.append(ctx.pub.data)


async def _main(url: str, first: int, count: int, channels: int) -> None:
    ears: list[Ear] = []
    clients: list[centrifuge.Client] = []
    for number in range(first, first + count):
        ear = Ear()
        client = centrifuge.Client(
            f"{url}?n={number}",
            min_reconnect_delay=0.2,
            max_reconnect_delay=1.0,
            max_server_ping_delay=1.5,
        )
        subscription = client.new_subscription(
            f"stream:{number % channels}", events=ear, min_resubscribe_delay=0.2
        )
        await client.connect()
        await subscription.subscribe()
        ears.append(ear)
        clients.append(client)
    for ear in ears:
        await ear.subscribed.wait()
    print("ready", flush=True)
    for ear in ears:
        await ear.ended.wait()
    print(
        json.dumps(
            {
                "heard": [_summary(ear.heard) for ear in ears],
                "recovered": sum(ear.recovered for ear in ears),
                "unrecovered": sum(ear.unrecovered for ear in ears),
            }
        ),
        flush=True,
    )
    for client in clients:
        await client.disconnect()


def _summary(heard: list[int]) -> list[int]:
    """How many, the last, and how many were not the next one."""
    wrong = sum(number != before + 1 for before, number in zip([0, *heard], heard, strict=False))
    return [len(heard), heard[-1] if heard else 0, wrong]


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], *map(int, sys.argv[2:5])))
