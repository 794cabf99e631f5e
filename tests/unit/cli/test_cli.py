"""The command line up to the point where something is served: usage, mistakes, exit codes."""

import re
from pathlib import Path

import pytest

from hubbub.cli import execute
from hubbub.cli.flags import Flags, arguments, given, parsed
from hubbub.cli.mistake import Mistake
from hubbub.config import ServerSettings, describe


def said(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


COMMANDS = ("serve", "run", "dev", "check", "routes", "config", "bench")


def test_help_names_every_command_and_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(re.search(rf"\b{command}\b +[A-Z]", shown) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_fits_a_terminal(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert execute([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "[default: ]" not in shown
    assert max(len(line) for line in shown.splitlines()) <= 80


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["--version"]) == 0
    assert capsys.readouterr().out.strip()


def test_help_of_run_names_every_setting(capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["run", "--help"]) == 0
    shown = capsys.readouterr().out
    for setting in describe(ServerSettings):
        assert setting.flag in shown
    for flag in ("--host", "--port", "--uds", "--fd", "--log-level"):
        assert flag in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["walk"], 2, "walk"),
        (["run"], 2, "TARGET"),
        (["run", "x:app", "--bogus"], 2, "bogus"),
        (["run", "x:app", "--port", "many"], 2, "port"),
        (["run", "x:app", "--port", "70000"], 2, "not a port: 70000"),
        (["run", "x:app", "--uds", "a", "--fd", "3"], 2, "not both"),
        (["run", "x:app", "--ws-max-size", "big"], 2, "--ws-max-size: expected a size"),
        (
            ["run", "x:app", "--ws-ping-interval", "often"],
            2,
            "--ws-ping-interval: expected a duration",
        ),
        (["run", "x:app", "--compression", "zip"], 2, "--compression: expected"),
        (["run", "x:app", "--log-level", "loud"], 2, "log-level"),
        (["run", "no_such_module:app"], 3, "no such module: no_such_module"),
        (["run", "no_such_file.py:app"], 3, "no such file: no_such_file.py"),
        (["dev", "x:app", "--reload-dir", "/no/such/folder"], 2, "no such folder"),
        (["bench", "dance"], 2, "dance"),
        (["bench", "echo", "--size", "big"], 2, "expected a size"),
    ],
)
def test_mistakes(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert execute(arguments) == code
    assert message in said(capsys)


def test_flags_become_settings_and_flags_again() -> None:
    flags = Flags(message_limit_bytes="16MiB", compression="off")
    assert given(flags) == {"message_limit_bytes": "16MiB", "compression": "off"}
    assert parsed(flags) == ServerSettings(message_limit_bytes=16 << 20, compression="off")
    assert arguments(flags) == ["--ws-max-size", "16MiB", "--compression", "off"]
    for switch in ("--proxy-headers", "--no-proxy-headers"):
        flags = Flags(proxy_headers=switch == "--proxy-headers")
        assert parsed(flags).proxy_headers == (switch == "--proxy-headers")
        assert arguments(flags) == [switch]
    with pytest.raises(Mistake, match="--field-limit: expected"):
        parsed(Flags(field_limit="many"))


def test_a_plot_without_matplotlib_is_a_clear_mistake(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert execute(["bench", "echo", "ws://127.0.0.1:1/", "--plot", str(tmp_path / "x.png")]) == 2
    assert "--plot needs matplotlib" in said(capsys)
