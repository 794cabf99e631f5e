"""The files of `deploy/`, as far as they can be tried without installing them."""

import re
import subprocess
from pathlib import Path

import pytest

from hubbub import running
from hubbub.cli import mistake
from tests.programs import program
from tests.serving import ROOT

DEPLOY = ROOT / "deploy"


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The unit files, with a program in them that is there."""
    copies: list[Path] = []
    for name in ("hubbub.service", "hubbub.socket"):
        text = (DEPLOY / name).read_text().replace("/opt/hubbub/bin/hubbub", "/bin/true")
        copies.append(tmp_path / name)
        copies[-1].write_text(text)
    return copies


def test_systemd_understands_the_units(units: list[Path]) -> None:
    analyze = program("systemd-analyze", "systemd")
    told = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


def test_the_service_is_shut_off(units: list[Path]) -> None:
    analyze = program("systemd-analyze", "systemd")
    command = [analyze, "security", "--offline=true", "--threshold=20", units[0]]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout.splitlines()[-1:]


def test_the_units_agree_with_the_server() -> None:
    service = (DEPLOY / "hubbub.service").read_text()
    assert f"SuccessExitStatus={running.FORCED} {running.HURRIED}\n" in service
    assert f"RestartPreventExitStatus={mistake.USAGE} {mistake.IMPORT}\n" in service
    name = re.search("FileDescriptorName=(.*)", (DEPLOY / "hubbub.socket").read_text())
    assert name is not None
    assert f'bind = "systemd:{name[1]}"' in (ROOT / "docs/deployment.md").read_text()


def test_every_exit_code_is_documented() -> None:
    page = (ROOT / "docs/deployment.md").read_text()
    table = page.partition("### Exit codes")[2].partition("\n## ")[0]
    codes = {int(code) for code in re.findall(r"^\| (\d) \|", table, re.MULTILINE)}
    ours = {running.DRAINED, running.FORCED, running.HURRIED, running.OUTDATED}
    assert codes == ours | {mistake.FAILED, mistake.USAGE, mistake.IMPORT, mistake.BIND}


def test_what_the_dockerfile_copies_is_in_its_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [line[1:] for line in ignored if line.startswith("!")]
    assert ignored[0] == "*"
    assert all((ROOT / path).exists() for path in kept)
    copied = re.findall(r"^COPY (\S+) ", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    assert [path for path in copied if not path.startswith("--from")] == [
        "requirements/run.txt",
        ".",
    ]
    # What the workspace and the package name must be there, too.
    assert {"crates", "bench/bare", "python", "LICENSE", "README.md"} <= set(kept)
