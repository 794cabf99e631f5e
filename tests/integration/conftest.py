"""Every test here runs five times: in our loop, asyncio's, uvloop's, with threads, by TLS."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from typing import Any

import pytest

import hubbub
from hubbub.address import port_of
from hubbub.config import ListenSettings, ServerSettings
from hubbub.server import listen_settings
from hubbub.testing import Client, TestServer, serve
from hubbub.tls import Trust
from tests.authority import Authority
from tests.loops import LOOPS
from tests.tls_forwarder import Forwarder

HARNESSES = LOOPS | {
    "threads": lambda: hubbub.new_event_loop(ServerSettings(threads=2)),
    "tls": hubbub.new_event_loop,
}
"""Who makes the loop; in the last two it is ours again, and sockets are served by two threads
beside it, or the test kit's servers speak TLS."""


NOT_BY_FORWARDER = {
    "test_a_client_written_from_the_page": "it hands a cut line on as an orderly end",
    "test_beyond_the_connection_limit_there_is_a_503": "its own connections are counted",
    "test_an_address_has_its_share_and_others_have_theirs": "its own connections are counted",
    "test_handshakes_of_one_address_are_rationed": "its own handshakes are counted",
    "test_handshakes_in_all_are_rationed": "its own handshakes are counted",
    "test_people_stay": "its server is made by hand; reloading by TLS is in test_reload",
    "test_parts_and_conditions": "curl speaks TLS itself, see test_tls",
    "test_uploads": "curl speaks TLS itself, see test_tls",
    "test_nobody_there": "there is somebody",
    "test_origins": "the origins are those of http; see test_tls",
    "test_bodies": "it resets what is answered before it was sent whole",
    "test_an_answer_that_breaks_off_has_no_end": "it ends what was cut",
    "test_a_client_that_goes_away_ends_its_handler": "it notices first",
    "test_a_client_that_does_not_wait": "it notices first",
    "test_who_reads_when_the_client_has_gone_is_told": "it stays when its own client has gone",
    "test_a_client_that_takes_nothing_is_cut": "it takes what its client does not",
    "test_a_restart_does_not_reset_the_back_off": "it is still there when the server is not",
    "test_the_examples_of_its_documentation": "it keeps connections that were given up at once",
    "test_nothing_is_left_of_a_handler": "it counts the objects of this process",
}
"""Tests of the plain wire, left out because TLS through `Forwarder` cannot show the same."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [one for one in items if not _needs_the_plain_wire(one)]


def _needs_the_plain_wire(item: pytest.Item) -> bool:
    name = getattr(item, "originalname", "")
    return name in NOT_BY_FORWARDER and "[tls" in item.name


@pytest.fixture(params=HARNESSES)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    if request.param == "tls":
        request.getfixturevalue("by_tls")
    return "asyncio", {"loop_factory": HARNESSES[request.param]}


@pytest.fixture
def by_tls(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets the servers of the test kit speak TLS.

    `hubbub.connect` comes by wss; what knows no TLS comes to the same server through a forwarder.
    """
    with ExitStack() as forwarders:
        ports: dict[int, int] = {}

        def plain_port(server: TestServer) -> int:
            port = port_of(server._server.addresses[0])
            if port not in ports:
                forwarder = Forwarder(port, authority.file)
                ports[port] = forwarders.enter_context(forwarder).port
            return ports[port]

        def connect(server: TestServer, path: str, **options: Any) -> Client:
            options.setdefault("tls", Trust(ca=authority.file))
            return Client(hubbub.connect(server._server.ws_url + path, **options))

        def listen(**options: Any) -> ListenSettings:
            return listen_settings(**options, tls=authority.settings("localhost", "127.0.0.1"))

        monkeypatch.setattr("hubbub.testing.server.listen_settings", listen)
        monkeypatch.setattr(TestServer, "connect", connect)
        monkeypatch.setattr(TestServer, "port", property(plain_port))
        for name, scheme in (("url", "http"), ("ws_url", "ws")):
            url = property(lambda it, scheme=scheme: f"{scheme}://127.0.0.1:{plain_port(it)}")
            monkeypatch.setattr(TestServer, name, url)
        yield


Failing = Callable[..., AbstractAsyncContextManager[TestServer]]


@pytest.fixture
def failing() -> Failing:
    """Serves an app whose handlers shall raise exactly these exceptions, in this order."""

    @asynccontextmanager
    async def serve_failing(app: hubbub.App, *kinds: type[Exception]) -> AsyncIterator[TestServer]:
        async with serve(app) as server:
            yield server
            raised = [type(exception) for exception in server.exceptions]
            server.exceptions.clear()
        assert raised == list(kinds)

    return serve_failing
