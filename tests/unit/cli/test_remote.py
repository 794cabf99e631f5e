"""Where the commands beside a server look for it."""

from pathlib import Path

import pytest

from hubbub.cli.mistake import Mistake
from hubbub.cli.remote import find


def test_the_flag_comes_first_then_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "hubbub.toml"
    file.write_text('[admin]\nbind = "127.0.0.1:9003"\n')
    environment = {"HUBBUB_ADMIN": "127.0.0.1:9002"}
    assert find("127.0.0.1:9001", file, environment).name == "127.0.0.1:9001"
    assert find(None, file, environment).name == "127.0.0.1:9002"
    assert find(None, file, {}).name == "127.0.0.1:9003"


def test_the_usual_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environment = {"XDG_RUNTIME_DIR": str(tmp_path / "run")}
    usual = f"unix:{tmp_path}/run/hubbub/admin.sock"
    assert find(None, None, environment).name == usual
    # A server that was started without a desktop around it.
    Path("hubbub-data").mkdir()
    Path("hubbub-data/admin.sock").touch()
    assert find(None, None, environment).name == "unix:hubbub-data/admin.sock"
    Path("run/hubbub").mkdir(parents=True)
    Path("run/hubbub/admin.sock").touch()
    assert find(None, None, environment).name == usual


def test_the_storage_of_a_configuration(tmp_path: Path) -> None:
    file = tmp_path / "hubbub.toml"
    file.write_text(f'[storage]\npath = "{tmp_path}/data"\n')
    assert find(None, file, {}).name == f"unix:{tmp_path}/data/admin.sock"


def test_the_rest_of_a_configuration_is_not_judged(tmp_path: Path) -> None:
    file = tmp_path / "hubbub.toml"
    file.write_text(
        '[admin]\nbind = "127.0.0.1:9003"\n[[listen]]\nbind = "nonsense"\n'
        '[listen.tls]\ncert = "none.pem"\n[server]\ntypo = 1\n'
    )
    assert find(None, file, {"HUBBUB__SERVER__THREADS": "many"}).name == "127.0.0.1:9003"
    file.write_text("[admin]\nbnid = 1\n")
    with pytest.raises(Mistake, match=r"hubbub\.toml:2: admin\.bnid: "):
        find(None, file, {})


def test_the_environment_says_what_a_file_would() -> None:
    environment = {"HUBBUB__ADMIN__BIND": "0.0.0.0:9003", "HUBBUB__ADMIN__TOKEN": "mine"}
    remote = find(None, None, environment)
    assert (remote.name, remote.token) == ("0.0.0.0:9003", "mine")
    # Who brings a token needs no right to read the server's.
    environment["HUBBUB_ADMIN_TOKEN"] = "yours"
    environment["HUBBUB__ADMIN__TOKEN_FILE"] = "/none"
    assert find(None, None, environment).token == "yours"
    with pytest.raises(Mistake, match="the environment: the server has no admin listener"):
        find(None, None, {"HUBBUB__ADMIN__BIND": "off"})


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    file = tmp_path / "hubbub.toml"
    file.write_text('[admin]\nbind = "off"\n')
    with pytest.raises(Mistake, match=r"admin\.bind is off"):
        find(None, file, {})
    for bad in ("nonsense", "fd:3", "127.0.0.1:99999"):
        with pytest.raises(Mistake, match=r"--admin: "):
            find(bad, None, {})


def test_nobody_there() -> None:
    with pytest.raises(Mistake, match=r"no server answers at unix:/nowhere: is a server running"):
        find("unix:/nowhere", None, {}).get("/status")
