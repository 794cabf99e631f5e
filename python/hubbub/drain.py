"""How a server that stops takes leave: at what pace connections are closed, and until when to wait.

Closing everybody at once would bring everybody back at once. Knows nothing of sockets, listening
ones least of all (see `server`).
"""

import asyncio
from math import ceil
from typing import Protocol

from hubbub.log import logger

STEP_S = 0.02
"""How often the next few are closed, and how soon the end of the last one is noticed."""

PORTION = 256
"""How many are closed at most before others have their turn: a fraction of a millisecond each."""

PACE_PER_S = 500
"""Closes per second that need no spreading: of few connections, leave is taken quickly."""


PATIENCE_S = 2.0
"""How long a connection that has just come may take to ask; who stops at once grants nothing."""

LAST_WORDS_S = 1.0
"""How long handlers that are cancelled may take to end."""


class Leaving(Protocol):
    """What an engine offers to those who end it."""

    @property
    def accepted(self) -> int:
        """How many connections are left."""
        ...

    @property
    def handlers(self) -> int:
        """How many handlers have not ended."""
        ...

    def begin_drain(self, patience_s: float) -> int:
        """No new requests on old connections; tells how many are to be closed or ended."""
        ...

    def close_portion(self, count: int, code: int, reason: str) -> int:
        """Closes and ends so many of them at most; tells how many are left."""
        ...

    def drop_accepted(self) -> None:
        """Drops every connection."""
        ...

    def cancel_handlers(self) -> None:
        """Cancels the handlers that have not ended."""
        ...


def portion(left: int, left_s: float) -> int:
    """How many to close now, so that all are closed when the time is over (pure).

    Args:
        left: How many are still to be closed.
        left_s: How much time there is still.
    """
    if left_s <= STEP_S:
        return PORTION
    return min(PORTION, ceil(left * STEP_S / left_s))


def window_s(count: int, longest_s: float) -> float:
    """Over how much time to spread so many closes (pure)."""
    return min(longest_s, count / PACE_PER_S)


async def drain(
    engine: Leaving, code: int, reason: str, longest_s: float, timeout_s: float
) -> bool:
    """Closes every connection, spread over a window, and waits for them and their handlers.

    Args:
        engine: Whose connections they are.
        code: The close code for WebSockets.
        reason: The words with it.
        longest_s: The window, in seconds; for few connections it is shorter.
        timeout_s: How long to wait for the last ones after it.

    Returns:
        Whether all have ended in time.
    """
    loop = asyncio.get_running_loop()
    left = engine.begin_drain(PATIENCE_S if longest_s else 0.0)
    window_end = loop.time() + window_s(left, longest_s)
    end = window_end + timeout_s
    # Once in a server's life: not worth a callback from the engine.
    while engine.accepted or engine.handlers:
        now = loop.time()
        if now >= end:
            await _force(engine, loop)
            return False
        # Also with nobody left to close: a handshake that was under way may add somebody.
        left = engine.close_portion(portion(max(left, 1), window_end - now), code, reason)
        is_late = left and now >= window_end
        await asyncio.sleep(0 if is_late else STEP_S)
    return True


async def _force(engine: Leaving, loop: asyncio.AbstractEventLoop) -> None:
    """Nobody is waited for any longer; but what handlers do in their `finally` may be short."""
    logger.warning(
        "did not end in time: %d connections, %d handlers", engine.accepted, engine.handlers
    )
    engine.drop_accepted()
    engine.cancel_handlers()
    # Who hears of an end hears of it now, while what they may need is still there.
    await asyncio.sleep(0)
    end = loop.time() + LAST_WORDS_S
    while engine.handlers and loop.time() < end:  # noqa: ASYNC110 - see `drain`
        await asyncio.sleep(STEP_S)
