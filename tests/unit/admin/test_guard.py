"""Which names of a host a web page could have chosen."""

import pytest

from hubbub.admin.guard import is_local_name


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:9000",
        "localhost.",
        "127.0.0.1",
        "127.0.0.1:9000",
        "[::1]:9000",
        "[::1]",
    ],
)
def test_names_of_this_machine(host: str) -> None:
    assert is_local_name(host)


@pytest.mark.parametrize(
    "host",
    [
        *(
            "",
            "evil.example",
            "evil.example:9000",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
        ),
        *("192.0.2.1", "0.0.0.0", "[::]:9000", "2130706433", "0x7f000001", "127.1", "127.0.0.1:x"),
    ],
)
def test_names_of_others(host: str) -> None:
    assert not is_local_name(host)
