"""Who gets in: origins, subprotocols, limits of an endpoint."""

import pytest

from hubbub import App, HandshakeRejected, ServerSettings, WebSocket
from hubbub.testing import TestServer, serve

pytestmark = pytest.mark.anyio


def echo(ws: WebSocket, msg: str | bytes) -> str | bytes:
    return msg


app = App()
app.message("/same")(echo)
app.message("/any", origins=("*",))(echo)
app.message("/listed", origins=("https://example.org",))(echo)
app.message("/spoken", subprotocols=("v2", "v1"))(echo)
app.message("/small", message_limit_bytes="1KiB")(echo)
app.message("/plain", compression="off")(echo)


async def status(server: TestServer, path: str, origin: str | None) -> int:
    headers = {} if origin is None else {"origin": origin}
    try:
        async with server.connect(path, headers=headers):
            return 101
    except HandshakeRejected as refused:
        return refused.status


async def test_origins() -> None:
    async with serve(app) as server:
        own = f"http://127.0.0.1:{server.port}"
        for path, origin, expected in [
            ("/same", None, 101),
            ("/same", own, 101),
            ("/same", "http://evil.example", 403),
            ("/same", f"http://127.0.0.1:{server.port + 1}", 403),
            ("/same", "null", 403),
            ("/any", "http://evil.example", 101),
            ("/any", "null", 101),
            ("/listed", "https://example.org", 101),
            ("/listed", "https://evil-example.org", 403),
            ("/listed", "http://example.org", 403),
        ]:
            assert await status(server, path, origin) == expected, (path, origin)


@pytest.mark.parametrize(
    ("offered", "agreed"),
    [((), None), (("v1",), "v1"), (("v1", "v2"), "v1"), (("v3",), None), (("v3", "v2"), "v2")],
)
async def test_subprotocols(offered: tuple[str, ...], agreed: str | None) -> None:
    async with serve(app) as server:
        async with server.connect("/spoken", subprotocols=offered) as client:
            assert client.ws.subprotocol == agreed


async def test_a_limit_of_its_own() -> None:
    async with serve(app) as server, server.connect("/small") as client:
        client.send("x" * 1024)
        assert await client.receive() == "x" * 1024
        client.send("x" * 1025)
        assert await client.wait_closed() == 1009


async def test_the_client_has_limits_too() -> None:
    async with serve(app) as server:
        async with server.connect("/any", message_limit_bytes="1KiB") as client:
            client.send("x" * 2048)
            assert await client.wait_closed() == 1009


@pytest.mark.parametrize("compression", ["off", "shared", "dedicated"])
@pytest.mark.parametrize("path", ["/any", "/plain"])
async def test_compression_changes_nothing_that_is_seen(path: str, compression: str) -> None:
    settings = ServerSettings(compression=compression)  # type: ignore[arg-type]
    async with serve(app, settings=settings) as server:
        async with server.connect(path, compression=compression) as client:  # type: ignore[arg-type]
            for message in ("x" * 10_000, b"y" * 100, '{"a":1}' * 1_000):
                client.send(message)
                assert await client.receive() == message


async def test_settings_hold() -> None:
    async with serve(app, settings=ServerSettings(message_limit_bytes=10)) as server:
        async with server.connect("/any") as client:
            client.send("x" * 11)
            assert await client.wait_closed() == 1009
