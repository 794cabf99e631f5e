"""Which routes a request meets: those of its listener's group, and of its host before any other."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hubbub import Request, WebSocket, address
from hubbub._core import Engine, Route
from hubbub.config import ServerSettings
from hubbub.loop import host_for_server
from hubbub.testing.http import Answer, ask

pytestmark = pytest.mark.anyio


@contextmanager
def engine() -> Iterator[Engine]:
    host = host_for_server(asyncio.get_running_loop(), None)
    try:
        yield host.engine
    finally:
        host.engine.stop_listening()
        host.engine.drop_accepted()
        host.release()


def route(path: str, answer: str) -> Route:
    def handler(request: Request) -> tuple[int, list[tuple[str, str]], bytes]:
        return 200, [], f"{answer} {request.params}".encode()

    return Route(path, "http", handler)


async def get(at: str, path: str, host: str) -> Answer:
    return await ask("127.0.0.1", address.port_of(at), "GET", path, {"host": host}, b"")


async def test_the_most_exact_host_that_has_the_path_answers() -> None:
    with engine() as ours:
        at = ours.listen("tcp://127.0.0.1:0")
        ours.route(route("/", "any"))
        ours.route(route("/{name}", "any"))
        ours.route(route("/", "below"), host="*.example.org")
        ours.route(route("/", "deeper"), host="*.b.example.org")
        ours.route(route("/", "exact"), host="a.Example.org.")
        for host, expected in {
            "a.example.org": "exact {}",
            "A.EXAMPLE.ORG:8000": "exact {}",
            "a.example.org.": "exact {}",
            "b.example.org": "below {}",
            "c.b.example.org": "deeper {}",
            "example.org": "any {}",
            ".example.org": "any {}",
            "badexample.org": "any {}",
            "[::1]:80": "any {}",
        }.items():
            assert (await get(at, "/", host)).text == expected, host
        assert (await get(at, "/x", "a.example.org")).text == "any {'name': 'x'}"
        assert (await get(at, "/x/y", "a.example.org")).status == 404


async def test_a_host_that_nobody_is_for_is_misdirected() -> None:
    with engine() as ours:
        at = ours.listen("tcp://127.0.0.1:0")
        assert (await get(at, "/", "a.org")).status == 404
        ours.route(route("/", "a"), host="a.org")
        assert (await get(at, "/", "a.org")).text == "a {}"
        assert (await get(at, "/", "b.org")).status == 421


async def test_a_listener_meets_the_routes_of_its_group_alone() -> None:
    with engine() as ours:
        public, admin = ours.listen("tcp://127.0.0.1:0"), ours.listen("tcp://127.0.0.1:0", group=1)
        ours.route(route("/", "public"))
        ours.route(route("/", "admin"), group=1)
        ours.route(route("/secret", "admin"), group=1)
        assert (await get(public, "/", "h")).text == "public {}"
        assert (await get(admin, "/", "h")).text == "admin {}"
        assert (await get(public, "/secret", "h")).status == 404
        ours.stop_listening(group=0)
        with pytest.raises(ConnectionRefusedError):
            await get(public, "/", "h")
        assert (await get(admin, "/secret", "h")).text == "admin {}"


@pytest.mark.parametrize("host", ["", "a b", "*", "a*", "*a.org", "*.", "a/b", "a:80"])
async def test_what_is_no_host_is_refused(host: str) -> None:
    settings = ServerSettings()
    ours = Engine(settings.native(), lambda *_: None)
    if host == "*":
        ours.route(route("/", "any"), host=host)
        with pytest.raises(ValueError, match="two routes for GET"):
            ours.route(route("/", "any"))
    else:
        with pytest.raises(ValueError, match="not a host"):
            ours.route(route("/", "never"), host=host)


async def test_a_websocket_finds_its_route_by_host_too() -> None:
    with engine() as ours:
        at = ours.listen("tcp://127.0.0.1:0")
        ours.route(Route("/ws/{name}", "message", lambda ws, _: ws.params["name"]))
        ours.route(Route("/ws/{host}", "message", lambda ws, _: ws.params["host"]), host="h.org")
        loop = asyncio.get_running_loop()
        for host in ("other.org", "h.org"):
            opened: asyncio.Future[WebSocket[None]] = loop.create_future()
            ours.connect(at, host, "/ws/x", opened)
            ws = await opened
            ws.send("hello")
            assert await ws.recv() == "x"
