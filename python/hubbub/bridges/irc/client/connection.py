"""`Connection`: one connection to a server of IRC: lines in, lines out at the pace it allows.

What the lines mean is `session`'s. A server that says nothing is asked whether it lives.
"""

import asyncio
import ssl
from collections.abc import Callable

from hubbub.bridges.irc.client.sending import Bucket, Out, Sending
from hubbub.bridges.irc.cutting import Cutter
from hubbub.bridges.irc.line import TAGS_LIMIT_BYTES, BadLine, Line, encode, parse
from hubbub.errors import Misuse
from hubbub.log import logger

CONNECT_S = 20.0
SILENCE_S = 120.0
"""After so much silence the server is asked."""

PATIENCE_S = 60.0
"""How long it may take to answer."""

_CHUNK = 65_536
ALIVE = "hubbub-alive"


class Lost(Exception):
    """The connection is gone."""


class Connection:
    """One connection.

    Args:
        reader: What comes.
        writer: What goes.
        bucket: How fast lines may go.
        sending: Told before a line of a delivery is written.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        bucket: Bucket,
        sending: Callable[[Out], None],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._sending = sending
        self._queue = Sending(bucket)
        self._has_more = asyncio.Event()

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        tls: ssl.SSLContext | None,
        bucket: Bucket,
        sending: Callable[[Out], None],
    ) -> "Connection":
        """Connects.

        Raises:
            Lost: There is no way.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=_CHUNK)
        except TimeoutError:
            raise Lost(f"no connection within {CONNECT_S:.0f} s") from None
        except OSError as error:
            raise Lost(f"no connection: {error.strerror or error}") from None
        return cls(reader, writer, bucket, sending)

    async def run(self, hear: Callable[[Line], None]) -> None:
        """Reads, and writes what is put, until the connection is gone.

        Raises:
            Lost: Always; with the reason.
        """
        writing = asyncio.create_task(self._write())
        try:
            await self._read(hear)
        finally:
            writing.cancel()
            await asyncio.wait([writing])

    async def _read(self, hear: Callable[[Line], None]) -> None:
        cutter = Cutter(TAGS_LIMIT_BYTES)
        is_asked = False
        while True:
            try:
                async with asyncio.timeout(PATIENCE_S if is_asked else SILENCE_S):
                    piece = await self._reader.read(_CHUNK)
            except TimeoutError:
                if is_asked:
                    raise Lost("it does not answer") from None
                is_asked = True
                self.send(Line("PING", (ALIVE,)))
                continue
            except OSError as error:
                raise Lost(str(error)) from None
            if not piece:
                raise Lost("it was closed by the server")
            is_asked = False
            for raw in cutter.feed(piece):
                if isinstance(raw, bytes) and (line := _read(raw)) is not None:
                    hear(line)
            # A flood leaves others their turn.
            await asyncio.sleep(0)

    def send(self, *lines: Line) -> None:
        """Sends lines at once: what does not count, or cannot wait."""
        try:
            written = b"".join(encode(line) + b"\r\n" for line in lines)
        except Misuse as misuse:
            logger.debug("irc: not a line: %s", misuse)
            return
        if not self._writer.is_closing():
            self._writer.write(written)

    def put(self, key: str, *outs: Out) -> None:
        """Sends lines when it is their turn."""
        for out in outs:
            self._queue.put(key, out)
        self._has_more.set()

    def drop(self, key: str) -> bool:
        """What waits for a channel is not sent; tells whether anything did."""
        return self._queue.drop(key)

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            out = self._queue.next(loop.time())
            if out is None:
                self._has_more.clear()
                await self._has_more.wait()
            elif not isinstance(out, Out):
                await asyncio.sleep(out)
            else:
                if out.number:
                    # Written directly afterwards: nothing comes between.
                    self._sending(out)
                self.send(out.line)
                try:
                    await self._writer.drain()
                except OSError:
                    # What has come before the end is still to be read; the reader sees the end.
                    return

    async def quit(self, reason: str) -> None:
        """Takes leave."""
        self.send(Line("QUIT", (reason,)))
        try:
            async with asyncio.timeout(2.0):
                await self._writer.drain()
                while await self._reader.read(_CHUNK):
                    pass
        except (OSError, TimeoutError):
            pass

    def close(self) -> None:
        """Ends it at once: who does not read what is left for them would keep it open for ever."""
        self._writer.transport.abort()


def _read(raw: bytes) -> Line | None:
    """A line, in UTF-8 or what older clients write; None: it is none."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    try:
        return parse(text)
    except BadLine as bad:
        logger.debug("irc: %s", bad.reason)
        return None
