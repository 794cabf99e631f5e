"""Paths below a directory: whatever they are, only what is in it is opened (threats A6)."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubbub._core import Directory, OpenFile

PARTS = ["..", ".", "", "inside", "outside", "up", "sub", "leaf", "secret", "\0", "é", "a" * 300]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("paths")
    (top / "root/sub").mkdir(parents=True)
    (top / "secret").write_text("secret")
    (top / "root/leaf").write_text("leaf")
    (top / "root/sub/leaf").write_text("leaf")
    (top / "root/inside").symlink_to("sub/leaf")
    (top / "root/outside").symlink_to("../secret")
    (top / "root/up").symlink_to("..")
    (top / "root/sub/up").symlink_to("../..")
    return top / "root"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(st.sampled_from(PARTS), max_size=8).map("/".join) | st.text())
def test_only_what_is_below_is_opened(place: Path, path: str) -> None:
    try:
        found = Directory(place).open(path)
    except UnicodeEncodeError:
        # Half a surrogate pair: no request can bring it.
        return
    if isinstance(found, OpenFile):
        assert found.read() == b"leaf"
