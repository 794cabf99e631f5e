"""The quick groups of Autobahn's cases, on every test run; `make conformance` runs all 517."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from .autobahn import echo_server, echo_server_by_tls, run_cases

SLOW = ("9.*", "12.*", "13.*")
"""Limits and compression: 270 cases that move gigabytes."""


@pytest.mark.parametrize("server", [echo_server, echo_server_by_tls], ids=["ws", "wss"])
def test_every_quick_case_is_strictly_right(
    server: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> None:
    with server() as address:
        run = run_cases(address, tmp_path, exclude=SLOW)
    assert run.report.deviations() == []
    assert len(run.report.verdicts) == 247
