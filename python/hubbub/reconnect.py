"""Coming back whenever a connection ends: `async for ws in hubbub.connect(url)`.

How long to wait is `backoff`'s; opening one connection is `client`'s.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

from hubbub._core import WebSocket
from hubbub.backoff import delay_s, is_steady, may_pass, retry_after_s
from hubbub.errors import HandshakeRejected
from hubbub.log import logger


async def connections(
    open_one: Callable[[], AbstractAsyncContextManager[WebSocket[None]]],
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    dice: Callable[[], float] = random.random,
) -> AsyncIterator[WebSocket[None]]:
    """Connections, one after the other, for ever.

    Args:
        open_one: Begins one, to be entered.
        sleep: Waits so many seconds.
        dice: A random number from 0 to 1.

    Raises:
        HandshakeRejected: With a status that will not change, such as 401 or 404.
    """
    attempt = 0
    while True:
        asked_s = 0.0
        try:
            async with open_one() as ws:
                began_s = asyncio.get_running_loop().time()
                yield ws
                lasted_s = asyncio.get_running_loop().time() - began_s
        except Exception as error:
            if not may_pass(error):
                raise
            attempt += 1
            why = str(error)
            if isinstance(error, HandshakeRejected):
                asked_s = retry_after_s(error.headers, datetime.now(UTC))
        else:
            attempt = 0 if is_steady(lasted_s, ws.closed_by) else attempt + 1
            why = f"{ws.close_code} {ws.close_reason}".rstrip()
        # What was asked for, and jitter: the others have been asked for the same.
        wait_s = asked_s + delay_s(attempt, dice())
        logger.info("connecting again in %.1f s: %s", wait_s, why)
        await sleep(wait_s)
