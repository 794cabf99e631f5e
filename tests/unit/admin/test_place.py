"""Where the admin listener may be, and where it may not."""

from pathlib import Path

import pytest

from hubbub.admin.place import Place, default_path, place_of
from hubbub.config import AdminSettings
from hubbub.errors import Misuse


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"RUNTIME_DIRECTORY": "/run/hubbub", "XDG_RUNTIME_DIR": "/run/user/1"}, "/run/hubbub"),
        ({"RUNTIME_DIRECTORY": "/run/hubbub:/run/other"}, "/run/hubbub"),
        ({"XDG_RUNTIME_DIR": "/run/user/1"}, "/run/user/1/hubbub"),
        ({}, "data"),
    ],
)
def test_the_socket_of_a_server_that_is_told_nothing(
    environment: dict[str, str], path: str
) -> None:
    assert default_path("data", environment) == Path(path, "admin.sock")


@pytest.mark.parametrize("bind", ["127.0.0.1:9000", "[::1]:0", "localhost:9000", "127.8.8.8:1"])
def test_loopback_needs_no_token(bind: str) -> None:
    assert place_of(AdminSettings(bind)) == Place(bind)


@pytest.mark.parametrize("bind", ["0.0.0.0:9000", "[::]:9000", "192.0.2.1:9000", "example.org:1"])
def test_elsewhere_it_does(bind: str) -> None:
    with pytest.raises(Misuse, match=r"admin\.bind: expected a loopback address"):
        place_of(AdminSettings(bind))
    assert place_of(AdminSettings(bind, "t0ken")) == Place(bind, "t0ken")


@pytest.mark.parametrize("bind", ["9000", "fd:3", "systemd", "127.0.0.1:99999"])
def test_what_is_no_place(bind: str) -> None:
    with pytest.raises(Misuse, match=r"admin\.bind: "):
        place_of(AdminSettings(bind, "t0ken"))


def test_nowhere() -> None:
    assert place_of(AdminSettings("")) is None
    assert place_of(AdminSettings("off")) is None


def test_a_token_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with pytest.raises(Misuse, match=r"admin\.token_file: cannot be read"):
        place_of(AdminSettings("127.0.0.1:0", token_file=str(file)))
    file.write_text("\n")
    with pytest.raises(Misuse, match="is empty"):
        place_of(AdminSettings("127.0.0.1:0", token_file=str(file)))
    file.write_text("t0ken\n")
    assert place_of(AdminSettings("127.0.0.1:0", token_file=str(file))) == Place(
        "127.0.0.1:0", "t0ken"
    )
