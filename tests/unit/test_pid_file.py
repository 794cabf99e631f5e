"""The file that names the process that serves."""

import os
from pathlib import Path

import pytest

from hubbub.errors import Failure
from hubbub.pid_file import PidFile


def test_it_is_there_while_we_serve(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1\n")
    with PidFile(str(path)) as file:
        assert path.read_text() == "1\n"
        file.write()
        assert path.read_text() == f"{os.getpid()}\n"
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_successor_stays(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with PidFile(str(path)) as file:
        file.write()
        path.write_text("1\n")
    assert path.read_text() == "1\n"


def test_it_is_never_missing_between_two(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    with PidFile(str(path)) as file:
        file.write()
        file.leave()
    assert path.exists()


def test_who_does_not_serve_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text("1\n")
    with PidFile(str(path)):
        pass
    assert path.read_text() == "1\n"
    assert list(tmp_path.iterdir()) == [path]


def test_one_that_cannot_be_written_is_told_before_anybody_serves(tmp_path: Path) -> None:
    with (
        pytest.raises(Failure, match=r"cannot write .*/none/pid: No such file"),
        PidFile(str(tmp_path / "none" / "pid")),
    ):
        pass


def test_none_is_asked_for() -> None:
    with PidFile("") as file:
        file.write()
