"""A client that comes back, against servers that send it away."""

import asyncio
from collections.abc import AsyncIterator

import pytest

import hubbub
from hubbub import App, HandshakeRejected, Reject, Request, WebSocket, testing
from hubbub.reconnect import connections

pytestmark = pytest.mark.anyio


class Naps:
    """A `sleep` that takes no time and remembers how long it should have taken."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


def coming_back(url: str, naps: Naps) -> AsyncIterator[WebSocket[None]]:
    return connections(lambda: hubbub.connect(url), sleep=naps, dice=lambda: 0.5)


def sending_away(code: int) -> App:
    app = App()

    @app.websocket("/")
    async def handler(ws: WebSocket) -> None:
        ws.send("welcome")
        ws.close(code)

    return app


async def test_it_comes_back_as_users_of_websockets_know_it() -> None:
    async with testing.serve(sending_away(1001)) as server, asyncio.timeout(20):
        heard = 0
        async for ws in hubbub.connect(server.ws_url):
            async for message in ws:
                assert message == "welcome"
                heard += 1
            assert ws.close_code == 1001
            if heard == 2:
                break


@pytest.mark.parametrize("code", [1012, 1013])
async def test_a_restart_does_not_reset_the_back_off(code: int) -> None:
    naps, visits = Naps(), 0
    async with testing.serve(sending_away(code)) as server, asyncio.timeout(20):
        async for ws in coming_back(server.ws_url, naps):
            await ws.wait_closed()
            assert ws.close_code == code
            visits += 1
            if visits == 5:
                break
    assert naps.seconds == [1, 2, 4, 8]


async def test_our_own_close_does() -> None:
    app, naps = App(), Naps()

    @app.message("/")
    def echo(ws: WebSocket, message: str) -> str:
        return message

    async with testing.serve(app) as server, asyncio.timeout(20):
        async for ws in coming_back(server.ws_url, naps):
            ws.close()
            if len(naps.seconds) == 3:
                break
    assert naps.seconds == [0.5, 0.5, 0.5]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_asks_for_patience_is_given_it(status: int) -> None:
    app, naps, refused = App(), Naps(), list[int]()

    def admit(request: Request) -> None:
        if len(refused) < 2:
            refused.append(status)
            raise Reject(status, headers={"retry-after": "30"})

    @app.message("/", auth=admit)
    def echo(ws: WebSocket, message: str) -> str:
        return message

    async with testing.serve(app) as server, asyncio.timeout(20):
        async for _ in coming_back(server.ws_url, naps):
            break
    assert naps.seconds == [31, 32]


async def test_what_will_not_change_is_raised() -> None:
    naps = Naps()
    async with testing.serve(App()) as server, asyncio.timeout(20):
        with pytest.raises(HandshakeRejected) as refused:
            async for _ in coming_back(server.ws_url + "/nowhere", naps):
                raise AssertionError
    assert (refused.value.status, naps.seconds) == (404, [])


async def test_nobody_there_is_waited_for() -> None:
    naps = Naps()
    async with testing.serve(App()) as server:
        url = server.ws_url

    async def wait(seconds: float) -> None:
        await naps(seconds)
        if len(naps.seconds) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        async for _ in connections(lambda: hubbub.connect(url), sleep=wait, dice=lambda: 0.5):
            raise AssertionError
    assert naps.seconds == [1, 2, 4]
