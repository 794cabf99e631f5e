"""tornado on uvloop: /echo, and /fan as a loop over all handlers.

Usage: tornado_server.py PORT [deflate]
"""

import asyncio
import sys

import tornado.web
import uvloop
from tornado.websocket import WebSocketHandler

compression: dict[str, int] | None = {"compression_level": 1} if "deflate" in sys.argv else None
fan: set[WebSocketHandler] = set()


class Echo(WebSocketHandler):
    """Returns every message."""

    def get_compression_options(self) -> dict[str, int] | None:
        return compression

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message, binary=isinstance(message, bytes))


class Fan(Echo):
    """Sends every message to everybody."""

    def open(self) -> None:
        fan.add(self)

    def on_close(self) -> None:
        fan.discard(self)

    def on_message(self, message: str | bytes) -> None:
        for other in fan:
            other.write_message(message, binary=isinstance(message, bytes))


async def main() -> None:
    routes = [("/echo", Echo), ("/fan", Fan)]
    app = tornado.web.Application(
        routes, websocket_max_message_size=2**24, log_function=lambda _: None
    )
    app.listen(int(sys.argv[1]), "127.0.0.1", backlog=4096)
    await asyncio.get_running_loop().create_future()


uvloop.run(main())
