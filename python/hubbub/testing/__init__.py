"""The test kit: an app served on loopback, by the real server over the real protocol.

For example, with pytest and anyio::

    async def test_echo():
        async with hubbub.testing.serve(app) as server, server.connect("/echo") as client:
            client.send("hello")
            assert await client.receive() == "hello"

Nothing waits forever: receiving has a deadline of 5 s. An exception in a handler is raised again
in the test, when `serve` is left.
"""

from hubbub.testing.client import Client
from hubbub.testing.http import Answer
from hubbub.testing.server import TestServer, serve
from hubbub.testing.translation import PseudoBackend

__all__ = ["Answer", "Client", "PseudoBackend", "TestServer", "serve"]
