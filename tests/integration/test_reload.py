"""A module's code changes, and its open connections go over to it: none closed, nothing lost."""

import asyncio
import gc
import logging
import sys
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent

import pytest

import hubbub
from hubbub.config import AppSettings
from hubbub.errors import ConnectionClosed, ModuleFailed
from hubbub.modules import Modules
from hubbub.server import Server, listen_settings
from tests.waiting import until

pytestmark = pytest.mark.anyio

VERSION = "from hubbub import App, WebSocket\napp = App()\nVERSION = {version!r}\n"

FUNCTION = """
@app.message("/ws/{name}")
def answer(ws: WebSocket, msg: str) -> str:
    return f"{VERSION} {ws.params['name']} {msg}"
"""
ASYNC_FUNCTION = FUNCTION.replace("def answer", "async def answer")
LOOP = """
@app.websocket("/ws/{name}")
async def answer(ws: WebSocket, name: str, end: str = "") -> None:
    async for msg in ws.text():
        ws.send(f"{VERSION} {name} {msg}{end}")
"""
RECEIVE = """
@app.websocket("/ws/{name}")
async def answer(ws: WebSocket, name: str) -> None:
    while True:
        ws.send(f"{VERSION} {name} {await ws.recv()}")
"""
KINDS = {"function": FUNCTION, "async": ASYNC_FUNCTION, "loop": LOOP, "recv": RECEIVE}


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    path, modules = sys.path[:], dict(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]


class Served:
    """One module in a file that is rewritten."""

    def __init__(self, file: Path, modules: Modules, server: Server) -> None:
        self.file = file
        self.modules = modules
        self.url = server.ws_url

    def write(self, version: str, source: str) -> None:
        write(self.file, version, source)

    async def reload(self, version: str, source: str) -> hubbub.modules.Reloaded:
        self.write(version, source)
        return await self.modules.reload("drill")


def write(file: Path, version: str, source: str) -> None:
    file.write_text(VERSION.format(version=version) + dedent(source))


@asynccontextmanager
async def serving(
    folder: Path,
    source: str,
    version: str = "one",
    timeout_s: float = 5.0,
    within_s: float = 60.0,
) -> AsyncIterator[Served]:
    file = folder / "drill.py"
    write(file, version, source)
    modules = Modules(
        [AppSettings(str(file))],
        strict=True,
        handover_timeout_s=timeout_s,
        upgrade_timeout_s=within_s,
    )
    async with Server(modules, [listen_settings(port=0)]) as server:
        yield Served(file, modules, server)


async def say(ws: hubbub.WebSocket[None], text: str) -> str | bytes:
    ws.send(text)
    async with asyncio.timeout(5):
        return await ws.recv()


@pytest.mark.parametrize("before", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("after", KINDS.values(), ids=KINDS)
async def test_any_kind_of_handler_gives_way_to_any_other(
    tmp_path: Path, before: str, after: str
) -> None:
    async with serving(tmp_path, before) as served:
        async with hubbub.connect(served.url + "/ws/ada") as ws:
            idle = await hubbub.connect(served.url + "/ws/idle")
            assert await say(ws, "hi") == "one ada hi"
            told = await served.reload("two", after)
            assert (told.connections, told.behind) == (2, 0)
            assert await say(ws, "still here?") == "two ada still here?"
            assert await say(idle, "I too") == "two idle I too"
            await served.reload("three", before)
            assert await say(ws, "again") == "three ada again"
            idle.close()
            await idle.wait_closed()
            assert served.modules.stats()["drill"].messages == 4
            assert served.modules.stats()["drill"].reloads == 2


@pytest.mark.parametrize("source", KINDS.values(), ids=KINDS)
async def test_nothing_is_left_of_a_version_that_has_gone(tmp_path: Path, source: str) -> None:
    def app() -> weakref.ref[object]:
        return weakref.ref(sys.modules["drill"].app)

    async with serving(tmp_path, source) as served:
        async with hubbub.connect(served.url + "/ws/ada") as ws:
            left = []
            for version in "abc":
                assert await say(ws, "hi")
                left.append(app())
                await served.reload(version, source)
            with pytest.raises(ModuleFailed):
                await served.reload("broken", "raise ValueError(1)")
            assert await say(ws, "still here?") == "c ada still here?"
            await until(lambda: gc.collect() + 1 and not any(one() for one in left))
            assert app()() is not None


@pytest.mark.parametrize("source", KINDS.values(), ids=KINDS)
async def test_of_numbered_messages_none_is_lost_or_handled_twice(
    tmp_path: Path, source: str
) -> None:
    async with serving(tmp_path, source) as served:
        async with hubbub.connect(served.url + "/ws/n") as ws:
            over = False

            async def send() -> int:
                number = 0
                while not over:
                    ws.send(str(number))
                    number += 1
                    await asyncio.sleep(0)
                ws.send("last")
                return number

            sending = asyncio.create_task(send())
            for version in "abc":
                await served.reload(version, source)
            over = True
            count = await sending
            answers: list[str] = []
            async with asyncio.timeout(10):
                async for answer in ws.text():
                    answers.append(answer)
                    if answer.endswith("last"):
                        break
            assert [answer.split()[2] for answer in answers] == [*map(str, range(count)), "last"]
            versions = [answer.split()[0] for answer in answers]
            assert list(dict.fromkeys(versions))[-1] == "c"
            assert sorted(versions, key=["one", "a", "b", "c"].index) == versions


BROKEN = {
    "syntax": ("app = (", "SyntaxError"),
    "import": ("import no_such_module_here", "ModuleNotFoundError"),
    "app": ("app = None", "there is no app, and no App at all"),
    "lifespan": (
        FUNCTION
        + "@app.lifespan\nasync def life():\n    raise OSError('no database')\n    yield\n",
        "OSError: no database",
    ),
    "exit": ("import sys\nsys.exit()", "calls sys.exit"),
    "exit in a lifespan": (
        FUNCTION + "@app.lifespan\nasync def life():\n    exit(3)\n    yield\n",
        "calls sys.exit: 3",
    ),
    "route": (FUNCTION + FUNCTION.replace("answer", "again"), "two websocket routes"),
    "config": (
        "from msgspec import Struct\nclass Config(Struct):\n    port: int\n" + FUNCTION,
        "config.port: expected a value",
    ),
    "handover": (
        FUNCTION + "@app.handover\ndef take(old):\n    raise KeyError(old.state)\n",
        "KeyError",
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN)
async def test_a_version_that_cannot_run_is_refused_and_the_old_one_goes_on(
    tmp_path: Path, source: str, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, LOOP) as served:
        async with hubbub.connect(served.url + "/ws/x") as ws:
            assert await say(ws, "1") == "one x 1"
            with pytest.raises(ModuleFailed, match=reason):
                await served.reload("two", source)
            assert await say(ws, "2") == "one x 2"
            assert "the new version is refused" in caplog.text
            await served.reload("three", LOOP)
            assert await say(ws, "3") == "three x 3"


async def test_a_lifespan_that_never_begins_or_ends_holds_up_no_other_reload(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    life = "@app.lifespan\nasync def life():\n    import asyncio\n{}"
    begins_never = life.format("    await asyncio.Event().wait()\n    yield\n")
    ends_never = life.format("    yield\n    await asyncio.Event().wait()\n")
    async with (
        asyncio.timeout(30),
        serving(tmp_path, FUNCTION + ends_never, timeout_s=0.05, within_s=0.05) as served,
    ):
        async with hubbub.connect(served.url + "/ws/x") as ws:
            with pytest.raises(ModuleFailed, match=r"lifespan has not begun within 0.05 s"):
                await served.reload("two", FUNCTION + begins_never)
            assert await say(ws, "1") == "one x 1"
            await served.reload("three", FUNCTION)
            assert await say(ws, "2") == "three x 2"
            await served.reload("four", FUNCTION)
            assert await say(ws, "3") == "four x 3"
    assert "lifespan of the old version has not ended within 0.05 s" in caplog.text


async def test_an_endpoint_that_is_gone_closes_its_connections(tmp_path: Path) -> None:
    both = LOOP + FUNCTION.replace("/ws/", "/other/").replace("answer", "other")
    async with serving(tmp_path, both) as served:
        stays, goes = [await hubbub.connect(served.url + path) for path in ("/ws/x", "/other/x")]
        await served.reload("two", LOOP)
        with pytest.raises(ConnectionClosed):
            await goes.recv()
        assert goes.close_code == 1012
        assert await say(stays, "1") == "two x 1"
        stays.close()
        await stays.wait_closed()


STATE = """
@app.lifespan
async def life():
    app.state.events = ["begins"]
    yield
    app.state.events.append("ends")

@app.handover
def take(old):
    app.state.events = old.state.events
    app.state.events.append(f"{VERSION} takes over")

@app.handover_each
def each(ws):
    ws.data += 1
    ws.subscribe("new")

async def count(request):
    return 1

@app.websocket("/ws/{name}", auth=count)
async def answer(ws: WebSocket, name: str) -> None:
    ws.subscribe("news")
    try:
        async for msg in ws.text():
            ws.send(f"{VERSION} {ws.data} {sorted(ws.topics)} {app.state.events}")
    finally:
        app.state.events.append(f"{VERSION} parts with {name}")
"""


async def test_state_is_handed_over_and_subscriptions_stay(tmp_path: Path) -> None:
    async with serving(tmp_path, STATE) as served:
        async with hubbub.connect(served.url + "/ws/x") as ws:
            assert await say(ws, "") == "one 1 ['news'] ['begins']"
            await served.reload("two", STATE)
            events = ["begins", "two takes over", "one parts with x"]
            assert await say(ws, "") == f"two 2 ['new', 'news'] {[*events, 'ends']}"


BUSY = """
import asyncio
from hubbub import Request
app.state.may_go_on = asyncio.Event()

@app.handover
def take(old):
    app.state.may_go_on = old.state.may_go_on

@app.post("/go")
def go(request: Request) -> None:
    app.state.may_go_on.set()

@app.websocket("/ws/{name}")
async def answer(ws: WebSocket, name: str) -> None:
    async for msg in ws.text():
        if msg == "wait":
            await app.state.may_go_on.wait()
        ws.send(f"{VERSION} {msg}")
"""


async def test_who_is_in_the_middle_of_a_message_finishes_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, BUSY, timeout_s=0.05) as served:
        async with hubbub.connect(served.url + "/ws/x") as ws:
            ws.send("wait")
            ws.send("next")
            while not served.modules.stats()["drill"].messages:
                await asyncio.sleep(0)
            told = await served.reload("two", BUSY)
            assert told.behind == 1
            assert "go on with it" in caplog.text
            assert served.modules.stats()["drill"].behind == 1
            host, _, port = served.url.removeprefix("ws://").partition(":")
            assert (
                await hubbub.testing.http.ask(host, int(port), "POST", "/go", {}, b"")
            ).status == 204
            assert await ws.recv() == "one wait"
            assert await ws.recv() == "two next"
            async with asyncio.timeout(5):
                while served.modules.stats()["drill"].behind:
                    await asyncio.sleep(0)


SPAWNING = """
import asyncio

async def tick(ws, events):
    try:
        await asyncio.Event().wait()
    finally:
        ws.send(f"{VERSION} tick ends")

@app.websocket("/ws/{name}")
async def answer(ws: WebSocket, name: str) -> None:
    ws.spawn(tick(ws, None))
    ws.send(f"{VERSION} begins")
    await ws.wait_closed()
"""


async def test_tasks_of_a_connection_end_with_the_old_code(tmp_path: Path) -> None:
    async with serving(tmp_path, SPAWNING) as served:
        async with hubbub.connect(served.url + "/ws/x") as ws:
            assert await ws.recv() == "one begins"
            assert (await served.reload("two", SPAWNING)).behind == 0
            assert {await ws.recv(), await ws.recv()} == {"one tick ends", "two begins"}


STUBBORN = """
import asyncio

@app.websocket("/ws/{name}")
async def answer(ws: WebSocket, name: str) -> None:
    while True:
        try:
            msg = await ws.recv()
        except asyncio.CancelledError:
            continue
        ws.send(f"{VERSION} {msg}")
"""


async def test_a_handler_that_will_not_go_keeps_its_connection(tmp_path: Path) -> None:
    async with serving(tmp_path, STUBBORN, timeout_s=0.05) as served:
        ws = await hubbub.connect(served.url + "/ws/x")
        assert await say(ws, "1") == "one 1"
        assert (await served.reload("two", LOOP)).behind == 1
        assert await say(ws, "2") == "one 2"
        async with hubbub.connect(served.url + "/ws/y") as other:
            assert await say(other, "3") == "two y 3"
        ws.close()
        await ws.wait_closed()


async def test_files_that_have_changed_are_seen(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hubbub")
    helper = tmp_path / "drill_helper.py"
    helper.write_text("WORD = 'old'\n")
    source = "from drill_helper import WORD\n" + FUNCTION.replace("{VERSION}", "{WORD}")
    async with serving(tmp_path, source) as served:
        async with hubbub.connect(served.url + "/ws/x") as ws:
            assert await say(ws, "1") == "old x 1"
            assert await served.modules.reload_changed() == []
            helper.write_text("WORD = 'new'\n")
            (told,) = await served.modules.reload_changed()
            assert isinstance(told, hubbub.modules.Reloaded)
            assert await say(ws, "2") == "new x 2"
            assert await served.modules.reload_changed() == []
