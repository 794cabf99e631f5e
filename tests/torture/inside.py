"""A look inside a server under test, on a socket that is no part of what is done to it."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator

from hubbub import App, Request
from hubbub._core import Engine, Route
from hubbub.loop import EventLoop


def control_path(pid: int) -> str:
    """Where the server of this process can be asked."""
    return f"{tempfile.gettempdir()}/hubbub-torture-{pid}"


def engine() -> Engine:
    """The one that serves the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, EventLoop)
    return loop.host.engine


def look_inside(app: App) -> None:
    """Adds `/stats`, and puts what the app answers to HTTP and messages on a Unix socket, too."""

    @app.get("/stats")
    def stats(request: Request) -> dict[str, int]:
        return dict(engine().stats())

    @app.lifespan
    async def control() -> AsyncIterator[None]:
        for one in app.declarations():
            if one.kind == "http":
                route = Route(one.path, "http", one.handler, method=one.method)
                engine().route(route, group=1)
            elif one.kind == "message":
                engine().route(Route(one.path, "message", one.handler), group=1)
        engine().listen(f"unix:{control_path(os.getpid())}", group=1)
        yield
