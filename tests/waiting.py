"""Waiting for what nobody tells of."""

import asyncio
from collections.abc import Callable


async def until(holds: Callable[[], object], *, within_s: float = 5.0) -> None:
    """Waits until something is so.

    Raises:
        TimeoutError: It is not, within that time.
    """
    async with asyncio.timeout(within_s):
        while not holds():
            await asyncio.sleep(0.001)
