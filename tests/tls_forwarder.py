"""Plain on one side, TLS on the other: lets clients that know no TLS test a server that speaks it.

python -m tests.tls_forwarder PORT CA.pem    # prints the plain port
"""

import asyncio
import socket
import ssl
import sys
import threading
from contextlib import suppress


class Forwarder:
    """Listens in a thread of its own, and leads every connection to a TLS port of this machine."""

    def __init__(self, tls_port: int, authority: str) -> None:
        self._tls_port = tls_port
        self._context = ssl.create_default_context(cafile=authority)
        self._loop = asyncio.new_event_loop()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> "Forwarder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def wait(self) -> None:
        """Waits for its end, which does not come by itself."""
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(asyncio.start_server(self._lead, sock=self._listener))
        self._loop.run_forever()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner = await asyncio.open_connection(
            "127.0.0.1", self._tls_port, ssl=self._context, server_hostname="localhost"
        )
        there = asyncio.create_task(_copy(reader, inner))
        await _copy(inner_reader, writer)
        # TLS knows no half of a connection that is still open: the server's end is the end.
        there.cancel()
        for one in (writer, inner):
            one.close()
            with suppress(OSError):
                await one.wait_closed()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(1 << 16):
            sink.write(piece)
            await sink.drain()


if __name__ == "__main__":
    with Forwarder(int(sys.argv[1]), sys.argv[2]) as forwarder:
        print(forwarder.port, flush=True)
        forwarder.wait()
