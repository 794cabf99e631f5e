"""A network that fails: a forwarder whose connections are cut, by FIN, by RST or by silence.

A client says who it is in the query of its URL (`?n=17`); after a cut it is off for a while. Run as
a program it prints its port, cuts until it reads a line from its input, and then only forwards.
"""

import asyncio
import json
import random
import re
import sys

_NUMBER = re.compile(rb"[?&]n=(\d+)")
_HEAD_LIMIT_BYTES = 64 << 10


class Network:
    """Forwards to one port.

    Args:
        port: Where to.
        mean_s: How long a connection lives, on average.
        off_s: How long a client is off after a cut.
        seed: Makes a run repeatable, as far as time is.
    """

    def __init__(self, port: int, mean_s: float, off_s: float, seed: int) -> None:
        self._port = port
        self._mean_s = mean_s
        self._off_s = off_s
        self._dice = random.Random(seed)
        self._off_until_s: dict[bytes, float] = {}
        self.is_quiet = False
        self.cuts = {"fin": 0, "rst": 0, "silence": 0, "refused": 0}

    async def serve(self) -> asyncio.Server:
        """Listens on a free port."""
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _accept(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        try:
            head = await client.readuntil(b"\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            to_client.transport.abort()
            return
        found = _NUMBER.search(head)
        who = found[1] if found else b""
        loop = asyncio.get_running_loop()
        if self._off_until_s.get(who, 0.0) > loop.time():
            self.cuts["refused"] += 1
            to_client.transport.abort()
            return
        try:
            server, to_server = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            to_client.transport.abort()
            return
        to_server.write(head)
        pumps = [
            loop.create_task(_pump(client, to_server)),
            loop.create_task(_pump(server, to_client)),
        ]
        until_s = loop.time() + self._dice.expovariate(1 / self._mean_s)
        try:
            while not all(pump.done() for pump in pumps):
                await asyncio.wait(pumps, timeout=0.5)
                if loop.time() > until_s and not self.is_quiet:
                    self._off_until_s[who] = loop.time() + self._off_s
                    await self._cut(to_client, to_server)
                    break
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            to_client.transport.abort()
            to_server.transport.abort()

    async def _cut(self, to_client: asyncio.StreamWriter, to_server: asyncio.StreamWriter) -> None:
        """Half of the cuts tell nobody: neither side sees an end, only that nothing comes."""
        how = self._dice.choice(["fin", "rst", "silence", "silence"])
        self.cuts[how] += 1
        if how == "silence":
            for one in (to_client, to_server):
                one.transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(20)
        elif how == "fin":
            to_client.close()
            to_server.close()
            await asyncio.sleep(0.1)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:
        pass


async def _main(port: int, mean_s: float, seed: int) -> None:
    network = Network(port, mean_s, 2.0, seed)
    server = await network.serve()
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, sys.stdin.readline)
    network.is_quiet = True
    print(json.dumps(network.cuts), flush=True)
    await loop.run_in_executor(None, sys.stdin.readline)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
