"""Pages of other origins: which may read answers, and what their browsers are told before."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from hubbub import App, Misuse, Request, StreamingResponse
from hubbub.testing import serve

pytestmark = pytest.mark.anyio

FRIEND, STRANGER = "https://friend.example", "https://stranger.example"


def shared(**options: Any) -> App:
    app = App()

    @app.get("/thing")
    async def thing(req: Request) -> str:
        return "thing"

    @app.put("/thing")
    def put(req: Request) -> None: ...

    @app.get("/stream")
    def stream(req: Request) -> StreamingResponse:
        async def some() -> AsyncIterator[bytes]:
            yield b"x"

        return StreamingResponse(some())

    app.cors(**{"origins": (FRIEND,), **options})
    return app


async def test_friends_may_read_and_strangers_may_not() -> None:
    async with serve(shared(credentials=True, expose=("x-total",))) as server:
        for path in ("/thing", "/stream"):
            friend = await server.get(path, headers={"origin": FRIEND})
            assert friend.headers["access-control-allow-origin"] == FRIEND
            assert friend.headers["access-control-allow-credentials"] == "true"
            assert friend.headers["access-control-expose-headers"] == "x-total"
            for headers in ({"origin": STRANGER}, {"origin": "null"}, {}):
                other = await server.get(path, headers=headers)
                assert other.status == 200
                assert not any(name.startswith("access-control") for name in other.headers)
                # Else a cache would give one the answer for the other.
                assert other.headers["vary"] == "origin"


async def test_browsers_are_answered_before_they_ask() -> None:
    async with serve(shared(headers=("content-type",), max_age_s=60)) as server:
        question = {"origin": FRIEND, "access-control-request-method": "PUT"}
        told = await server.request("OPTIONS", "/thing", headers=question)
        assert (told.status, told.headers["allow"]) == (204, "GET, HEAD, OPTIONS, PUT")
        assert told.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, PUT"
        assert told.headers["access-control-allow-headers"] == "content-type"
        assert told.headers["access-control-max-age"] == "60"
        stranger = await server.request(
            "OPTIONS", "/thing", headers=question | {"origin": STRANGER}
        )
        assert "access-control-allow-methods" not in stranger.headers


async def test_everybody_may_read_what_is_public() -> None:
    async with serve(shared(origins=("*",))) as server:
        answer = await server.get("/thing", headers={"origin": STRANGER})
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "vary" not in answer.headers


@pytest.mark.parametrize(
    "options",
    [
        {"origins": ("*",), "credentials": True},
        {"origins": ("*", FRIEND)},
        {"origins": ("friend.example",)},
        {"origins": (FRIEND + "/",)},
    ],
)
def test_mistakes_are_told(options: dict[str, Any]) -> None:
    with pytest.raises(Misuse, match="cors"):
        shared(**options)
