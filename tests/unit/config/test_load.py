"""Who comes first, and who said what."""

import pytest

from hubbub.config import AppSettings, Configuration, ListenSettings, Mistaken, TlsSettings, load
from hubbub.config.document import dotted
from hubbub.config.load import file
from hubbub.config.sources import Given, Origin, Text

FILE = """
[server]
threads = 2
[server.limits]
message_limit = "2MiB"
[[listen]]
bind = "[::]:443"
tls = { cert = "chain.pem", key = "/etc/key.pem" }
[[listen]]
bind = "unix:web.sock"
[[app]]
import = "apps/chat.py:app"
mount = "/chat"
hosts = ["chat.example"]
[app.config]
languages = ["en", "ar"]
limits.text = 5
[[app]]
import = "board:app"
[log]
levels = { "hubbub.tls" = "debug" }
"""


def test_nothing_said_is_the_defaults() -> None:
    loaded = load()
    assert loaded.configuration == Configuration()
    assert load(file("", "hubbub.toml")).configuration == Configuration()


def test_a_file() -> None:
    configuration = load(file(FILE, "x/hubbub.toml", "x")).configuration
    assert configuration.server.threads == 2
    assert configuration.server.message_limit_bytes == 2 << 20
    assert configuration.listen == (
        ListenSettings(bind="[::]:443", tls=TlsSettings("x/chain.pem", "/etc/key.pem")),
        ListenSettings(bind="unix:x/web.sock"),
    )
    chat, board = configuration.apps
    assert chat == AppSettings(
        import_="x/apps/chat.py:app",
        mount="/chat",
        hosts=("chat.example",),
        config={"languages": ["en", "ar"], "limits": {"text": 5}},
    )
    assert board.import_ == "board:app"
    assert configuration.log.levels == {"hubbub.tls": "debug"}


def flag(key: str, value: str) -> tuple[tuple[str, ...], Given]:
    return tuple(key.split(".")), Given(Text(value), Origin("--flag"))


def test_a_flag_comes_before_set_before_the_environment_before_the_file() -> None:
    given = {
        "environment": {
            "HUBBUB__SERVER__THREADS": "3",
            "HUBBUB__SERVER__HTTP__HEAD_TIMEOUT": "3s",
            "HUBBUB__LISTEN__0__BIND": "127.0.0.1:3",
            "HUBBUB_SCREENSHOTS": "x",
            "PATH": "/bin",
        },
        "assigned": ["server.threads=4", "listen.0.bind=127.0.0.1:4", "listen.0.tls.key=k.pem"],
        "flags": [flag("server.threads", "5")],
    }
    loaded = load(file(FILE, "hubbub.toml", "x"), **given)  # type: ignore[arg-type]
    configuration = loaded.configuration
    assert configuration.server.threads == 5
    assert configuration.server.head_timeout_s == 3
    assert configuration.listen[0].bind == "127.0.0.1:4"
    # A path of the command line starts where the command does.
    assert configuration.listen[0].tls == TlsSettings("x/chain.pem", "k.pem")
    origins = {dotted(path): str(origin) for path, origin in loaded.origins.items()}
    assert origins["server.threads"] == "--flag"
    assert origins["server.http.head_timeout"] == "HUBBUB__SERVER__HTTP__HEAD_TIMEOUT"
    assert origins["listen.0.bind"] == "--set"
    assert origins["listen.0.tls.cert"] == "hubbub.toml:8"
    assert origins["app.0.config.limits.text"] == "hubbub.toml:17"
    assert "log.level" not in origins


@pytest.mark.parametrize(
    ("argument", "key", "value"),
    [
        ("server.threads=auto", "server.threads", None),
        ("server.websocket.ping_interval=250ms", "server.ping_interval_s", 0.25),
        ('server.websocket.ping_interval="1min"', "server.ping_interval_s", 60),
        ("server.websocket.ping_interval=20", "server.ping_interval_s", 20),
        ("server.limits.message_limit=1024", "server.message_limit_bytes", 1024),
        ("log.access=true", "log.access", True),
        ("log.level = debug", "log.level", "debug"),
        ("storage.path=5", "storage.path", "5"),
        ("storage.path='a b'", "storage.path", "a b"),
        ("admin.token=a=b", "admin.token", "a=b"),
        ("admin.token=[1]", "admin.token", "[1]"),
        ('log.levels."hubbub.tls"=debug', "log.levels", {"hubbub.tls": "debug"}),
        ("log.levels={ a = 'info' }", "log.levels", {"a": "info"}),
        ('listen=[{ bind = "[::1]:1" }]', "listen", (ListenSettings("[::1]:1"),)),
        ("app.0={ import = 'a:b', hosts = ['c'] }", "apps", (AppSettings("a:b", hosts=("c",)),)),
    ],
)
def test_set(argument: str, key: str, value: object) -> None:
    found: object = load(assigned=[argument]).configuration
    for part in key.split("."):
        found = getattr(found, part)
    if value is not None:
        assert found == value


def test_lists_and_free_tables_from_a_command_line() -> None:
    given = ["app.0.import=a:b", "app.0.hosts=one.example, two.example", "app.0.config.size=5"]
    (app,) = load(assigned=[*given, "app.0.config.word=hello"]).configuration.apps
    assert app.hosts == ("one.example", "two.example")
    # What they stand for is said by the application's own class.
    assert app.config == {"size": "5", "word": "hello"}
    two = ["listen.0.bind=[::1]:1", "listen.1.bind=[::1]:2"]
    assert len(load(assigned=two).configuration.listen) == 2


@pytest.mark.parametrize(
    ("assigned", "message"),
    [
        ("server.threads", '--set: expected KEY=VALUE: found "server.threads"'),
        ("a..b=1", '--set: expected a key such as "server.threads": found "a..b"'),
        ("server.thread=1", "--set: server.thread: no such key: did you mean threads?"),
        ("listen.1.bind=x", "--set: listen.1.bind: expected the number 0 after listen: found 1"),
        ("listen.x.bind=y", "--set: listen: expected a list of tables, [[listen]]: found [listen]"),
        ("log.access=yes", '--set: log.access: expected true or false: found "yes"'),
        ("server.threads.x=1", "--set: server.threads: expected a whole number"),
    ],
)
def test_what_set_cannot_mean(assigned: str, message: str) -> None:
    with pytest.raises(Mistaken) as mistaken:
        load(assigned=[assigned])
    assert message in str(mistaken.value)


def test_a_secret_stands_in_no_message() -> None:
    with pytest.raises(Mistaken) as mistaken:
        load(file('[admin]\ntoken = ["s3cret"]\n', "hubbub.toml"))
    assert "s3cret" not in str(mistaken.value)


def test_the_world_is_asked_together_with_the_rest() -> None:
    def world(configuration: Configuration) -> list[tuple[tuple[str | int, ...], str]]:
        return [(("listen", 0, "tls", "cert"), f"cannot read {configuration.listen[0].bind}")]

    with pytest.raises(Mistaken) as mistaken:
        load(file(FILE + "level = 5\n", "hubbub.toml"), world=world)
    assert str(mistaken.value).split("\n  ") == [
        "the configuration has 2 mistakes",
        "hubbub.toml:8: listen.0.tls.cert: cannot read [::]:443",
        'hubbub.toml:22: log.level: expected "debug", "info", "warning", "error" or "critical": '
        "found 5",
    ]
