"""Servers that are not ours and say what a test wants, of which nothing is left when it ends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def stranger(talk: Talk) -> AsyncIterator[int]:
    """A TCP server on this machine; its port.

    A connection ends when its talk does, and at the latest with the context: a client's goodbye
    may come when the loop has ended, and its socket would be left for whoever collects garbage.

    Args:
        talk: What it does with each connection; that this breaks off is no failure.
    """
    talks: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
    failures: list[BaseException] = []

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                await talk(reader, writer)
            finally:
                writer.close()
                await writer.wait_closed()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(attend(reader, writer))
        talks[task] = writer
        task.add_done_callback(ended)

    def ended(task: asyncio.Task[None]) -> None:
        del talks[task]
        if not task.cancelled() and (failure := task.exception()) is not None:
            failures.append(failure)

    server = await asyncio.start_server(accepted, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task, writer in talks.items():
            writer.transport.abort()
            task.cancel()
        if talks:
            await asyncio.wait(list(talks))
    if failures:
        raise BaseExceptionGroup("while talking", failures)
