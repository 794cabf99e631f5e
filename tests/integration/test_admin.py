"""The admin listener: what it tells, to whom, and that the public never meets it (A7)."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import hubbub
from hubbub import App, Request, WebSocket
from hubbub.address import port_of
from hubbub.admin import Admin, ModuleReport
from hubbub.admin.metrics import rows
from hubbub.config import AdminSettings, ListenSettings, ServerSettings
from hubbub.errors import CannotListen
from hubbub.modules import Modules
from hubbub.server import Server
from hubbub.testing.http import Answer, ask, parse

pytestmark = pytest.mark.anyio

LOCAL = AdminSettings("127.0.0.1:0")


def public() -> App:
    app = App()

    @app.message("/echo")
    def echo(ws: WebSocket, message: str) -> str:
        return message

    @app.get("/hello")
    def hello(request: Request) -> str:
        return "hello"

    return app


class Both:
    """A server with an admin listener, and how to ask either."""

    def __init__(self, server: Server, admin: Admin) -> None:
        self.server = server
        self.admin = admin

    async def ask(self, target: str, *, method: str = "GET", **fields: str) -> Answer:
        port = port_of(self.admin.address)
        return await ask("127.0.0.1", port, method, target, _spelled(fields), b"")

    async def ask_public(self, target: str, method: str = "GET", **fields: str) -> Answer:
        port = port_of(self.server.addresses[0])
        return await ask("127.0.0.1", port, method, target, _spelled(fields), b"")

    async def metric(self, series: str, **labels: str) -> float:
        page = (await self.ask("/metrics")).text
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == series and sample.labels == labels:
                    return float(sample.value)
        return 0.0


def _spelled(fields: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in fields.items()}


@asynccontextmanager
async def served(
    settings: AdminSettings = LOCAL, admin: Admin | None = None
) -> AsyncIterator[Both]:
    admin = admin or Admin(settings)
    # The loop of the harness brings its own settings, threads among them.
    server = Server(Modules.of(public()), [ListenSettings("127.0.0.1:0")], None, admin=admin)
    async with server:
        yield Both(server, admin)


async def test_health_and_readiness() -> None:
    admin = Admin(LOCAL)
    modules = [ModuleReport("chat", "running"), ModuleReport("toy", "fenced", required=False)]
    admin.modules = lambda: modules
    lacking: list[str] = []
    admin.require(lambda: lacking[0] if lacking else None)
    async with served(admin=admin) as both:
        assert (await both.ask("/healthz")).json() == {"status": "ok"}
        ready = await both.ask("/readyz")
        assert (ready.status, ready.json()) == (200, {"ready": True, "reasons": []})
        lacking.append("storage: disk full")
        modules[0] = ModuleReport("chat", "fenced", reason="ImportError: no module named 'x'")
        ready = await both.ask("/readyz")
        assert ready.status == 503
        assert ready.json()["reasons"] == [
            "module chat: ImportError: no module named 'x'",
            "storage: disk full",
        ]
        assert await both.metric("hubbub_ready") == 0
        assert await both.metric("hubbub_module_up", module="chat") == 0
        assert (await both.ask("/healthz")).status == 200


async def test_a_server_is_not_ready_before_it_serves_nor_while_it_drains() -> None:
    answers: list[Answer] = []

    class Slow:
        """Modules that take their time, and look at the readiness meanwhile."""

        def load(self, *_: object) -> None: ...

        async def start(self) -> None:
            answers.append(await _ask_ready(admin))

        async def stop(self) -> None: ...

    admin = Admin(LOCAL)
    server = Server(Slow(), [ListenSettings("127.0.0.1:0")], ServerSettings(), admin=admin)
    async with server:
        answers.append(await _ask_ready(admin))
    assert [answer.status for answer in answers] == [503, 200]
    assert answers[0].json()["reasons"] == ["starting"]


async def _ask_ready(admin: Admin) -> Answer:
    return await ask("127.0.0.1", port_of(admin.address), "GET", "/readyz", {}, b"")


async def test_readiness_goes_before_the_connections_do() -> None:
    admin = Admin(LOCAL)
    app = public()
    left = asyncio.Event()

    @app.websocket("/stays")
    async def stays(ws: WebSocket) -> None:
        await left.wait()

    server = Server(Modules.of(app), [ListenSettings("127.0.0.1:0")], ServerSettings(), admin=admin)
    async with server:
        client = await hubbub.connect(server.ws_url + "/stays")
        closing = asyncio.create_task(server.close())
        while server.state == "ready":
            await asyncio.sleep(0)
        ready = await _ask_ready(admin)
        assert (ready.status, ready.json()["reasons"]) == (503, ["draining"])
        left.set()
        await closing
        await client.wait_closed()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await _ask_ready(admin)


async def test_metrics_are_openmetrics_and_count() -> None:
    async with served() as both:
        async with asyncio.timeout(5):
            ws = await hubbub.connect(both.server.ws_url + "/echo")
            ws.send("one")
            assert await ws.recv() == "one"
            ws.close(4000)
            await ws.wait_closed()
        await both.ask_public("/hello")
        await both.ask_public("/nowhere")
        await both.ask_public("/hello", "PUT")
        answer = await both.ask("/metrics")
        assert answer.headers["content-type"] == (
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        )
        assert answer.text.endswith("\n# EOF\n")
        families = {one.name: one for one in text_string_to_metric_families(answer.text)}
        assert families.keys() <= {row.metric.name for row in rows()}
        assert families["hubbub_loop_lag_seconds"].type == "histogram"
        expected = {
            ("hubbub_http_requests_total", "method=GET,status=101"): 1,
            ("hubbub_http_requests_total", "method=GET,status=404"): 1,
            ("hubbub_http_requests_total", "method=PUT,status=405"): 1,
            ("hubbub_websocket_closed_total", "by=peer,code=4xxx"): 1,
            ("hubbub_ready", ""): 1,
        }
        # What other threads have counted is told at the end of their turns.
        found: dict[tuple[str, str], float] = {}
        async with asyncio.timeout(5):
            while expected.items() - found.items():
                found = _samples((await both.ask("/metrics")).text)
        assert found["hubbub_http_requests_total", "method=GET,status=200"] >= 2
        # In some loops the client is of the same engine.
        assert found["hubbub_messages_received_total", ""] in (1, 2)
        assert found["hubbub_loop_lag_seconds_count", ""] > 0
        assert found["process_resident_memory_bytes", ""] > 1 << 20


def _samples(page: str) -> dict[tuple[str, str], float]:
    return {
        (
            sample.name,
            ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items())),
        ): (sample.value)
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


async def test_status_tells_the_largest_connections() -> None:
    async with served() as both:
        ws = await hubbub.connect(both.server.ws_url + "/echo")
        ws.send("x" * 70_000)
        await ws.recv()
        status = (await both.ask("/status?connections=1000")).json()
        assert status["state"] == "ready"
        assert status["listeners"] == list(both.server.addresses)
        assert status["counters"]["upgraded"] == 1
        assert status["limits"]["message_limit_bytes"] == 1 << 20
        assert "/echo" in [one["path"] for one in status["largest"]]
        assert (await both.ask("/status")).json()["largest"] == []
        assert (await both.ask("/status?connections=x")).status == 400
        ws.close()
        await ws.wait_closed()


async def test_neither_listener_serves_the_others_pages() -> None:
    async with served() as both:
        for page in ("/healthz", "/readyz", "/metrics", "/status", "/reload/x"):
            assert (await both.ask_public(page)).status == 404, page
            assert (await both.ask_public(page, "POST")).status == 404, page
        # Whatever host is named: the listener decides, not the name.
        port = port_of(both.admin.address)
        assert (await both.ask_public("/metrics", host=f"localhost:{port}")).status == 404
        assert (await both.ask("/hello")).status == 404
        with pytest.raises(hubbub.HandshakeRejected):
            await hubbub.connect(f"ws://127.0.0.1:{port}/echo")


async def test_commands_are_added_by_others() -> None:
    admin = Admin(LOCAL)
    done: list[str] = []

    async def reload(request: Request, name: str) -> dict[str, str]:
        await asyncio.sleep(0)
        done.append(name)
        return {"reloaded": name}

    admin.route("POST", "/reload/{name}", reload)
    async with served(admin=admin) as both:
        answer = await both.ask("/reload/chat", method="POST")
        assert (answer.status, answer.json()) == (200, {"reloaded": "chat"})
        assert (await both.ask("/reload/chat")).status == 405
        for fields in (
            {"host": "evil.example"},
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"sec_fetch_site": "cross-site"},
        ):
            refused = await both.ask("/reload/chat", method="POST", **fields)
            assert refused.status == 403, fields
            assert "access-control-allow-origin" not in refused.headers
            assert (await both.ask("/metrics", **fields)).status == 403
    assert done == ["chat"]


@pytest.mark.parametrize(("fields", "status"), [("", 200), ("Host:\r\n", 403)])
async def test_who_names_no_host_is_no_browser(fields: str, status: int) -> None:
    async with served() as both:
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(both.admin.address))
        # As HAProxy checks.
        writer.write(f"GET /readyz HTTP/1.0\r\n{fields}\r\n".encode())
        assert parse(await reader.read()).status == status
        writer.close()
        await writer.wait_closed()


async def test_with_a_token_only_its_owner_may_ask() -> None:
    async with served(AdminSettings("0.0.0.0:0", token="t0ken-of-mine")) as both:
        for given in (
            None,
            "Bearer",
            "Bearer t0ken",
            "Basic t0ken-of-mine",
            "bearer t0ken-of-mineX",
        ):
            fields = {"authorization": given} if given else {}
            for page in ("/healthz", "/readyz", "/metrics", "/status"):
                answer = await both.ask(page, **fields)
                assert answer.status == 401
                assert answer.headers["www-authenticate"] == "Bearer"
                assert "hubbub" not in answer.text
        mine = await both.ask("/metrics", authorization="Bearer t0ken-of-mine", host="h.example")
        assert mine.status == 200


async def test_a_unix_socket_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "run" / "admin.sock"
    async with served(AdminSettings(f"unix:{path}")) as both:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert both.admin.address == f"unix:{path}"
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: any\r\nConnection: close\r\n\r\n")
        assert parse(await reader.read()).json() == {"status": "ok"}
        writer.close()
        await writer.wait_closed()
        with pytest.raises(CannotListen):
            async with served(AdminSettings(f"unix:{path}")):
                pass
        assert path.exists(), "it is the first one's"
    assert not path.exists()


async def test_a_default_place_that_is_taken_is_no_reason_not_to_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    async with served(AdminSettings()) as first:
        assert first.admin.address == f"unix:{tmp_path}/admin.sock"
        async with served(AdminSettings()) as second:
            assert second.admin.address == ""
            assert (await second.ask_public("/hello")).status == 200
    assert "no admin listener" in caplog.text
