"""The edge of the configuration: files that are not there, folders, tokens, modules to import."""

import subprocess
import sys
from pathlib import Path

import pytest

from hubbub.certificate import dev_certificate
from hubbub.cli import execute

APP = "from hubbub import App\napp = App()\n@app.get('/')\ndef index(req): return 'x'\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int) -> str:
    assert execute(list(arguments)) == code
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return told.out if code == 0 else told.err


def test_a_good_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine.py").write_text(APP)
    (folder / "hubbub.toml").write_text('[[app]]\nimport = "mine.py:app"\nmount = "/x"\n')
    assert said(capsys, "check", "-c", "hubbub.toml", code=0) == (
        "hubbub.toml: ok: mine at /x; on 127.0.0.1:8000\n"
    )
    routes = said(capsys, "routes", "-c", "hubbub.toml", code=0)
    page, redirect = (line.split() for line in routes.splitlines())
    assert page == ["GET", "/x/", "request", "mine.py:3", "mine", "*"]
    assert redirect == ["GET", "/x", "request", "-", "mine", "*"]
    shown = said(capsys, "check", "-c", "hubbub.toml", "--show-origin", code=0)
    assert '"/x"' in shown
    assert "# hubbub.toml:3" in shown


def test_files_that_are_not_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = said(capsys, "check", "-c", "none.toml", code=2)
    assert message == "hubbub: cannot read none.toml: No such file or directory\n"
    (folder / "hubbub.toml").write_bytes(b"[log]\nlevel = '\xff'\n")
    message = said(capsys, "check", "-c", "hubbub.toml", code=2)
    assert message == "hubbub: hubbub.toml:2: expected UTF-8: found 0xff\n"


def test_what_a_file_names_must_be_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty").touch()
    (folder / "hubbub.toml").write_text(
        '[[listen]]\nbind = "unix:run/web.sock"\n'
        'tls = { cert = "cert.pem", key = "empty" }\n'
        '[admin]\ntoken_file = "empty"\n'
        '[storage]\npath = "hubbub.toml"\n'
    )
    assert said(capsys, "check", "-c", "hubbub.toml", code=2).splitlines() == [
        "hubbub: the configuration has 4 mistakes",
        "  hubbub.toml:2: listen.0.bind: expected a folder that exists: run does not",
        "  hubbub.toml:3: listen.0.tls.cert: cert.pem: cannot be read: No such file or directory",
        "  hubbub.toml:5: admin.token_file: expected something in empty: it is empty",
        "  hubbub.toml:7: storage.path: expected a folder: hubbub.toml is none",
    ]


@pytest.fixture
def pairs(folder: Path) -> Path:
    for name in ("one", "two"):
        dev_certificate(folder / name)
    (folder / "empty").touch()
    return folder


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        (
            'cert = "one/cert.pem", key = "two/key.pem"',
            "listen.0.tls.key: two/key.pem: it is not the key of the certificate in one/cert.pem",
        ),
        (
            'cert = "one/key.pem", key = "one/key.pem"',
            "listen.0.tls.cert: one/key.pem: no certificate in PEM",
        ),
        (
            'cert = "one/cert.pem"',
            "listen.0.tls.cert: one/cert.pem: no private key in PEM",
        ),
        (
            'cert = "one/cert.pem", key = "empty"',
            "listen.0.tls.key: empty: no private key in PEM",
        ),
        (
            'cert = "one/cert.pem", key = "none.pem"',
            "listen.0.tls.key: none.pem: cannot be read: No such file or directory",
        ),
        (
            'cert = "one/cert.pem", key = "one/key.pem", client_auth = "required", '
            'client_ca = "empty"',
            "listen.0.tls.client_ca: empty: no certificate in PEM",
        ),
        (
            'cert = "one/cert.pem", key = "one/key.pem", '
            'more = [{ cert = "two/cert.pem", key = "one/key.pem" }]',
            "listen.0.tls.more.0.key: one/key.pem: it is not the key of the certificate in "
            "two/cert.pem",
        ),
    ],
)
def test_certificates_that_cannot_be_used(
    pairs: Path, tls: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (pairs / "hubbub.toml").write_text(f"[[listen]]\ntls = {{ {tls} }}\n")
    told = said(capsys, "check", "-c", "hubbub.toml", code=2)
    assert told == f"hubbub: hubbub.toml:2: {message}\n"


def test_modules_that_cannot_be_imported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "empty.py").write_text("x = 1\n")
    (folder / "broken.py").write_text("1 / 0\n")
    (folder / "hubbub.toml").write_text(
        '[[app]]\nimport = "empty.py:app"\nmount = "/a"\n'
        '[[app]]\nimport = "broken.py:app"\nmount = "/b"\n'
        '[[app]]\nimport = "no_such_module_at_all"\nmount = "/c"\n'
    )
    lines = said(capsys, "check", "-c", "hubbub.toml", code=3).splitlines()
    assert lines[0] == "hubbub: the configuration has 3 mistakes"
    assert "hubbub.toml:2: app.0.import: empty.py:app: there is no app" in lines[1]
    assert "hubbub.toml:5: app.1.import: cannot import broken.py: " in lines[2]
    assert lines[3].endswith("hubbub.toml:8: app.2.import: no such module: no_such_module_at_all")
    assert said(capsys, "check", "-c", "hubbub.toml", "--no-import", code=0)


ROUTES = "from hubbub import App\napp = App()\n" + "".join(
    f"@app.get({path!r})\ndef f{number}(req):\n    return 'x'\n"
    for number, path in enumerate(("/same", "/{}"))
)


def test_routes_that_collide(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "twice.py").write_text(ROUTES.format("same"))
    (folder / "root.py").write_text(ROUTES.format("below/same"))
    (folder / "below.py").write_text(ROUTES.format("other"))
    (folder / "hubbub.toml").write_text(
        '[[app]]\nimport = "root.py"\n[[app]]\nimport = "below.py"\nmount = "/below"\n'
        '[[app]]\nimport = "twice.py"\nmount = "/twice"\n'
    )
    lines = said(capsys, "check", "-c", "hubbub.toml", code=3).splitlines()
    assert len(lines) == 3
    assert "hubbub.toml:4: app.1.import: below.py: cannot route: " in lines[1]
    assert "hubbub.toml:7: app.2.import: twice.py: cannot route: " in lines[2]


def test_a_configuration_of_an_app_that_does_not_fit(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.py").write_text(
        "from dataclasses import dataclass\nfrom hubbub import App\napp = App()\n"
        "@dataclass\nclass Config:\n    password: str\n    size: int = 1\n"
    )
    (folder / "hubbub.toml").write_text(
        '[[app]]\nimport = "mine.py"\n[app.config]\npassword = "x"\nsize = "big"\n'
    )
    told = said(capsys, "check", "-c", "hubbub.toml", code=3)
    assert "hubbub.toml:5: app.0.config.size: expected int, got str" in told
    # Of a variable the application says what it is.
    monkeypatch.setenv("HUBBUB__APP__0__CONFIG__PASSWORD", "123")
    monkeypatch.setenv("HUBBUB__APP__0__CONFIG__SIZE", "4")
    assert said(capsys, "check", "-c", "hubbub.toml", code=0)


def test_a_thread_of_an_app_does_not_keep_check_from_ending(folder: Path) -> None:
    (folder / "mine.py").write_text(
        "import threading\nfrom hubbub import App\napp = App()\n"
        "threading.Thread(target=threading.Event().wait).start()\n"
    )
    (folder / "hubbub.toml").write_text('[[app]]\nimport = "mine.py"\n')
    ended = subprocess.run(
        [sys.executable, "-m", "hubbub", "check", "-c", "hubbub.toml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0
    assert "hubbub.toml: ok: mine at /" in ended.stdout


def test_a_token_from_a_file_is_used_and_not_shown(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "token").write_text("s3cret\n")
    (folder / "hubbub.toml").write_text('[admin]\ntoken_file = "token"\n')
    shown = said(capsys, "check", "-c", "hubbub.toml", "--show-origin", code=0)
    (line,) = [line for line in shown.splitlines() if line.startswith("admin.token ")]
    assert line.split() == ["admin.token", "=", '"(hidden)"', "#", "hubbub.toml:2"]
    assert "s3cret" not in shown


def test_the_environment_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUBBUB__SERVER__THREADS", "many")
    message = said(capsys, "check", code=2)
    assert message.startswith("hubbub: HUBBUB__SERVER__THREADS: server.threads: expected a whole")


def test_pages_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert "[[listen]]" in said(capsys, "config", "example", code=0)
    assert "# Configuration" in said(capsys, "config", "reference", code=0)


def test_routes_want_one_of_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert "expected an app" in said(capsys, "routes", code=2)
