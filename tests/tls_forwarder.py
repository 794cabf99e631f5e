"""Plain on one side, TLS on the other: lets clients that know no TLS test a server that speaks it.

python -m tests.tls_forwarder PORT CA.pem    # prints the plain port
"""

import asyncio
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress


class Forwarder:
    """Listens in a thread of its own, and leads every connection to a TLS port of this machine."""

    def __init__(self, tls_port: int, authority: str) -> None:
        self._tls_port = tls_port
        self._context = ssl.create_default_context(cafile=authority)
        self._end: Callable[[], object] | None = None
        self._begun = threading.Event()
        self._leading: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self.port = 0

    def __enter__(self) -> "Forwarder":
        self._thread.start()
        assert self._begun.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._end is not None
        self._end()
        self._thread.join()

    def wait(self) -> None:
        """Waits for its end, which does not come by itself."""
        self._thread.join()

    async def _serve(self) -> None:
        loop, end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._led, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self._end = lambda: loop.call_soon_threadsafe(end.set)
        self._begun.set()
        await end.wait()
        server.close()
        # Whoever was accepted last is served only some turns later, and closes nothing before.
        for _ in range(5):
            await asyncio.sleep(0)
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    def _led(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The loop keeps none: one whose client says no more would be collected while it waits.
        task = asyncio.create_task(self._lead(reader, writer))
        self._leading.add(task)
        task.add_done_callback(self._leading.discard)

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            inner_reader, inner = await asyncio.open_connection(
                "127.0.0.1", self._tls_port, ssl=self._context, server_hostname="localhost"
            )
            there = asyncio.create_task(_copy(reader, inner))
            try:
                await _copy(inner_reader, writer)
            finally:
                # TLS knows no connection of which one half is open: the server's end is the end.
                there.cancel()
                inner.transport.abort()
        writer.close()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(1 << 16):
            sink.write(piece)
            await sink.drain()


if __name__ == "__main__":
    with Forwarder(int(sys.argv[1]), sys.argv[2]) as forwarder:
        print(forwarder.port, flush=True)
        forwarder.wait()
