"""Several modules in one server: by path and host, with topics and code of their own, fenced."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import hubbub
from hubbub.address import port_of
from hubbub.admin import Admin
from hubbub.admin.reloading import add_reload
from hubbub.config import AdminSettings, AppSettings
from hubbub.errors import Misuse, ModuleFailed
from hubbub.modules import Modules, Reloaded
from hubbub.server import Server, listen_settings
from hubbub.testing.http import Answer, ask

pytestmark = pytest.mark.anyio

PLAIN = """
from msgspec import Struct
from hubbub import App, Request, WebSocket

class Config(Struct):
    word: str = "default"
    ports: list[int] = []

app = App(config=Config)
app.state.hits = 0

@app.get("/")
def index(request: Request) -> str:
    app.state.hits += 1
    return f"{app.config.word} {app.state.hits}"

@app.message("/ws")
def hear(ws: WebSocket, topic: str) -> str:
    ws.subscribe(topic)
    return "heard"

@app.post("/say/{topic}")
def say(request: Request, topic: str) -> str:
    return str(app.publish(topic, app.config.word))
"""


@pytest.fixture(autouse=True)
def clean_imports() -> Iterator[None]:
    path, modules = sys.path[:], set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


class Site:
    def __init__(self, modules: Modules, server: Server) -> None:
        self.modules = modules
        self.ws_url = server.ws_url
        self.port = port_of(server.addresses[0])

    async def ask(self, path: str, host: str = "h", method: str = "GET") -> Answer:
        return await ask("127.0.0.1", self.port, method, path, {"host": host}, b"")


@asynccontextmanager
async def serving(*apps: AppSettings, strict: bool = False) -> AsyncIterator[Site]:
    modules = Modules(apps, strict=strict)
    async with Server(modules, [listen_settings(port=0)]) as server:
        yield Site(modules, server)


def app(folder: Path, name: str, source: str = PLAIN, **settings: object) -> AppSettings:
    file = folder / f"{name}.py"
    file.write_text(source)
    return AppSettings(str(file), name=name, **settings)  # type: ignore[arg-type]


async def test_modules_stand_below_their_paths_and_hosts(tmp_path: Path) -> None:
    async with serving(
        app(tmp_path, "root", config={"word": "root"}),
        app(tmp_path, "chat", config={"word": "chat"}, mount="/chat"),
        app(tmp_path, "other", config={"word": "other"}, hosts=("other.org", "*.other.org")),
    ) as site:
        for path, host, word in [
            ("/", "h", "root"),
            ("/chat/", "h", "chat"),
            ("/chat/", "other.org", "chat"),
            ("/", "www.other.org:8000", "other"),
            ("/", "other.org", "other"),
        ]:
            assert (await site.ask(path, host)).text.split()[0] == word
        assert (await site.ask("/chat")).status == 308
        routes = {(one.method, one.path, one.module) for one in site.modules.routes()}
        assert {
            ("GET", "/chat/", "chat"),
            ("WS", "/chat/ws", "chat"),
            ("GET", "/", "root"),
        } < routes
        (index,) = [one for one in site.modules.routes() if (one.path, one.module) == ("/", "root")]
        assert index.places[0].startswith(str(tmp_path / "root.py:"))


async def test_one_file_may_be_two_modules_that_share_nothing(tmp_path: Path) -> None:
    first = app(tmp_path, "one", mount="/one", config={"word": "a"})
    second = AppSettings(first.import_, name="two", mount="/two", config={"word": "b"})
    async with serving(first, second) as site:
        assert (await site.ask("/one/")).text == "a 1"
        assert (await site.ask("/one/")).text == "a 2"
        assert (await site.ask("/two/")).text == "b 1"


TOLD_BY_HELPERS = """
import {helper}
from {package} import part
from shared_by_all import things
from hubbub import App, Request
app = App()

@app.get("/")
def index(request: Request) -> str:
    things.append(1)
    return f"{{{helper}.WORD}} {{part.WORD}} {{len(things)}}"
"""


@pytest.mark.parametrize("has_init", [True, False])
async def test_what_has_the_same_name_in_two_folders_is_two_things(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_init: bool
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "shared_by_all.py").write_text("things = []")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))

    def write(name: str, word: str) -> AppSettings:
        package = tmp_path / name / "some_parts"
        package.mkdir(parents=True, exist_ok=True)
        (package.parent / "a_helper.py").write_text(f"WORD = {word!r}")
        (package / "part.py").write_text(f"WORD = {word!r}")
        if has_init:
            (package / "__init__.py").touch()
        source = TOLD_BY_HELPERS.format(helper="a_helper", package="some_parts")
        return app(package.parent, "main", source, mount=f"/{name}", hosts=(f"{name}.org",))

    apps = [replace(write(name, name), name=name) for name in ("one", "two", "three")]
    # One that is found by its name, not as a file.
    apps[2] = replace(apps[2], import_="main:app")
    modules = Modules(apps, tmp_path / "three", strict=True)
    async with Server(modules, [listen_settings(port=0)]) as server:
        site = Site(modules, server)

        async def told(name: str) -> str:
            return (await site.ask(f"/{name}/", f"{name}.org")).text

        assert [await told(name) for name in ("one", "two", "three")] == [
            "one one 1",
            "two two 2",
            "three three 3",
        ]
        for name, count in (("one", 4), ("two", 5), ("three", 6), ("one", 7)):
            write(name, f"new-{name}-{count}")
            await site.modules.reload(name)
            assert await told(name) == f"new-{name}-{count} new-{name}-{count} {count}"
        assert await told("two") == "new-two-5 new-two-5 8"


async def test_topics_are_a_modules_own_unless_it_shares_them(tmp_path: Path) -> None:
    shared = PLAIN + "\napp.topic('all.*', shared=True)\n"
    async with serving(
        app(tmp_path, "one", shared, mount="/one", config={"word": "one"}),
        app(tmp_path, "two", shared, mount="/two", config={"word": "two"}),
        app(tmp_path, "three", mount="/three", config={"word": "three"}),
    ) as site:
        async with hubbub.connect(site.ws_url + "/one/ws") as ws:
            for topic in ("news", "all.news"):
                ws.send(topic)
                assert await ws.recv() == "heard"

            async def publish(module: str, topic: str) -> str:
                return (await site.ask(f"/{module}/say/{topic}", method="POST")).text

            assert await publish("two", "news") == "0"
            assert await publish("three", "news") == "0"
            assert await publish("three", "all.news") == "0"
            assert await publish("one", "news") == "1"
            assert await publish("two", "all.news") == "1"
            assert [await ws.recv(), await ws.recv()] == ["one", "two"]


BROKEN = {
    "import": ("1 / 0", {}, "ZeroDivisionError"),
    "no app": ("x = 1", {}, "there is no app, and no App at all"),
    "key": (PLAIN, {"wrod": "x"}, r"config.wrod: there is no such key: did you mean word\?"),
    "type": (PLAIN, {"ports": [1, "x"]}, r"config.ports.1: expected int, got str"),
    "none": ("from hubbub import App\napp = App()", {"a": 1}, "takes no configuration"),
    "lifespan": (
        PLAIN + "@app.lifespan\nasync def life():\n    raise OSError('no disk')\n    yield\n",
        {},
        "OSError: no disk",
    ),
    "exit": ("raise SystemExit('no key')", {}, "broken.py:1: calls sys.exit: no key"),
    "exit in a factory": ("def app():\n    exit('no key')", {}, "app: calls sys.exit: no key"),
    "exit in a lifespan": (
        PLAIN + "@app.lifespan\nasync def life():\n    exit('no disk')\n    yield\n",
        {},
        "calls sys.exit: no disk",
    ),
    "routes": (PLAIN + "app.get('/')(index)\n", {}, "cannot route"),
}


@pytest.mark.parametrize(("source", "config", "reason"), BROKEN.values(), ids=BROKEN)
async def test_a_module_that_fails_is_fenced_and_the_others_run(
    tmp_path: Path,
    source: str,
    config: dict[str, object],
    reason: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken = app(tmp_path, "broken", source, mount="/broken", config=config)
    async with serving(broken, app(tmp_path, "fine")) as site:
        for path in ("/broken", "/broken/", "/broken/any/where"):
            answer = await site.ask(path)
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert (await site.ask("/broken/x", method="POST")).status == 503
        with pytest.raises(hubbub.HandshakeRejected) as rejected:
            await hubbub.connect(site.ws_url + "/broken/ws")
        assert rejected.value.status == 503
        assert (await site.ask("/")).text == "default 1"
        assert caplog.text.count("module broken is fenced") == 1
        states = {module.name: module.state for module in site.modules.all}
        assert states == {"broken": "fenced", "fine": "running"}
        with pytest.raises(ModuleFailed, match=reason):
            await site.modules.reload("broken")
        if not config:
            (tmp_path / "broken.py").write_text(PLAIN)
            (reloaded,) = await site.modules.reload_changed()
            assert isinstance(reloaded, Reloaded)
            assert (await site.ask("/broken/")).text == "default 1"
            assert site.modules.stats()["broken"].requests == 1


async def test_strictly_none_may_fail_and_never_all(tmp_path: Path) -> None:
    broken, fine = app(tmp_path, "broken", "1 / 0", mount="/b"), app(tmp_path, "fine")
    for modules in (Modules([fine, broken], strict=True), Modules([broken])):
        with pytest.raises(ModuleFailed, match="ZeroDivisionError"):
            async with Server(modules, [listen_settings(port=0)]):
                pass


@pytest.mark.parametrize(
    ("apps", "message"),
    [
        ([AppSettings("a:app"), AppSettings("b:app")], "both mounted at /"),
        ([AppSettings("a:app", mount="/x"), AppSettings("b:app", mount="/x/")], "'a' and 'b'"),
        ([AppSettings("a:app", mount="/x"), AppSettings("x.a:app")], "two modules are called 'a'"),
        (
            [AppSettings("a:app", hosts=("a.org",)), AppSettings("b:app", hosts=("A.org",))],
            "both mounted at / at a.org",
        ),
        ([AppSettings("a:app", mount="x")], "a path begins with a slash"),
    ],
)
async def test_places_that_collide_are_refused(apps: list[AppSettings], message: str) -> None:
    with pytest.raises(Misuse, match=message):
        Modules(apps)


FACTORY = """
from dataclasses import dataclass
from hubbub import App, Request

@dataclass
class Config:
    word: str

def create(config: Config) -> App:
    app = App()

    @app.get("/")
    def index(request: Request) -> str:
        return config.word + app.config.word

    return app

def wrong():
    return 7
"""


async def test_a_factory_gets_the_configuration(tmp_path: Path) -> None:
    made = app(tmp_path, "made", FACTORY, config={"word": "x"})
    path = made.import_
    async with serving(AppSettings(f"{path}:create", name="made", config={"word": "x"})) as site:
        assert (await site.ask("/")).text == "xx"
    for target, config, reason in [
        ("wrong", {"word": "x"}, "expected an App: it returned 7"),
        ("create", {}, "config.word: expected a value"),
        ("Config", {"word": "x"}, "Config is not an App"),
    ]:
        with pytest.raises(ModuleFailed, match=reason):
            async with serving(AppSettings(f"{path}:{target}", config=config), strict=True):
                pass


BACKGROUND = (
    PLAIN
    + """
@app.every(0.005)
def tick() -> None:
    raise OSError("tick")

@app.get("/fails")
def fails(request: Request) -> str:
    raise OSError("handler")
"""
)


async def test_what_goes_wrong_is_counted_for_its_module(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, "hubbub")
    async with serving(
        app(tmp_path, "bad", BACKGROUND, mount="/bad"), app(tmp_path, "good")
    ) as site:
        assert (await site.ask("/bad/fails")).status == 500
        async with asyncio.timeout(5):
            while site.modules.stats()["bad"].errors < 3:
                await asyncio.sleep(0)
        assert "module bad: timer tick failed" in caplog.text
        assert site.modules.stats()["good"].errors == 0
        assert site.modules.stats()["bad"].requests == 1


async def test_what_a_module_does_is_counted_by_its_name(tmp_path: Path) -> None:
    admin = Admin(AdminSettings("127.0.0.1:0"))
    modules = Modules([app(tmp_path, "one", mount="/one"), app(tmp_path, "two", mount="/two")])
    add_reload(admin, modules)
    async with Server(modules, [listen_settings(port=0)], admin=admin) as server:
        port = port_of(admin.address)
        site = Site(modules, server)
        async with hubbub.connect(server.ws_url + "/one/ws") as ws:
            for _ in range(3):
                ws.send("topic")
                assert await ws.recv() == "heard"
            await site.ask("/two/")
            metrics = (await ask("127.0.0.1", port, "GET", "/metrics", {}, b"")).text.splitlines()
            page = (await ask("127.0.0.1", port, "GET", "/status", {}, b"")).json()
        assert 'hubbub_module_connections{module="one"} 1' in metrics
        assert 'hubbub_module_connections{module="two"} 0' in metrics
        assert 'hubbub_module_messages_total{module="one"} 3' in metrics
        assert 'hubbub_module_requests_total{module="two"} 1' in metrics
        assert 'hubbub_module_errors_total{module="one"} 0' in metrics
        assert 'hubbub_module_blocked_total{module="one"} 0' in metrics
        one, two = (module["stats"] for module in page["modules"])
        assert (one["connections"], one["messages"], two["requests"]) == (1, 3, 1)


async def test_blame_goes_to_the_module_whose_handler_it_is(tmp_path: Path) -> None:
    async with serving(app(tmp_path, "busy", mount="/busy"), app(tmp_path, "idle")) as site:
        (module, _) = site.modules.all
        assert module.code is not None
        frames: list[object] = []
        vars(module.code.main)["look"] = lambda: frames.append(sys._getframe())
        exec("def outer(): return inner()\ndef inner(): return look()", vars(module.code.main))
        vars(module.code.main)["outer"]()
        (frame,) = frames
        blamed = site.modules.blame(frame)  # type: ignore[arg-type]
        assert blamed is not None
        assert blamed.startswith("module busy, outer (")
        assert site.modules.blame(sys._getframe()) is None
        assert site.modules.stats()["busy"].blocked == 1
